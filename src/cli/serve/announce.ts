/** What `xfer serve` prints once it accepts. */
import { urlForOthers } from '../../listener-urls.js';
import { printable } from '../../names.js';
import type { Listener } from '../../transport.js';
import { shellWord } from '../../transports/ssh/shell-words.js';

/** Each place at which it can be reached, as a person reads it. */
export function placesOf({ urls, sockets }: Listener): string[] {
  return [...urls, ...sockets.map((path) => (path.startsWith('fd:') ? path : `unix:${path}`))].map(printable);
}

/** The lines for a person: each address, and what to type to download `file`, which is percent-encoded. */
export function addressLines(listener: Listener, file: string): string[] {
  const { urls, sockets } = listener;
  const lines = placesOf(listener).map((place) => `serving on ${place}`);
  const url = urlForOthers(urls) ?? urls[0];
  const [socket] = sockets;
  if (url !== undefined) lines.push(`download with: xfer get ${printable(`${url}${file}`)}`);
  else if (socket?.includes('/')) {
    lines.push(`download with: curl --unix-socket ${printable(shellWord(socket))} -O http://localhost/${file}`);
  }
  return lines;
}

/** The same for a machine, as one event. */
export function listeningRecord({ urls, sockets, address }: Listener): object {
  return { type: 'listening', ...address, urls, ...(sockets.length > 0 ? { sockets } : {}) };
}
