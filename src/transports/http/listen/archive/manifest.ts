/** What goes into an archive: a row for each thing, so short that a million of them fit in memory. */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { bytesFromName, nameFromBytes } from '../../../../names.js';
import type { Entry } from '../../../../transport.js';
import { archivedName } from './entry-name.js';

/** Where each field of a row starts. */
const AT = {
  size: 0,
  mtimeMs: 8,
  mark: 16,
  parent: 24,
  nameStart: 28,
  archivedLength: 32,
  firstChild: 36,
  children: 40,
  order: 44,
  nameLength: 48,
  mode: 50,
} as const;
const ROW_BYTES = 56;

/** Set in a row's mode: the thing is a folder. */
const FOLDER = 0x8000;
const PERMISSIONS = 0o777;
/** Modes of what comes from a source that knows none. */
const USUAL_MODES = { folder: 0o755, file: 0o644 };

/** Rows after which others get their turn. */
const ROWS_IN_TURN = 5000;

/** The folder that is the archive. */
export const TOP = 0;

/** 48 bits that stand for a text: enough to see that it is another one. */
export function markOf(text: string | undefined): number {
  return text === undefined ? -1 : createHash('sha1').update(text).digest().readUIntBE(0, 6);
}

export class Manifest {
  /** Path of the folder below the root of the share. */
  readonly base: string;
  readonly #top: Buffer;
  #rows = Buffer.alloc(64 * ROW_BYTES);
  #names = Buffer.alloc(4096);
  #namesEnd = 0;
  #count = 0;
  #newestMs = Number.NEGATIVE_INFINITY;
  #versioned = true;
  #note: { readonly row: number; readonly bytes: Buffer } | undefined;

  constructor(base: string, top: string, folder: Entry) {
    this.base = base;
    this.#top = Buffer.from(top);
    this.add(TOP, '', folder);
  }

  /** What the folder is called in the archive. */
  get top(): string {
    return this.#top.toString();
  }

  get count(): number {
    return this.#count;
  }

  /** Every file has a version, so that equal manifests mean equal bytes. */
  get versioned(): boolean {
    return this.#versioned;
  }

  /** The latest time of change of all that is in it. */
  get newestMs(): number {
    return this.#newestMs;
  }

  /** Adds a row for what is called `name` in the folder of row `parent`. Its length must be known where it is a file. */
  add(parent: number, name: string, entry: Entry): number {
    const bytes = bytesFromName(name);
    const row = this.#count;
    this.#reserve(bytes.length);
    this.#count += 1;
    const folder = entry.kind === 'directory';
    const own = row === TOP ? this.#top.length : this.archivedLength(parent) + bytesFromName(archivedName(name)).length;
    const mode = (entry.mode ?? USUAL_MODES[folder ? 'folder' : 'file']) & PERMISSIONS;
    const at = row * ROW_BYTES;
    this.#rows.writeDoubleLE(folder ? 0 : (entry.size as number), at + AT.size);
    this.#rows.writeDoubleLE(entry.mtimeMs ?? Number.NaN, at + AT.mtimeMs);
    this.#rows.writeDoubleLE(markOf(folder ? entry.identity : entry.version), at + AT.mark);
    this.#rows.writeUInt32LE(parent, at + AT.parent);
    this.#rows.writeUInt32LE(this.#namesEnd, at + AT.nameStart);
    this.#rows.writeUInt32LE(own + (folder ? 1 : 0), at + AT.archivedLength);
    this.#rows.writeUInt32LE(0, at + AT.children);
    this.#rows.writeUInt16LE(bytes.length, at + AT.nameLength);
    this.#rows.writeUInt16LE(mode | (folder ? FOLDER : 0), at + AT.mode);
    this.#namesEnd += bytes.copy(this.#names, this.#namesEnd);
    this.#newestMs = Math.max(this.#newestMs, entry.mtimeMs ?? this.#newestMs);
    if (!folder && entry.version === undefined) this.#versioned = false;
    return row;
  }

  /** All that was added since row `first` is what the folder holds: from now on in the order of its names, as bytes. */
  closeFolder(folder: number, first: number): void {
    const children = Uint32Array.from({ length: this.#count - first }, (_, index) => first + index);
    // Text of one character for each byte has the order of the bytes, and is compared in a third of the time.
    const keys = Array.from(children, (child) => this.#nameBytes(child).toString('latin1'));
    children.sort((a, b) => ((keys[a - first] as string) < (keys[b - first] as string) ? -1 : 1));
    this.#rows.writeUInt32LE(first, folder * ROW_BYTES + AT.firstChild);
    this.#rows.writeUInt32LE(children.length, folder * ROW_BYTES + AT.children);
    for (const [index, child] of children.entries()) {
      this.#rows.writeUInt32LE(child, (first + index) * ROW_BYTES + AT.order);
    }
  }

  /** Adds a file of our own, after all others, with the time of the top folder. */
  addNote(name: string, text: string): void {
    const bytes = Buffer.from(text);
    const row = this.add(TOP, name, {
      path: name,
      kind: 'file',
      size: bytes.length,
      mtimeMs: this.mtimeMs(TOP),
      version: text,
    });
    this.#note = { row, bytes };
  }

  /** The bytes of a row that is no file of the share. */
  noteBytes(row: number): Buffer | undefined {
    return row === this.#note?.row ? this.#note.bytes : undefined;
  }

  /** All rows, a folder before what is in it, and the note last. */
  *rows(): Generator<number, undefined> {
    yield TOP;
    yield* this.#below();
    if (this.#note) yield this.#note.row;
  }

  *#below(): Generator<number, undefined> {
    const open = [this.children(TOP)];
    for (let folder = open.at(-1); folder; folder = open.at(-1)) {
      const { value: row } = folder.next();
      if (row === undefined) open.pop();
      else {
        yield row;
        if (this.isFolder(row)) open.push(this.children(row));
      }
    }
  }

  /** What a closed folder holds, in order. */
  *children(folder: number): Generator<number, undefined> {
    const first = this.#rows.readUInt32LE(folder * ROW_BYTES + AT.firstChild);
    const end = first + this.#rows.readUInt32LE(folder * ROW_BYTES + AT.children);
    for (let at = first; at < end; at += 1) yield this.#rows.readUInt32LE(at * ROW_BYTES + AT.order);
  }

  isFolder(row: number): boolean {
    return (this.#rows.readUInt16LE(row * ROW_BYTES + AT.mode) & FOLDER) !== 0;
  }

  /** Permission bits without set-user-ID and the like, which nobody should get by unpacking. */
  mode(row: number): number {
    return this.#rows.readUInt16LE(row * ROW_BYTES + AT.mode) & PERMISSIONS;
  }

  /** In bytes; 0 of a folder. */
  size(row: number): number {
    return this.#rows.readDoubleLE(row * ROW_BYTES + AT.size);
  }

  /** What has no time of its own has the latest of all. */
  mtimeMs(row: number): number {
    const own = this.#rows.readDoubleLE(row * ROW_BYTES + AT.mtimeMs);
    return Number.isNaN(own) ? Math.max(this.#newestMs, 0) : own;
  }

  /** `markOf` a file's version, or of a folder's identity. */
  mark(row: number): number {
    return this.#rows.readDoubleLE(row * ROW_BYTES + AT.mark);
  }

  parent(row: number): number {
    return this.#rows.readUInt32LE(row * ROW_BYTES + AT.parent);
  }

  name(row: number): string {
    return nameFromBytes(this.#nameBytes(row));
  }

  /** Path below the root of the share. */
  path(row: number): string {
    const parts = this.#parts(row).map((part) => this.name(part));
    return (this.base === '' ? parts : [this.base, ...parts]).join('/');
  }

  /** The whole name in the archive, that of a folder with `/` at its end. */
  archivedPath(row: number): Buffer {
    const path = Buffer.alloc(this.archivedLength(row), '/');
    let at = this.#top.copy(path) + 1;
    for (const part of this.#parts(row)) at += bytesFromName(archivedName(this.name(part))).copy(path, at) + 1;
    return path;
  }

  /** Length of `archivedPath` in bytes. */
  archivedLength(row: number): number {
    return this.#rows.readUInt32LE(row * ROW_BYTES + AT.archivedLength);
  }

  /** A text that is the same for the same names, sizes, times, modes and versions in the same order. */
  async digest(): Promise<string> {
    const hash = createHash('sha256');
    let done = 0;
    for (const row of this.rows()) {
      done += 1;
      if (done % ROWS_IN_TURN === 0) await nextTurn();
      const numbers = [this.size(row), this.mtimeMs(row), this.mode(row), this.isFolder(row) ? 0 : this.mark(row)];
      hash.update(`\n${numbers.join(' ')} ${this.archivedLength(row)} `).update(this.archivedPath(row));
    }
    return hash.digest('hex');
  }

  /** The rows from below the top down to `row`. */
  #parts(row: number): number[] {
    const parts: number[] = [];
    for (let part = row; part !== TOP; part = this.parent(part)) parts.push(part);
    return parts.reverse();
  }

  #nameBytes(row: number): Buffer {
    const start = this.#rows.readUInt32LE(row * ROW_BYTES + AT.nameStart);
    return this.#names.subarray(start, start + this.#rows.readUInt16LE(row * ROW_BYTES + AT.nameLength));
  }

  #reserve(nameBytes: number): void {
    if ((this.#count + 1) * ROW_BYTES > this.#rows.length) this.#rows = doubled(this.#rows, 0);
    if (this.#namesEnd + nameBytes > this.#names.length) this.#names = doubled(this.#names, nameBytes);
  }
}

function doubled(buffer: Buffer, atLeast: number): Buffer<ArrayBuffer> {
  const larger = Buffer.alloc(buffer.length * 2 + atLeast);
  buffer.copy(larger);
  return larger;
}
