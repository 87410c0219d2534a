/** A file of the share for the line that says how to download. */
import { GatheredSource } from '../../gathered-source.js';
import type { Scope, Source } from '../../transport.js';
import { RULES_NAME } from '../../transports/http/listen/site/rules.js';
import { encodeName } from '../../transports/http/listen/target.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { whatSiteItIs } from './site.js';

/** Entries of a directory that are looked at. */
const MOST_LOOKED_AT = 1000;

/**
 * Its name, percent-encoded, so that the printed line works as it is; `FILE` where the root holds none, and undefined for a
 * site, whose rules say what its addresses are.
 */
export async function exampleFile(share: Source, parsed: ParsedArguments, scope: Scope): Promise<string | undefined> {
  const root = await share.stat?.('', scope);
  if (root?.kind === 'file') return encodeName(share.name);
  const named = share instanceof GatheredSource;
  const { site, single } = whatSiteItIs(parsed);
  if (site || single || (!named && (await share.stat?.(RULES_NAME, scope)))) return undefined;
  const hidden = named || parsed.flag('hidden');
  let first: string | undefined;
  let looked = 0;
  for await (const { path, kind } of share.list?.('', scope) ?? []) {
    looked += 1;
    if (looked > MOST_LOOKED_AT) break;
    if (kind !== 'file' || (path.startsWith('.') && !hidden)) continue;
    // curl -O saves under the name as it stands in the URL.
    if (encodeName(path) === path) return path;
    first ??= encodeName(path);
  }
  return first ?? 'FILE';
}
