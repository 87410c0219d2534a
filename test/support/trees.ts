/** Files and trees to copy, and what tells two of them apart. */
import { randomFillSync } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const CHUNK = 1 << 20;

/** A file of `bytes` random bytes. */
export function makeRandomFile(path: string, bytes: number): void {
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK, bytes));
  const fd = openSync(path, 'w');
  try {
    for (let left = bytes; left > 0; left -= chunk.length) {
      randomFillSync(chunk);
      writeSync(fd, chunk, 0, Math.min(chunk.length, left));
    }
  } finally {
    closeSync(fd);
  }
}

/** A file that is `bytes` long and takes no room. */
export function makeSparseFile(path: string, bytes: number): void {
  const fd = openSync(path, 'w');
  ftruncateSync(fd, bytes);
  closeSync(fd);
}

/** Names that have broken copying programs. Windows takes only the last ones. */
const ODD_NAMES: readonly Buffer[] = [
  'new\nline',
  'double"quote',
  '-rf',
  '--',
  '*?[a]',
  'back\\slash',
  'colon:name',
  'ends with dot.',
  'tab\there',
  ' leading space',
  "single'quote",
  'emoji 👩‍👩‍👧.txt',
  'nfd e\u0301.txt',
  '$(touch pwned) `id` ;&',
  '%2e%2e#frag',
  '~tilde',
  '.hidden',
  'x'.repeat(200),
].map((name) => Buffer.from(name));

const NOT_UTF8 = Buffer.from('latin1 \xe9\xff.txt', 'latin1');

/**
 * A directory of `files` small files, a tenth of them with odd names, spread over a few directories, one of them empty.
 * `bytes` also makes a name that is not UTF-8, where the system takes one.
 */
export function makeOddTree(root: string, files: number, options: { bytes?: boolean } = {}): void {
  mkdirSync(join(root, 'deep', 'deeper dir'), { recursive: true });
  mkdirSync(join(root, 'empty'));
  const odd: readonly Buffer[] = process.platform === 'win32' ? ODD_NAMES.slice(10) : ODD_NAMES;
  const named = options.bytes && process.platform === 'linux' ? [...odd, NOT_UTF8] : odd;
  const folders = [root, join(root, 'deep'), join(root, 'deep', 'deeper dir')];
  for (let index = 0; index < files; index++) {
    const folder = folders[index % folders.length] as string;
    const name = named[index] ?? Buffer.from(`file-${index}.bin`);
    const path = Buffer.concat([Buffer.from(`${folder}/`), name]);
    writeFileSync(path, randomFillSync(Buffer.alloc((index * 37) % 3000)));
    chmodSync(path, index % 2 === 0 ? 0o640 : 0o755);
    utimesSync(path, 1_500_000_000 + index, 1_400_000_000 + index);
  }
}

/** A directory of `files` files of `bytes` random bytes each, a hundred to a directory. */
export function makeFlatTree(root: string, files: number, bytes: number): void {
  for (let index = 0; index < files; index++) {
    const folder = join(root, `d${Math.floor(index / 100)}`);
    if (index % 100 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `f${index}`), randomFillSync(Buffer.alloc(bytes)));
  }
}

export interface Comparison {
  readonly modes?: boolean;
  /** To the second, which is what SFTP version 3 carries. */
  readonly times?: boolean;
}

/** What differs between two files or trees, a line each; empty where they are the same byte for byte. */
export function differences(left: string, right: string, compare: Comparison = {}): string[] {
  return compareAt(Buffer.from(left), Buffer.from(right), compare);
}

function compareAt(left: Buffer, right: Buffer, compare: Comparison): string[] {
  const label = left.toString('latin1');
  const [a, b] = [lstatOrUndefined(left), lstatOrUndefined(right)];
  if (!a || !b) return a === b ? [] : [`${label}: only on the ${a ? 'left' : 'right'}`];
  if ((a.mode & 0o170000) !== (b.mode & 0o170000)) return [`${label}: another kind of thing`];
  const found: string[] = [];
  if (compare.modes && ((a.mode ^ b.mode) & 0o777) !== 0) {
    found.push(`${label}: mode ${(a.mode & 0o777).toString(8)}, not ${(b.mode & 0o777).toString(8)}`);
  }
  if (compare.times && Math.floor(a.mtimeMs / 1000) !== Math.floor(b.mtimeMs / 1000)) {
    found.push(`${label}: time ${a.mtime.toISOString()}, not ${b.mtime.toISOString()}`);
  }
  if (a.isDirectory()) found.push(...compareDirectories(left, right, compare));
  else if (a.isSymbolicLink()) found.push(...(readlinkSync(left) === readlinkSync(right) ? [] : [`${label}: target`]));
  else if (a.size !== b.size) found.push(`${label}: ${a.size} bytes, not ${b.size}`);
  else if (!sameBytes(left, right)) found.push(`${label}: other bytes`);
  return found;
}

function lstatOrUndefined(path: Buffer): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function compareDirectories(left: Buffer, right: Buffer, compare: Comparison): string[] {
  const names = new Set<string>();
  for (const side of [left, right]) {
    for (const name of readdirSync(side, { encoding: 'buffer' })) names.add(name.toString('latin1'));
  }
  const below = (side: Buffer, name: string) => Buffer.concat([side, Buffer.from('/'), Buffer.from(name, 'latin1')]);
  return [...names].sort().flatMap((name) => compareAt(below(left, name), below(right, name), compare));
}

function sameBytes(left: Buffer, right: Buffer): boolean {
  if (statSync(left).size <= CHUNK) return readFileSync(left).equals(readFileSync(right));
  const [a, b] = [Buffer.alloc(CHUNK), Buffer.alloc(CHUNK)];
  const [first, second] = [openSync(left, 'r'), openSync(right, 'r')];
  try {
    for (;;) {
      const length = readSync(first, a, 0, CHUNK, null);
      if (readSync(second, b, 0, CHUNK, null) !== length) return false;
      if (length === 0) return true;
      if (!a.subarray(0, length).equals(b.subarray(0, length))) return false;
    }
  } finally {
    closeSync(first);
    closeSync(second);
  }
}

/** Bytes that the files of a directory take on the disk, whatever they are called: how far a copy has come. */
export function bytesOnDisk(directory: string): number {
  let bytes = 0;
  for (const name of readdirSync(directory)) {
    bytes += (statSync(join(directory, name), { throwIfNoEntry: false })?.blocks ?? 0) * 512;
  }
  return bytes;
}
