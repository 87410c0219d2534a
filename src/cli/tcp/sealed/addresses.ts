/** Where a sealed end is, for the other one: several addresses of the same machine in one word. */
import { hostname } from 'node:os';
import { XferError } from '../../../errors.js';
import { isLoopbackUrl, listenerUrls } from '../../../listening/listener-urls.js';
import { parseHostPort } from '../../../location.js';
import type { TcpAddress } from '../../../transports/tcp/options.js';

/** Of one machine; a longer list is not one that xfer printed. */
const MOST_ADDRESSES = 16;

/** `a,b,[c]:port`: each host of the list with its own port, or that of the last one. USAGE where it is none. */
export function parseAddresses(text: string): TcpAddress[] {
  const parts = text.split(',');
  if (parts.length > MOST_ADDRESSES) throw new XferError('USAGE', `address ${text}: more than ${MOST_ADDRESSES} hosts`);
  const last = parseHostPort(parts.at(-1) as string);
  return parts.map((part) => {
    const hasPort = /:\d+$/.test(part.replace(/^\[.*\]$/, ''));
    const { host = '', port } = hasPort
      ? parseHostPort(part)
      : { host: part.replace(/^\[(.*)\]$/, '$1'), port: last.port };
    if (host === '')
      throw new XferError('USAGE', `address ${text}: a host is missing`, { hint: 'name it as host:port' });
    return { host, port };
  });
}

/** What to type at the other end for one that listens at `bound`: every address, or the host's name where there is none. */
export function formatAddresses(bound: TcpAddress): string {
  if (bound.path !== undefined) return bound.path;
  const urls = listenerUrls('tcp', [bound]);
  const outside = urls.filter((url) => !isLoopbackUrl(url));
  const hosts = (outside.length > 0 ? outside : urls).map((url) => new URL(url).hostname);
  const isWildcard = ['', '::', '0.0.0.0'].includes(bound.host);
  const named = outside.length === 0 && isWildcard ? [hostname()] : hosts;
  return `${named.join(',')}:${bound.port}`;
}
