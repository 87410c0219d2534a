/** What to call a downloaded file: by Content-Disposition (RFC 6266, RFC 8187), else by the URL, never with a path in it. */
import { bytesFromName, nameFromBytes } from '../../names.js';
import { percentEncoded } from './percent-encoded.js';

/** Longer headers are not read: a name has at most 255 bytes, each three characters when percent-encoded. */
const HEADER_LIMIT = 8192;
const NAME_LIMIT_BYTES = 255;
/** Ends of names up to this many characters are kept when a name is shortened. */
const EXTENSION_LIMIT = 16;

const PARAMETER = /;\s*([!#$%&'*+.^_`|~0-9a-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/giy;
/** Device names of Windows, with or without an extension (Naming Files, Microsoft Learn). */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?$/i;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * The file name that a Content-Disposition field gives, as it is written there, `filename*` before `filename`; undefined
 * where it gives none that can be read. Not safe to use as a name: `safeName` makes it so.
 */
export function dispositionName(field: string | undefined): string | undefined {
  if (field === undefined || field.length > HEADER_LIMIT) return undefined;
  const type = /^\s*[^\s;"=]+\s*(?=;)/.exec(field)?.[0];
  if (type === undefined) return undefined;
  let plain: string | undefined;
  let extended: string | undefined;
  PARAMETER.lastIndex = type.length;
  for (let match = PARAMETER.exec(field); match; match = PARAMETER.exec(field)) {
    const name = match[1]?.toLowerCase();
    const value = match[2] === undefined ? (match[3] ?? '') : unquote(match[2]);
    if (name === 'filename*') extended ??= extendedValue(value);
    if (name === 'filename') plain ??= fieldText(value);
    skipSpace(field);
  }
  return extended ?? plain;
}

function skipSpace(field: string): void {
  while (field[PARAMETER.lastIndex] === ' ' || field[PARAMETER.lastIndex] === '\t') PARAMETER.lastIndex++;
}

/** A backslash in front of a letter is part of a Windows path that was not quoted as RFC 9110 5.6.4 asks. */
function unquote(text: string): string {
  return text.replace(/\\(["\\])/g, '$1');
}

/** Field values come as one character a byte: UTF-8 where it is valid, else ISO-8859-1 (RFC 6266 4.3). */
function fieldText(value: string): string {
  const text = nameFromBytes(Buffer.from(value, 'latin1'));
  return text.isWellFormed() ? text : value;
}

/** `charset'language'percent-encoded` (RFC 8187 3.2), or undefined where it is not that. */
function extendedValue(value: string): string | undefined {
  const match = /^(utf-8|iso-8859-1)'[^']*'((?:%[0-9a-f]{2}|[^%'"])*)$/i.exec(value);
  if (!match) return undefined;
  const bytes = percentBytes(match[2] as string);
  if (match[1]?.toLowerCase() === 'iso-8859-1') return bytes.toString('latin1');
  const text = nameFromBytes(bytes);
  return text.isWellFormed() ? text : undefined;
}

/** Bytes of a percent-encoded text; a `%` without two hex digits stands for itself. */
export function percentBytes(text: string): Buffer {
  const raw = bytesFromName(text).toString('latin1');
  const plain = raw.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(plain, 'latin1');
}

/**
 * A name chosen by the other end, made one that is safe in any directory of any system: what follows the last separator,
 * without control and direction characters, without dots at its start (no hidden file) and end, at most 255 bytes.
 * Undefined where nothing is left, and for the device names of Windows.
 */
export function safeName(given: string): string | undefined {
  const base = given.slice(Math.max(given.lastIndexOf('/'), given.lastIndexOf('\\')) + 1);
  const clean = base
    .replace(CONTROL, '')
    .replace(/^[a-z]:/i, '')
    .replace(/[<>:"|?*]/g, '_')
    .replace(/^[.\s]+/, '')
    .replace(/[.\s]+$/, '');
  return clean === '' || RESERVED.test(clean) ? undefined : shorten(clean);
}

/** Cuts a name to 255 bytes in front of its extension, between two characters. */
function shorten(name: string): string {
  if (bytesFromName(name).length <= NAME_LIMIT_BYTES) return name;
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 && name.length - dot <= EXTENSION_LIMIT ? name.slice(dot) : '';
  let room = NAME_LIMIT_BYTES - bytesFromName(extension).length;
  let stem = '';
  for (const character of name.slice(0, NAME_LIMIT_BYTES)) {
    room -= bytesFromName(character).length;
    if (room < 0) break;
    stem += character;
  }
  return stem + extension;
}

/**
 * What a copy of `url` is called. The name in Content-Disposition, made safe, is used before the last part of the path
 * that the person typed; where neither is usable it is `index.html`.
 */
export function downloadName(
  url: URL,
  field: string | undefined,
  platform: NodeJS.Platform = process.platform,
): string {
  const typed = urlName(url, platform);
  const given = dispositionName(field);
  if (given === undefined || given === typed) return typed ?? 'index.html';
  return safeName(given) ?? typed ?? 'index.html';
}

/** What a copy of the folder at `url`, whose path ends with `/`, is called: its last part, or the host's name. */
export function folderName(url: URL, platform: NodeJS.Platform = process.platform): string {
  const inner = new URL(url);
  inner.pathname = url.pathname.replace(/\/+$/, '');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return urlName(inner, platform) ?? safeName(host.replaceAll(':', '-')) ?? 'folder';
}

/** The last part of a URL's path, byte for byte where this system can have such a name. */
function urlName(url: URL, platform: NodeJS.Platform): string | undefined {
  const name = nameFromBytes(percentBytes(url.pathname.slice(url.pathname.lastIndexOf('/') + 1)));
  if (platform === 'win32') return safeName(name);
  const unusable = name === '' || name === '.' || name === '..' || /[/\0]/.test(name);
  return unusable ? safeName(name) : shorten(name);
}

/** RFC 8187, 3.2.1, attr-char: what stands for itself in an extended value. */
const EXTENDED_PLAIN = /[A-Za-z0-9!#$&+.^_`|~-]/;

/**
 * The field that has a browser save a response under `name`, whatever is in it: `filename` in ASCII and without what is
 * read in different ways, as a quote and a `%` are; where that is not the whole name `filename*` too (RFC 6266, 4.3 and
 * appendix D). Control and direction characters, separators, and bytes that are not UTF-8 become `_`.
 */
export function attachmentField(name: string): string {
  const clean = name
    .toWellFormed()
    .replace(CONTROL, '_')
    .replace(/[/\\\ufffd]/g, '_');
  const ascii = clean.replace(/[^\x20-\x7e]|["%]/gu, '_');
  const plain = `attachment; filename="${ascii}"`;
  if (ascii === clean) return plain;
  const bytes = [...Buffer.from(clean)].map((byte) => String.fromCharCode(byte));
  const extended = bytes.map((byte) => (EXTENDED_PLAIN.test(byte) ? byte : percentEncoded(byte.charCodeAt(0))));
  return `${plain}; filename*=UTF-8''${extended.join('')}`;
}
