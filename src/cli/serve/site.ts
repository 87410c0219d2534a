/** The options of a web site. */
import type { SiteOptions } from '../../transports/http/listen/site/options.js';
import type { ParsedArguments } from '../parsed-arguments.js';

/** `--site` and `--single`. Without them a share is a site where a `serve.json` is in it. */
export function whatSiteItIs(parsed: ParsedArguments): SiteOptions {
  return { ...(parsed.flag('site') ? { site: true } : {}), single: parsed.flag('single') };
}
