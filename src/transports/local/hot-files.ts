/**
 * Small files that were asked for lately, in memory: opening, reading and closing one costs ten times what it takes to
 * see, by one look at its name, that it is still the same.
 */
import { type BigIntStats, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { XferError } from '../../errors.js';
import type { ByteRange, Entry, OpenFile } from '../../transport.js';
import { entryFrom } from './attributes.js';
import { type FsPath, fsPath, joinRoot } from './root.js';

const MOST_FILE_BYTES = 64 << 10;
const MOST_FILES = 4096;
const MOST_BYTES = 16 << 20;

/** A change within the resolution of a file's times would not be seen: no file that changed so lately is kept. */
const SETTLED_AFTER_MS = 2000;

export class HotFiles {
  readonly #root: string;
  /** In the order in which they were asked for last. */
  readonly #files = new Map<string, HotFile>();
  #bytes = 0;

  constructor(root: string) {
    this.#root = root;
  }

  /** Whether a file is worth keeping, by what it is when it is opened. */
  static takes({ size, ctimeNs }: BigIntStats, nowMs: number = Date.now()): boolean {
    return size <= MOST_FILE_BYTES && nowMs - Number(ctimeNs / 1_000_000n) >= SETTLED_AFTER_MS;
  }

  /**
   * The file at `path`, where it is kept and its name still leads to the same inode with the same times: what was inside
   * the root when it was kept. Undefined where it must be opened.
   */
  find(path: string): OpenFile | undefined {
    const file = this.#files.get(path);
    if (!file) return undefined;
    this.#drop(path, file);
    if (!file.isStill(lookAt(file.place))) return undefined;
    this.#add(path, file);
    return file;
  }

  keep(path: string, stats: BigIntStats, bytes: Buffer): void {
    const before = this.#files.get(path);
    if (before) this.#drop(path, before);
    this.#add(path, new HotFile(fsPath(joinRoot(this.#root, path)), entryFrom(path, 'file', stats), stats, bytes));
    for (const [oldest, file] of this.#files) {
      if (this.#bytes <= MOST_BYTES && this.#files.size <= MOST_FILES) break;
      this.#drop(oldest, file);
    }
  }

  #add(path: string, file: HotFile): void {
    this.#files.set(path, file);
    this.#bytes += file.bytes.length;
  }

  #drop(path: string, file: HotFile): void {
    this.#files.delete(path);
    this.#bytes -= file.bytes.length;
  }
}

function lookAt(place: FsPath): BigIntStats | undefined {
  try {
    return statSync(place, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

class HotFile implements OpenFile {
  readonly place: FsPath;
  readonly entry: Entry;
  readonly bytes: Buffer;
  readonly #stats: BigIntStats;

  constructor(place: FsPath, entry: Entry, stats: BigIntStats, bytes: Buffer) {
    this.place = place;
    this.entry = entry;
    this.bytes = bytes;
    this.#stats = stats;
  }

  isStill(now: BigIntStats | undefined): boolean {
    const then = this.#stats;
    return (
      now !== undefined &&
      now.ino === then.ino &&
      now.mtimeNs === then.mtimeNs &&
      now.ctimeNs === then.ctimeNs &&
      now.size === then.size &&
      now.dev === then.dev
    );
  }

  read({ start, end }: ByteRange): Readable {
    if ((end ?? 0) > this.bytes.length) throw new XferError('TRUNCATED', `read ${this.entry.path}: it is shorter`);
    return Readable.from([this.bytes.subarray(start, end)], { objectMode: false });
  }

  async readAt(target: Uint8Array, start: number): Promise<number> {
    return this.bytes.subarray(start).copy(target);
  }

  readWhole(): Buffer {
    return this.bytes;
  }

  async close(): Promise<void> {}
}
