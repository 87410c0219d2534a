/**
 * What a person types -> Location. One grammar for all commands: a local path, `-`, scp's `[user@]host:path`, and URLs.
 * A Location's text never holds a secret.
 */
import { XferError } from './errors.js';
import { printable } from './names.js';

export interface Location {
  /** Canonical scheme: `file`, `stdio`, `sftp`, `http`, `https`, `tcp`, `memory`. */
  readonly scheme: string;
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  /** Path on its transport: local, remote (relative to the login directory unless it starts with `/`), a URL's, or a unix socket's. */
  readonly path: string;
  /** The URL as given, for HTTP; may hold a password, so it is never printed: `describeLocation` is. */
  readonly url?: string;
  /** For tcp: wait for the other end to connect instead of connecting. */
  readonly listen?: boolean;
}

const SCHEMES: Record<string, string> = { scp: 'sftp', ssh: 'sftp' };

/** Parses what was typed. USAGE where it is no location. `platform` decides whether `C:\x` is a path. */
export function parseLocation(text: string, platform: NodeJS.Platform = process.platform): Location {
  if (text === '') throw new XferError('USAGE', 'the location is empty', { hint: 'name a path, host:path or a URL' });
  if (text.includes('\0')) throw new XferError('USAGE', `location ${text}: holds a NUL byte`);
  if (text === '-') return { scheme: 'stdio', path: '-' };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined) return parseUrl(SCHEMES[scheme] ?? scheme, text, platform);
  return parseScpLocation(text, platform) ?? { scheme: 'file', path: text };
}

/**
 * scp's `[user@]host:path` (scp.1): undefined where the text is a local path, which it is without a colon that ends a host,
 * and on Windows with a drive letter or a share.
 */
export function parseScpLocation(text: string, platform: NodeJS.Platform = process.platform): Location | undefined {
  if (platform === 'win32' && (/^[a-z]:/i.test(text) || text.startsWith('\\\\'))) return undefined;
  const colon = hostEnd(text);
  if (colon === undefined) return undefined;
  const at = text.lastIndexOf('@', colon);
  const user = text.slice(0, Math.max(0, at)) || undefined;
  const host = text.slice(at + 1, colon).replace(/^\[(.*)\]$/s, '$1');
  checkUserAndHost(user, host);
  return { scheme: 'sftp', host, ...(user === undefined ? {} : { user }), path: text.slice(colon + 1) || '.' };
}

/** Where the colon after the host is: the first one before any `/`, but not in `[…]` at the start or after an `@`, and never the first character (colon() in OpenSSH's misc.c). */
function hostEnd(text: string): number | undefined {
  if (text.startsWith(':')) return undefined;
  const head = text.split('/', 1)[0] as string;
  let bracketed = head.startsWith('[');
  for (let index = 0; index < head.length; index++) {
    if (head.startsWith('@[', index)) bracketed = true;
    if (bracketed && head.startsWith(']:', index)) return index + 1;
    if (!bracketed && head[index] === ':') return index;
  }
  return undefined;
}

function parseUrl(scheme: string, text: string, platform: NodeJS.Platform): Location {
  if (scheme === 'file') return { scheme: 'file', path: parseFileUrl(text, platform) };
  if (scheme === 'http' || scheme === 'https') return parseHttp(scheme, text);
  const match = /^[^:]+:\/\/(?:([^@/]*)@)?(?:\[([^\]/]+)\]|([^:/[\]]*))(?::([0-9]*))?(\/.*)?$/s.exec(text);
  if (!match) throw new XferError('USAGE', `location ${withoutPassword(text)}: not a URL`);
  const [, rawUser, bracketed, plain, rawPort, rawPath] = match;
  const user = rawUser === undefined ? undefined : percentDecode(rawUser.replace(/[:;].*$/s, ''));
  if (rawUser?.includes(':')) {
    throw new XferError('USAGE', `location ${withoutPassword(text)}: a password in a URL is seen by every user`, {
      hint: 'leave it out and type it when asked, or use a key',
    });
  }
  const host = bracketed ?? (plain as string);
  if (scheme === 'sftp') checkUserAndHost(user, host);
  return {
    scheme,
    host,
    path: scheme === 'sftp' ? percentDecode(rawPath?.slice(1) ?? '') || '.' : (rawPath ?? ''),
    ...(user === undefined ? {} : { user }),
    ...(rawPort ? { port: parsePort(rawPort) } : {}),
  };
}

/** Path of a `file:` URL (RFC 8089), without the `/` before a drive letter on Windows. USAGE where it names another host. */
function parseFileUrl(text: string, platform: NodeJS.Platform): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.host !== '') {
    throw new XferError('USAGE', `location ${withoutPassword(text)}: a file URL names no other host`, {
      hint: 'type host:path for a file on another machine',
    });
  }
  const path = percentDecode(url.pathname);
  return platform === 'win32' ? path.replace(/^\/(?=[a-z]:)/i, '') : path;
}

function parseHttp(scheme: string, text: string): Location {
  // The parser of URLs passes over slashes that are too many, and takes the path for the host.
  const url = /^\w+:\/\/[^/\\]/.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (!url?.hostname) {
    throw new XferError('USAGE', `location ${withoutPassword(text)}: not a URL`, {
      hint: 'as in http://example.org:8000/name, with a port of at most 65535',
    });
  }
  return {
    scheme,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    path: url.pathname + url.search,
    url: url.href,
    ...(url.port ? { port: Number(url.port) } : {}),
    ...(url.username ? { user: percentDecode(url.username) } : {}),
  };
}

/** Bytes of a percent-encoded text that are UTF-8, as text; USAGE where an escape is broken or stands for NUL. */
function percentDecode(text: string): string {
  const decoded = tryDecode(text);
  if (decoded === undefined) {
    throw new XferError('USAGE', `location ${withoutPassword(text)}: a % is not followed by two hex digits of UTF-8`);
  }
  if (decoded.includes('\0')) throw new XferError('USAGE', `location ${withoutPassword(text)}: holds a NUL byte`);
  return decoded;
}

function tryDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** A port that a person typed: 1 to 65535, or 0 where `allowZero`. USAGE otherwise. */
export function parsePort(text: string, allowZero = false): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return checkPort(port, allowZero, text);
}

/** The port itself. USAGE where it is none, told as `shown`. */
export function checkPort(port: number, allowZero = false, shown = String(port)): number {
  if (Number.isInteger(port) && port <= 65535 && port >= (allowZero ? 0 : 1)) return port;
  throw new XferError('USAGE', `port ${shown}: not a number from ${allowZero ? 0 : 1} to 65535`, {
    hint: allowZero ? 'as in 8080, or 0 for a free one' : 'as in 8080',
  });
}

/** `host:port`, `[v6]:port`, `:port` or, with `portAlone`, `port`. USAGE otherwise. */
export function parseHostPort(text: string, portAlone = false): { host?: string; port: number } {
  if (portAlone && /^[0-9]+$/.test(text)) return { port: parsePort(text) };
  const match = /^(?:\[([^\]]+)\]|([^:[\]/]*)):([^:]*)$/.exec(text);
  if (!match) {
    throw new XferError('USAGE', `address ${text}: not host:port`, {
      hint: /:.*:/.test(text) ? 'an IPv6 address goes in brackets: [::1]:8080' : 'as in example.org:8080',
    });
  }
  const host = match[1] ?? match[2];
  return { ...(host ? { host } : {}), port: parsePort(match[3] as string) };
}

/** Refused before anything is expanded or started with them (CVE-2023-51385, CVE-2025-61984). USAGE. */
export function checkUserAndHost(user: string | undefined, host: string): void {
  const badHost = host.startsWith('-') || /[\s'"`$\\;&<>|(){}[\],\p{Cc}]/u.test(host);
  if (host === '') throw new XferError('USAGE', 'the host is empty', { hint: 'name it before the colon: host:path' });
  if (badHost) throw new XferError('USAGE', `host ${host}: not a host name`);
  if (user === undefined) return;
  const badUser = user === '' || user.startsWith('-') || /['"`;&<>|(){}\s\p{Cc}]/u.test(user) || user.endsWith('\\');
  if (badUser) throw new XferError('USAGE', `user ${user}: not a user name`);
}

/** Up to the last `@`, for a password that is not percent-encoded may hold a `/` or an `@` itself. */
function withoutPassword(text: string): string {
  return text.replace(/(:\/\/[^/@:]*):.*@/s, '$1@');
}

/** A location as text, without its secrets, printable. */
export function describeLocation(location: Location): string {
  const { scheme, host, port, user, path } = location;
  if (scheme === 'stdio') return location.path === '-' ? 'standard input or output' : path;
  if (scheme === 'file') return printable(path);
  const bare = host?.includes(':') ? `[${host}]` : (host ?? '');
  const login = user === undefined ? bare : `${user}@${bare}`;
  if (scheme === 'sftp') return printable(port === undefined ? `${login}:${path}` : `sftp://${login}:${port}/${path}`);
  return printable(`${scheme}://${bare}${port === undefined ? '' : `:${port}`}${path.split('?', 1)[0] as string}`);
}
