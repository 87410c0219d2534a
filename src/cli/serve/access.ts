/** What `xfer serve` over HTTP is told of who may do what. */
import { XferError } from '../../errors.js';
import { randomSecret } from '../../listening/accounts.js';
import type { AccessOptions } from '../../transports/http/listen/access/options.js';
import type { OptionName } from '../options.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { parseDuration } from '../render/format.js';
import type { Surroundings } from '../surroundings.js';
import { readAccounts } from './accounts.js';

/** What of it no other protocol has. */
export const ACCESS_OPTIONS = [
  'auth-write',
  'token',
  'base-path',
  'once',
  'max-downloads',
  'expires',
  'allow',
  'allow-host',
] as const satisfies readonly OptionName[];

/** USAGE for what does not fit together or is malformed; the errors of the file of accounts. */
export async function whoMayDoWhat(parsed: ParsedArguments, { env }: Surroundings): Promise<AccessOptions> {
  const accounts = await readAccounts(parsed);
  const writesOnly = parsed.flag('auth-write');
  if (writesOnly && accounts.length === 0) {
    throw new XferError('USAGE', 'option --auth-write: nobody could log in', { hint: 'add --auth-file FILE' });
  }
  const [basePath, expires] = [parsed.text('base-path'), parsed.text('expires')];
  const maxDownloads = mostDownloads(parsed);
  const [allow, allowHosts] = [parsed.list('allow'), parsed.list('allow-host')];
  return {
    ...(accounts.length > 0 ? { accounts, loginFor: writesOnly ? 'writes' : 'everything' } : {}),
    // One that is given stays the same from run to run, so that links go on working.
    ...(parsed.flag('token') ? { token: env.XFER_TOKEN || randomSecret() } : {}),
    ...(basePath === undefined ? {} : { basePath }),
    ...(maxDownloads === undefined ? {} : { maxDownloads }),
    ...(expires === undefined ? {} : { expiresMs: parseDuration('expires', expires) }),
    ...(allow.length > 0 ? { allow } : {}),
    ...(allowHosts.length > 0 ? { allowHosts } : {}),
  };
}

function mostDownloads(parsed: ParsedArguments): number | undefined {
  const most = parsed.wholeNumber('max-downloads');
  if (!parsed.flag('once')) return most;
  if (most === undefined || most === 1) return 1;
  throw new XferError('USAGE', `option --once: with --max-downloads ${most}`, { hint: 'leave one of them out' });
}

/** What is to be said where passwords, if there are any, cross a network as they are; undefined else. */
export function plainPasswordNotice(access: AccessOptions, urls: readonly string[]): string | undefined {
  if (!access.accounts) return undefined;
  const open = urls.some((text) => {
    const { protocol, hostname } = new URL(text);
    return protocol === 'http:' && !/^(?:localhost|127\.[0-9.]+|\[::1\])$/.test(hostname);
  });
  if (!open) return undefined;
  return 'passwords go over plain HTTP: whoever is on the way can read them; --tls encrypts them';
}
