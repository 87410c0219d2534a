/**
 * Names as bytes and as text. POSIX names are bytes; JavaScript's are UTF-16. A byte that is not part of valid UTF-8 is
 * kept as the lone surrogate U+DC00 + byte (Python's "surrogateescape", PEP 383), so every name comes back byte for byte.
 */
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text of a name given as bytes; `bytesFromName` gives the same bytes back. */
export function nameFromBytes(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeEscaping(bytes);
  }
}

/** Text of a name whose bytes are given as characters, one for each: most names are ASCII, and come as they are. */
export function nameFromLatin1(characters: string): string {
  return /^[\0-\x7f]*$/.test(characters) ? characters : nameFromBytes(Buffer.from(characters, 'latin1'));
}

function decodeEscaping(bytes: Uint8Array): string {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    text +=
      length === 0
        ? String.fromCharCode(0xdc00 + (bytes[at] as number))
        : strict.decode(bytes.subarray(at, at + length));
    at += Math.max(length, 1);
  }
  return text;
}

/** Length of the valid UTF-8 sequence at `at`, or 0 where there is none (Unicode 15, table 3-7). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number;
  const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  try {
    strict.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

/** Bytes of a name: UTF-8, with the bytes that `nameFromBytes` set aside put back. */
export function bytesFromName(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name, 'utf8');
  const parts: Buffer[] = [];
  for (const character of name) {
    const code = character.charCodeAt(0);
    const escaped = character.length === 1 && code >= 0xdc80 && code <= 0xdcff;
    parts.push(escaped ? Buffer.of(code - 0xdc00) : Buffer.from(character, 'utf8'));
  }
  return Buffer.concat(parts);
}

/** Whether a name is plain text, so that it can be given to an interface that takes text. */
export function isText(name: string): boolean {
  return name.isWellFormed();
}

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;

/**
 * Text from outside made safe for a terminal and a log: control, format (bidi) and private characters and bytes that are
 * not UTF-8 become `\n`, `\t`, `\xNN` or `\u{N}`. A joiner inside an emoji is left alone.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    if (character === '\u200d') return character;
    if (character === '\n') return '\\n';
    if (character === '\t') return '\\t';
    const code = character.codePointAt(0) as number;
    if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** Splits a path below a root into its checked parts, or undefined where a part is empty, `.`, `..` or holds NUL. */
export function pathParts(path: string): string[] | undefined {
  if (path === '') return [];
  const parts = path.split('/');
  return parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0')) ? undefined : parts;
}

/** The directory that a path below a root lies in; `''` for what is in the root, and for the root. */
export function parentPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** The last part of a path below a root. */
export function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A path below a root once the directory `from`, where it lies below that, is called `to`. */
export function movedPath(path: string, from: string, to: string): string {
  return path.startsWith(`${from}/`) ? to + path.slice(from.length) : path;
}

/** Joins paths below a root; empty ones vanish. */
export function joinPath(...paths: string[]): string {
  return paths.filter((path) => path !== '').join('/');
}
