/** Request targets -> paths below the root, and names -> references to them. */
import { isDraftName } from '../../../draft-name.js';
import { bytesFromName, isText, nameFromBytes } from '../../../names.js';
import { percentEncoded } from '../percent-encoded.js';

export interface Target {
  /** Below the root, as `Entry.path`. */
  readonly path: string;
  /** The target ended with `/`. */
  readonly directory: boolean;
  /** With its `?`, or empty. */
  readonly query: string;
}

export interface TargetPolicy {
  /** Names that start with a dot, or stand for such a name, can be asked for. */
  readonly hidden: boolean;
  /** Names in the root that whoever shares it gave, and that can be asked for though they start with a dot. */
  readonly named: ReadonlySet<string>;
  readonly platform: NodeJS.Platform;
}

/** Targets of nothing but names that are the same on every system, escaped or not, and never hidden; most are. */
const PLAIN = /^(?:\/\w[\w.-]*)+$/;

/**
 * Where a request target in origin form points (RFC 9112, 3.2.1). 400 where it is none or an escape in it is broken. 404
 * where a part is empty, `..`, holds NUL, a separator or, unless `hidden`, starts with a dot: nothing that the share could
 * hold has such a name.
 */
export function parseTarget(raw: string, policy: TargetPolicy): Target | 400 | 404 {
  if (PLAIN.test(raw)) return { path: raw.slice(1), directory: false, query: '' };
  const mark = raw.indexOf('?');
  const path = mark < 0 ? raw : raw.slice(0, mark);
  const query = mark < 0 ? '' : raw.slice(mark);
  if (!path.startsWith('/')) return 400;
  if (path === '/') return { path: '', directory: true, query };
  const parts = path.slice(1).split('/');
  let directory = parts.at(-1) === '';
  if (directory) parts.pop();
  const names: string[] = [];
  for (const [index, part] of parts.entries()) {
    const name = decodePart(part);
    if (name === undefined) return 400;
    // rclone asks for `/./a:b`, so that the colon is taken for no scheme.
    if (name === '.') {
      directory ||= index === parts.length - 1;
      continue;
    }
    if (!canBeName(name, policy) || !isShown(name, names.length === 0, policy)) return 404;
    names.push(name);
  }
  return { path: names.join('/'), directory, query };
}

/** The name in a percent-encoded part, or undefined where an escape is broken. */
export function decodePart(part: string): string | undefined {
  // A character of a target stands for one byte.
  if (/^[\x21-\x24\x26-\x7e]*$/.test(part)) return part;
  const bytes = Buffer.from(part, 'latin1');
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    let byte = bytes[at] as number;
    if (byte === 0x25) {
      const digits = part.slice(at + 1, at + 3);
      if (!/^[0-9a-f]{2}$/i.test(digits)) return undefined;
      byte = Number.parseInt(digits, 16);
      at += 2;
    }
    bytes[length] = byte;
    length += 1;
  }
  return nameFromBytes(bytes.subarray(0, length));
}

function canBeName(name: string, { platform }: TargetPolicy): boolean {
  if (name === '' || name === '..' || /[/\0]/.test(name)) return false;
  return platform !== 'win32' || !/[\\:]/.test(name);
}

/** The form of the short names that Windows gives to files beside their own: `.git` is `GIT~1` too. */
const SHORT_NAME = /^[^.]{1,6}~\d{1,6}(?:\.[^.]{0,3})?$/;

/** Whether a thing of this name in the root, or deeper, is given away and listed. */
export function isShown(name: string, inRoot: boolean, { hidden, named, platform }: TargetPolicy): boolean {
  if (inRoot && named.has(name)) return true;
  if (hidden) return !isDraftName(name);
  return !name.startsWith('.') && !(platform === 'win32' && SHORT_NAME.test(name));
}

/** Percent-encodes the bytes of a name, so that it stands alone as a relative reference (RFC 3986, 4.2). */
export function encodeName(name: string): string {
  if (/^[A-Za-z0-9._~-]*$/.test(name)) return name;
  if (isText(name)) return encodeURIComponent(name).replace(/[!'()*]/g, (mark) => percentEncoded(mark.charCodeAt(0)));
  let text = '';
  for (const byte of bytesFromName(name)) {
    const character = String.fromCharCode(byte);
    text += /[A-Za-z0-9._~-]/.test(character) ? character : percentEncoded(byte);
  }
  return text;
}

/** A query as it can stand in a header field. */
export function printableQuery(query: string): string {
  return query.replace(/[^\x21-\x7e]/g, '');
}

/** Whether a query has this key, as in `?json`. */
export function hasKey(query: string, key: string): boolean {
  if (query === '') return false;
  return query
    .slice(1)
    .split('&', 32)
    .some((pair) => pair.split('=', 1)[0] === key);
}

/** The text after the first `=` of this key in a query, as it is written there; undefined where the key has none. */
export function queryValue(query: string, key: string): string | undefined {
  if (query === '') return undefined;
  const pair = query
    .slice(1)
    .split('&', 32)
    .find((each) => each.startsWith(`${key}=`));
  return pair?.slice(key.length + 1);
}
