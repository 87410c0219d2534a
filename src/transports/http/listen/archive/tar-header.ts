/** Headers of a tar file: POSIX.1-2024, pax, "ustar Interchange Format" and "pax Extended Header". */
import { isUtf8 } from 'node:buffer';

export const BLOCK_BYTES = 512;

/** `bytes` up to the end of their last block. */
export function wholeBlocks(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

export interface TarEntry {
  /** That of a folder ends with `/`. */
  readonly name: Buffer;
  readonly folder: boolean;
  readonly size: number;
  readonly mtimeSeconds: number;
  /** Permission bits. */
  readonly mode: number;
}

const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
/** The greatest number in a field of twelve characters, one of which ends it. */
const LAST_OCTAL = 8 ** 11 - 1;
const SLASH = 0x2f;

/** Length of `tarHeader` in bytes. */
export function tarHeaderLength(entry: TarEntry): number {
  const records = extendedRecords(entry, splitName(entry.name) !== undefined).length;
  return records === 0 ? BLOCK_BYTES : 2 * BLOCK_BYTES + wholeBlocks(records);
}

/** The header of one entry, after an extended one where the old fields cannot say all of it. */
export function tarHeader(entry: TarEntry): Buffer {
  const { name, folder, size, mtimeSeconds, mode } = entry;
  const split = splitName(name);
  const records = extendedRecords(entry, split !== undefined);
  const type = folder ? '5' : '0';
  const fits = { size: fitting(size), mtimeSeconds: fitting(mtimeSeconds), mode, type };
  const own = block(split ?? { prefix: Buffer.alloc(0), name: name.subarray(0, NAME_BYTES) }, fits);
  if (records.length === 0) return own;
  const body = Buffer.alloc(wholeBlocks(records.length));
  records.copy(body);
  const extended = { ...fits, size: records.length, mode: 0o644, type: 'x' };
  return Buffer.concat([block({ prefix: Buffer.alloc(0), name: Buffer.from('PaxHeader') }, extended), body, own]);
}

interface SplitName {
  readonly prefix: Buffer;
  readonly name: Buffer;
}

/** A name as the two old fields hold it, parted at a `/`; undefined where they cannot. */
function splitName(name: Buffer): SplitName | undefined {
  if (name.length <= NAME_BYTES) return { prefix: Buffer.alloc(0), name };
  const at = name.indexOf(SLASH, name.length - NAME_BYTES - 1);
  if (at <= 0 || at > PREFIX_BYTES || at === name.length - 1) return undefined;
  return { prefix: name.subarray(0, at), name: name.subarray(at + 1) };
}

/** What the old fields cannot say. A name in UTF-8 is said again, since the old field names no encoding. */
function extendedRecords({ name, size, mtimeSeconds }: TarEntry, fits: boolean): Buffer {
  const utf8 = isUtf8(name);
  const ascii = name.every((byte) => byte < 0x80);
  const records: Buffer[] = [];
  if (!fits && !utf8) records.push(record('hdrcharset', Buffer.from('BINARY')));
  if (!fits || (utf8 && !ascii)) records.push(record('path', name));
  if (size !== fitting(size)) records.push(record('size', Buffer.from(String(size))));
  if (mtimeSeconds !== fitting(mtimeSeconds)) records.push(record('mtime', Buffer.from(String(mtimeSeconds))));
  return Buffer.concat(records);
}

/** `<length> <key>=<value>\n`, the length counting its own digits. */
function record(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function fitting(value: number): number {
  return value >= 0 && value <= LAST_OCTAL ? value : 0;
}

interface Fields {
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly mode: number;
  readonly type: string;
}

function block({ prefix, name }: SplitName, { size, mtimeSeconds, mode, type }: Fields): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  name.copy(header, 0);
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(mtimeSeconds, 11), 136);
  header.write(type, 156);
  header.write('ustar\x0000', 257);
  prefix.copy(header, 345);
  // The sum counts its own field as spaces.
  header.write('        ', 148);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${octal(sum, 6)}\0 `, 148);
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
