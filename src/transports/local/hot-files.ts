/**
 * Small files that were asked for lately, in memory: opening, reading and closing one costs ten times what it takes to
 * see, by one look at its name, that it is still the same.
 */
import { type BigIntStats, lstatSync } from 'node:fs';
import { Readable } from 'node:stream';
import { XferError } from '../../errors.js';
import { Recent } from '../../recent.js';
import type { ByteRange, Entry, OpenFile } from '../../transport.js';
import { entryFrom, identityOf } from './attributes.js';
import { type FsPath, fsPath, joinRoot } from './root.js';

const MOST_FILE_BYTES = 64 << 10;
const MOST_FILES = 4096;
const MOST_BYTES = 16 << 20;

/** A change within the resolution of a file's times would not be seen: no file that changed so lately is kept. */
const SETTLED_AFTER_MS = 2000;

export class HotFiles {
  readonly #root: string;
  readonly #files = new Recent<string, HotFile>({
    most: MOST_FILES,
    mostWeight: MOST_BYTES,
    weightOf: ({ bytes }) => bytes.length,
  });

  constructor(root: string) {
    this.#root = root;
  }

  /** Whether a file is worth keeping, by what it is when it is opened. */
  static takes({ size, ctimeNs }: BigIntStats, nowMs: number = Date.now()): boolean {
    return size <= MOST_FILE_BYTES && nowMs - Number(ctimeNs / 1_000_000n) >= SETTLED_AFTER_MS;
  }

  /**
   * The file at `path`, where it is kept, its name is still that of the same inode with the same times, and no directory
   * on the way to it from the root was replaced. Undefined where it must be opened.
   */
  find(path: string): OpenFile | undefined {
    const file = this.#files.get(path);
    if (!file || file.isStill()) return file;
    this.#files.delete(path);
    return undefined;
  }

  /** A file to which a link leads is not kept: each part of its path would have to be looked at, and what that leads to. */
  keep(path: string, stats: BigIntStats, bytes: Buffer): void {
    this.#files.delete(path);
    const file = new HotFile(this.#wayTo(path), entryFrom(path, 'file', stats), stats, bytes);
    if (file.isStill()) this.#files.set(path, file);
  }

  /** The file itself, and the directories from below the root down to it, as they are now. */
  #wayTo(path: string): Way {
    const above: Step[] = [];
    for (let end = path.indexOf('/'); end > 0; end = path.indexOf('/', end + 1)) {
      const place = fsPath(joinRoot(this.#root, path.slice(0, end)));
      const stats = lookAt(place);
      above.push({ place, identity: stats?.isDirectory() ? identityOf(stats) : undefined });
    }
    return { place: fsPath(joinRoot(this.#root, path)), above };
  }
}

function lookAt(place: FsPath): BigIntStats | undefined {
  try {
    return lstatSync(place, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

interface Step {
  readonly place: FsPath;
  /** Undefined for what is no directory. */
  readonly identity: string | undefined;
}

interface Way {
  readonly place: FsPath;
  readonly above: readonly Step[];
}

let turn = 0;
let turnCounted = false;

/** The same number until the event loop turns: what comes in one turn had all come before its first look at a file. */
function thisTurn(): number {
  if (!turnCounted) {
    turnCounted = true;
    setImmediate(() => {
      turnCounted = false;
      turn += 1;
    });
  }
  return turn;
}

class HotFile implements OpenFile {
  readonly entry: Entry;
  readonly bytes: Buffer;
  readonly #stats: BigIntStats;
  readonly #way: Way;
  #seenIn: number | undefined;

  constructor(way: Way, entry: Entry, stats: BigIntStats, bytes: Buffer) {
    this.#way = way;
    this.entry = entry;
    this.bytes = bytes;
    this.#stats = stats;
  }

  /** Looked at once in a turn of the event loop, for all that ask in it. */
  isStill(): boolean {
    const now = thisTurn();
    if (this.#seenIn === now) return true;
    if (!this.#look()) return false;
    this.#seenIn = now;
    return true;
  }

  #look(): boolean {
    const { place, above } = this.#way;
    for (const { place: directory, identity } of above) {
      const found = lookAt(directory);
      if (!found || identityOf(found) !== identity) return false;
    }
    const now = lookAt(place);
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
