/** What `xfer serve` prints once it accepts. */
import { urlForOthers } from '../../listener-urls.js';
import { printable } from '../../names.js';
import type { Listener } from '../../transport.js';
import type { Fingerprints } from '../../transports/http/listen/tls/tls-identity.js';
import { shellWord } from '../../transports/ssh/shell-words.js';
import { downloadLines } from './tls.js';

/** Each place at which it can be reached, as a person reads it. */
export function placesOf({ urls, sockets }: Listener): string[] {
  return [...urls, ...sockets.map((path) => (path.startsWith('fd:') ? path : `unix:${path}`))].map(printable);
}

/** The lines for a person: each address, and what to type to download `file`, which is percent-encoded. */
export function addressLines(listener: Listener, file: string, tls?: Fingerprints): string[] {
  const { urls, sockets } = listener;
  const lines = placesOf(listener).map((place) => `serving on ${place}`);
  if (tls) lines.push(`certificate SHA-256 ${tls.fingerprint}`);
  const url = urlForOthers(urls) ?? urls[0];
  const [socket] = sockets;
  if (url !== undefined) lines.push(...downloadLines(printable(`${url}${file}`), tls));
  else if (socket?.includes('/')) {
    const [secure, scheme] = tls ? [`--insecure --pinnedpubkey ${tls.pin} `, 'https'] : ['', 'http'];
    lines.push(
      `download with: curl ${secure}--unix-socket ${printable(shellWord(socket))} -O ${scheme}://localhost/${file}`,
    );
  }
  return lines;
}

/** The same for a machine, as one event. */
export function listeningRecord({ urls, sockets, address }: Listener, tls?: Fingerprints): object {
  const known = tls && { fingerprint: tls.fingerprint, pin: tls.pin };
  return { type: 'listening', ...address, urls, sockets, ...known };
}
