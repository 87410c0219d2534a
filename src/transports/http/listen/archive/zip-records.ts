/** The records of a ZIP file (APPNOTE.TXT 6.3.10, section 4.3), for files that are stored and not compressed. */
import { isUtf8 } from 'node:buffer';

export interface ZipEntry {
  /** That of a folder ends with `/`. */
  readonly name: Buffer;
  readonly folder: boolean;
  readonly size: number;
  readonly mtimeMs: number;
  /** Permission bits. */
  readonly mode: number;
}

const VERSION = 20;
const VERSION_ZIP64 = 45;
/** 4.4.2: the attributes are those of Unix. */
const MADE_BY_UNIX = 3 << 8;
/** 4.4.4: size and CRC stand behind the data; the name is UTF-8. */
const FLAG_DESCRIPTOR = 1 << 3;
const FLAG_UTF8 = 1 << 11;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const DOS_DIRECTORY = 0x10;
/** In a field of four bytes: the value stands in the ZIP64 field (4.5.3). In one of two: in the ZIP64 end record. */
const IN_ZIP64 = 0xffffffff;
const IN_ZIP64_END = 0xffff;
const DAY_MS = 86_400_000;
/** What the 32 bits of the extended timestamp can say. */
const LAST_STAMP_SECONDS = 0x7fffffff;
const STAMP_BYTES = 9;

const isBig = (value: number): boolean => value >= IN_ZIP64;

/** Length of the record before a file's data, in bytes. */
export function localHeaderLength(nameLength: number, size: number, mtimeMs: number): number {
  return 30 + nameLength + (isBig(size) ? 20 : 0) + stampLength(mtimeMs);
}

/** Length of the record behind a file's data: none where there is none. */
export function descriptorLength(size: number): number {
  return size === 0 ? 0 : isBig(size) ? 24 : 16;
}

export function centralHeaderLength(nameLength: number, size: number, mtimeMs: number, offset: number): number {
  const values = (isBig(size) ? 2 : 0) + (isBig(offset) ? 1 : 0);
  return 46 + nameLength + (values === 0 ? 0 : 4 + values * 8) + stampLength(mtimeMs);
}

/** 4.3.7. With a descriptor its CRC and sizes are zero; the ZIP64 field then says that those of the descriptor are long. */
export function localHeader(entry: ZipEntry): Buffer {
  const { name, size, mtimeMs } = entry;
  const big = isBig(size);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(big ? VERSION_ZIP64 : VERSION, 4);
  header.writeUInt16LE(flagsOf(entry), 6);
  header.writeUInt32LE(dosTime(mtimeMs), 10);
  header.writeUInt32LE(big ? IN_ZIP64 : 0, 18);
  header.writeUInt32LE(big ? IN_ZIP64 : 0, 22);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE((big ? 20 : 0) + stampLength(mtimeMs), 28);
  return Buffer.concat([header, name, big ? zip64Field([0, 0]) : Buffer.alloc(0), stampField(mtimeMs)]);
}

/** 4.3.9, with its signature, behind a file that is not empty. */
export function descriptor(size: number, crc: number): Buffer {
  const big = isBig(size);
  const record = Buffer.alloc(descriptorLength(size));
  record.writeUInt32LE(0x08074b50, 0);
  record.writeUInt32LE(crc, 4);
  for (const at of big ? [8, 16] : [8, 12]) {
    if (big) record.writeBigUInt64LE(BigInt(size), at);
    else record.writeUInt32LE(size, at);
  }
  return record;
}

/** 4.3.12, of an entry whose local header starts at `offset`. */
export function centralHeader(entry: ZipEntry, offset: number, crc: number): Buffer {
  const { name, size, mtimeMs, mode, folder } = entry;
  const zip64 = centralZip64(size, offset);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(MADE_BY_UNIX | VERSION_ZIP64, 4);
  header.writeUInt16LE(zip64.length > 0 ? VERSION_ZIP64 : VERSION, 6);
  header.writeUInt16LE(flagsOf(entry), 8);
  header.writeUInt32LE(dosTime(mtimeMs), 12);
  header.writeUInt32LE(crc, 16);
  header.writeUInt32LE(Math.min(size, IN_ZIP64), 20);
  header.writeUInt32LE(Math.min(size, IN_ZIP64), 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(zip64.length + stampLength(mtimeMs), 30);
  header.writeUInt16LE((folder ? S_IFDIR : S_IFREG) | mode, 40);
  header.writeUInt16LE(folder ? DOS_DIRECTORY : 0, 38);
  header.writeUInt32LE(Math.min(offset, IN_ZIP64), 42);
  return Buffer.concat([header, name, zip64, stampField(mtimeMs)]);
}

/** What the central directory is: how many headers, in how many bytes, from where on. */
export interface CentralDirectory {
  readonly count: number;
  readonly length: number;
  readonly start: number;
}

/** 4.3.14 to 4.3.16: the end record, after the ZIP64 one and its locator where a number is too great for it. */
export function endRecords({ count, length, start }: CentralDirectory): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(count, IN_ZIP64_END), 8);
  end.writeUInt16LE(Math.min(count, IN_ZIP64_END), 10);
  end.writeUInt32LE(Math.min(length, IN_ZIP64), 12);
  end.writeUInt32LE(Math.min(start, IN_ZIP64), 16);
  if (count < IN_ZIP64_END && !isBig(length) && !isBig(start)) return end;
  const zip64 = Buffer.alloc(56);
  zip64.writeUInt32LE(0x06064b50, 0);
  zip64.writeBigUInt64LE(BigInt(zip64.length - 12), 4);
  zip64.writeUInt16LE(MADE_BY_UNIX | VERSION_ZIP64, 12);
  zip64.writeUInt16LE(VERSION_ZIP64, 14);
  for (const [at, value] of [count, count, length, start].entries()) zip64.writeBigUInt64LE(BigInt(value), 24 + at * 8);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(start + length), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([zip64, locator, end]);
}

function flagsOf({ name, size }: ZipEntry): number {
  const utf8 = name.some((byte) => byte >= 0x80) && isUtf8(name);
  return (size === 0 ? 0 : FLAG_DESCRIPTOR) | (utf8 ? FLAG_UTF8 : 0);
}

function centralZip64(size: number, offset: number): Buffer {
  return zip64Field([...(isBig(size) ? [size, size] : []), ...(isBig(offset) ? [offset] : [])]);
}

/** 4.5.3; empty without values. */
function zip64Field(values: readonly number[]): Buffer {
  if (values.length === 0) return Buffer.alloc(0);
  const field = Buffer.alloc(4 + values.length * 8);
  field.writeUInt16LE(0x0001, 0);
  field.writeUInt16LE(values.length * 8, 2);
  for (const [index, value] of values.entries()) field.writeBigUInt64LE(BigInt(value), 4 + index * 8);
  return field;
}

function stampLength(mtimeMs: number): number {
  return Math.abs(Math.floor(mtimeMs / 1000)) <= LAST_STAMP_SECONDS ? STAMP_BYTES : 0;
}

/** Info-ZIP's extended timestamp (extrafld.txt, 0x5455): the time of change in UTC; empty where 32 bits cannot say it. */
function stampField(mtimeMs: number): Buffer {
  const field = Buffer.alloc(stampLength(mtimeMs));
  if (field.length === 0) return field;
  field.writeUInt16LE(0x5455, 0);
  field.writeUInt16LE(5, 2);
  field.writeUInt8(1, 4);
  field.writeInt32LE(Math.floor(mtimeMs / 1000), 5);
  return field;
}

/** MS-DOS time, then date, as one number, in UTC, so that it is the same wherever it is made; from 1980 to 2107. */
function dosTime(mtimeMs: number): number {
  const [first, last] = [Date.UTC(1980, 0, 1), Date.UTC(2108, 0, 1) - DAY_MS];
  const time = new Date(mtimeMs >= first ? Math.min(mtimeMs, last) : first);
  const date = ((time.getUTCFullYear() - 1980) << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate();
  const clock = (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1);
  return date * 0x10000 + clock;
}
