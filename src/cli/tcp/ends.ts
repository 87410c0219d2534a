/** Which end of a connection a command is, and where that is. */
import { isIPv6 } from 'node:net';
import { XferError } from '../../errors.js';
import { socketPath } from '../../files/socket-file.js';
import { type Location, parseHostPort, parsePort } from '../../location.js';
import type { OptionName } from '../options.js';
import type { ParsedArguments } from '../parsed-arguments.js';

/** Options that say something only where the other end connects to us. */
const LISTENING_ONLY: readonly OptionName[] = ['allow', 'keep-open', 'output-dir', 'announce'];
/** Options that say something only where we connect. */
const CONNECTING_ONLY: readonly OptionName[] = ['source', 'source-port', 'retry', 'connect-timeout'];

/**
 * As in nc: `host:port` connects, `-l` with `[host:]port` waits; a path with a slash, or any with `-U`, is a unix socket. With
 * `portWaits` a port alone waits too. USAGE where it is no address, or an option goes with the other end only.
 */
export function parseEnd(typed: string, parsed: ParsedArguments, portWaits = false): Location {
  // As messages write it.
  const text = parsed.flag('unix') ? typed : typed.replace(/^tcp:\/\/([^/]+)\/?$/, '$1');
  const path = parsed.flag('unix') ? text : socketPath(text);
  const listens =
    parsed.flag('listen') ||
    parsed.flag('announce') ||
    (portWaits && path === undefined && /^(?:\*?:)?[0-9]+$/.test(text));
  checkEnd(parsed, listens, path !== undefined);
  if (path !== undefined) return { scheme: 'tcp', path, listen: listens };
  const next = parsed.operands[1];
  return listens ? parseListenAddress(text, next) : parseTarget(text, next, portWaits);
}

/** USAGE where an option goes with the other end only. */
export function checkEnd(parsed: ParsedArguments, listens: boolean, isUnix: boolean): void {
  if (parsed.flag('ipv4') && parsed.flag('ipv6')) {
    throw new XferError('USAGE', 'options -4 and -6 exclude each other');
  }
  const name = parsed.last(...(listens ? CONNECTING_ONLY : LISTENING_ONLY));
  if (name !== undefined) {
    const hint = listens ? 'leave it out, or leave out -l and name host:port' : 'add -l, or leave it out';
    throw new XferError('USAGE', `option --${name}: only where xfer ${listens ? 'connects' : 'listens'}`, { hint });
  }
  const inet = isUnix && parsed.last('ipv4', 'ipv6', 'source', 'source-port', 'allow', 'announce');
  if (!inet) return;
  const hint = inet === 'allow' ? 'the mode of its directory says who may connect' : 'leave it out';
  throw new XferError('USAGE', `option --${inet}: not with a unix socket`, { hint });
}

/** `host:port` to connect to, where `next` was typed behind it. USAGE where it is none. */
function parseTarget(text: string, next: string | undefined, portWaits: boolean): Location {
  if (text.includes(',')) {
    throw new XferError('USAGE', `address ${text}: a list, which only a sealed transfer takes`, {
      hint: 'add --sealed, or name one of them',
    });
  }
  const alone = /^(?:\*?:)?([0-9]+)$/.exec(text)?.[1];
  if (alone !== undefined) {
    throw new XferError('USAGE', `address ${text}: no host`, {
      hint: `name it as host:${alone}, or add -l to wait on that port`,
    });
  }
  const asWords = inOneWord([text, next]);
  if (!text.includes(':') || asWords !== undefined) throw noPort(text, next, portWaits);
  if (/:0+$/.test(text)) {
    throw new XferError('USAGE', `address ${text}: nobody can be reached at port 0`, {
      hint: 'add -l to wait on a free port',
    });
  }
  const { host, port } = parseHostPort(text);
  if (host === undefined) throw new XferError('USAGE', `address ${text}: no host`, { hint: 'name it as host:port' });
  return { scheme: 'tcp', host, port, path: '' };
}

/** Of a host alone, or of a file in the place of the address; `next` was typed behind it. */
function noPort(text: string, next: string | undefined, portWaits: boolean): XferError {
  const alone = portWaits ? ', or a port alone to wait for it: 8080' : '';
  let hint = inOneWord([text, next]) ?? `name a port too: ${text}:8080${alone}`;
  if (portWaits && isDigits(next)) hint += `; or the port first: ${next} ${text}`;
  else if (next !== undefined && /^[^/]+:[0-9]+$/.test(next)) hint = `the address comes first: ${next} ${text}`;
  return new XferError('USAGE', `address ${text}: no port`, { hint });
}

/** What to type for a host and a port in two words, as nc takes them; undefined where they are not that. */
export function inOneWord([host = '', port]: readonly (string | undefined)[]): string | undefined {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const isHost = isIPv6(bare) || !(host.includes(':') || isDigits(host));
  if (!isHost || !isDigits(port)) return undefined;
  return `name both in one word: ${isIPv6(bare) ? `[${bare}]` : host}:${port}`;
}

function isDigits(text: string | undefined): boolean {
  return /^[0-9]+$/.test(text ?? '');
}

/** `port`, `:port`, `*:port` or `host:port` to listen on, where `next` was typed behind it; port 0 takes a free one. USAGE. */
function parseListenAddress(text: string, next: string | undefined): Location {
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]/]*)):)?([0-9]+)$/.exec(text);
  if (!match) {
    throw new XferError('USAGE', `address ${text}: not a port or host:port`, {
      hint: inOneWord([text, next]) ?? 'name a port, as in 8080, or the address to listen on too, as in 127.0.0.1:8080',
    });
  }
  const host = match[1] ?? match[2] ?? '';
  const port = parsePort(match[3] as string, true);
  return { scheme: 'tcp', port, path: '', listen: true, ...(host === '' || host === '*' ? {} : { host }) };
}
