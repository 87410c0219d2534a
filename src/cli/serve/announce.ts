/** What `xfer serve` prints once it accepts. */
import { urlForOthers } from '../../listening/listener-urls.js';
import { printable } from '../../names.js';
import type { Listener } from '../../transport.js';
import { encodeName } from '../../transports/http/listen/target.js';
import type { Fingerprints } from '../../transports/http/listen/tls/tls-identity.js';
import { shellWord } from '../../transports/ssh/shell-words.js';

/** Where the share stands below its host: empty, or as in `files/`. */
type Below = string;

/** Each place at which it can be reached, as a person reads it. */
export function placesOf({ urls, sockets }: Listener, below: Below = ''): string[] {
  const path = below === '' ? '' : `, below /${below}`;
  return [...urls, ...sockets.map((socket) => `${socket.startsWith('fd:') ? '' : 'unix:'}${socket}${path}`)].map(
    printable,
  );
}

export interface Example {
  /** To download, percent-encoded; absent where no file is to be. */
  readonly file: string | undefined;
  readonly below: Below;
  /** Who has to log in for that. */
  readonly user?: string | undefined;
  readonly tls?: Fingerprints | undefined;
}

/** The lines for a person: each address, and what to type to download a file. */
export function addressLines(listener: Listener, example: Example): string[] {
  const { file, below, tls } = example;
  const lines = placesOf(listener, below).map((place) => `serving on ${place}`);
  if (tls) lines.push(`certificate SHA-256 ${tls.fingerprint}`);
  return file === undefined ? lines : [...lines, ...downloadLines(listener, file, example).map(printable)];
}

function downloadLines({ urls, sockets }: Listener, file: string, example: Example): string[] {
  const { below, user, tls } = example;
  const url = urlForOthers(urls) ?? urls[0];
  const [socket] = sockets;
  if (url !== undefined) {
    const own = `download with: xfer get ${tls ? `--pin ${tls.pin} ` : ''}${asUser(`${url}${file}`, user)}`;
    return tls ? [own, `or: ${curlLine(`${url}${file}`, example)}`] : [own];
  }
  if (!socket?.includes('/')) return [];
  const local = `${tls ? 'https' : 'http'}://localhost/${below}${file}`;
  return [`download with: ${curlLine(local, example, socket)}`];
}

/** The line for a person that says how to upload: to any address that others can type. */
export function uploadLines({ urls, sockets }: Listener, example: Omit<Example, 'file'>): string[] {
  const { user, tls } = example;
  const url = urlForOthers(urls) ?? urls[0];
  const [socket] = sockets;
  if (url !== undefined) {
    const own = `upload with: xfer put ${tls ? `--pin ${tls.pin} ` : ''}FILE ${asUser(url, user)}`;
    return [own, `or: ${curlPutLine(url, example)}`].map(printable);
  }
  if (!socket?.includes('/')) return [];
  const local = `${tls ? 'https' : 'http'}://localhost/${example.below}`;
  return [printable(`upload with: ${curlPutLine(local, example, socket)}`)];
}

/** Into a folder: its name is that of the file. */
function curlPutLine(url: string, example: Omit<Example, 'file'>, socket?: string): string {
  return [...curlWords(example, socket), '-T', 'FILE', url].join(' ');
}

/** What an error is answered with is not saved, and a password is asked for. */
function curlLine(url: string, example: Example, socket?: string): string {
  const [curl, ...words] = curlWords(example, socket);
  return [curl, '--fail', ...words, '-O', url].join(' ');
}

function curlWords({ user, tls }: Omit<Example, 'file'>, socket: string | undefined): string[] {
  const words = ['curl'];
  if (tls) words.push('--insecure', '--pinnedpubkey', tls.pin);
  if (user !== undefined) words.push('--user', shellWord(user));
  if (socket !== undefined) words.push('--unix-socket', shellWord(socket));
  return words;
}

/** With the name alone, so that the password is asked for. */
function asUser(url: string, user: string | undefined): string {
  return user === undefined ? url : url.replace('://', `://${encodeName(user)}@`);
}

/** The same for a machine, as one event. */
export function listeningRecord({ urls, sockets, address }: Listener, below: Below, tls?: Fingerprints): object {
  const known = tls && { fingerprint: tls.fingerprint, pin: tls.pin };
  return { type: 'listening', ...address, path: `/${below}`, urls, sockets, ...known };
}
