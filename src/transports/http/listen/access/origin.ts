/** Where a request that changes something comes from: against pages of other sites that send it (CSRF). */
import type { IncomingHttpHeaders } from 'node:http';
import { type Host, parseHost, sameHost } from './host-names.js';

/**
 * Whether a browser says that another site's page sends this: by Origin (RFC 6454, 7), whose host is not `host`, or by
 * Sec-Fetch-Site (Fetch Metadata, 2.3). Programs send neither. A proxy may speak TLS in front, so the scheme may be either.
 */
export function isForeign(headers: IncomingHttpHeaders, host: Host | undefined): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  const { origin } = headers;
  if (origin === undefined) return false;
  const [, scheme, authority] = /^(https?):\/\/([^/]*)$/.exec(origin) ?? [];
  const from = authority === undefined ? undefined : parseHost(authority);
  return !from || !host || !sameHost(from, host, scheme as string);
}
