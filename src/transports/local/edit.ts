/** A file open to be changed anywhere in it, under its own name or under one that it loses when it is closed. */
import {
  accessSync,
  type BigIntStats,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  futimesSync,
  lstatSync,
  openSync,
  read,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { draftName } from '../../draft-name.js';
import { systemCode, toXferError, XferError } from '../../errors.js';
import { joinPath, lastPart, movedPath, parentPath } from '../../names.js';
import type { Change, EditableFile, EditOptions, Entry } from '../../transport.js';
import { entryFrom } from './attributes.js';
import { type HeldDirectory, holdPlace, holdTarget, missingTarget } from './confined.js';
import { SYNC_FROM_BYTES, sync, syncDirectory } from './draft.js';
import { childPlace, fsPath } from './root.js';
import { systemTime } from './system-time.js';
import { writePieces } from './write-pieces.js';

const DEFAULT_FILE_MODE = 0o666;

/** A first piece up to this size is written at once: most files are no longer. */
const AT_ONCE_BYTES = 64 << 10;

const readFrom = promisify(read);

/** As `Sink.edit` says. What is looked at is held until it is open. */
export function openEdit(root: string, path: string, how: EditOptions): LocalEdit {
  let folder: HeldDirectory | undefined;
  try {
    if (path === '') throw new XferError('EXISTS', `open ${root}: is a directory`);
    folder = holdPlace(root, path);
    const there = lstatSync(fsPath(folder.place), { bigint: true, throwIfNoEntry: false });
    if (there?.isSymbolicLink() && how.create !== 'must') return throughLink(root, path, how);
    if (there) checkThere(path, there, how);
    else if (how.create === 'never') throw new XferError('NOT_FOUND', `open ${path}: no such file or directory`);
    // Another name of the file is to show the same bytes, so it is not replaced.
    const replaced = !there || (how.truncate && there.nlink === 1n);
    if (!how.whole || !replaced) return inPlace({ root, path, place: folder.place, how });
    const edit = beside(root, path, folder, there, how);
    // It stays held for its name.
    if (edit.temporary !== undefined) folder = undefined;
    return edit;
  } catch (error) {
    throw toXferError(error, `open ${path || root}`);
  } finally {
    folder?.close();
  }
}

function checkThere(path: string, there: BigIntStats, how: EditOptions): void {
  if (how.create === 'must') throw new XferError('EXISTS', `open ${path}: already exists`);
  if (there.isDirectory()) throw new XferError('EXISTS', `open ${path}: is a directory`);
  if (!there.isFile()) throw new XferError('UNSUPPORTED', `open ${path}: not a regular file`);
}

/** What a link leads to is made where nothing is there, as open(2) does, if it is inside of the root. */
function throughLink(root: string, path: string, how: EditOptions): LocalEdit {
  const missing = how.create === 'may' ? missingTarget(root, path) : undefined;
  if (missing !== undefined) return openEdit(root, missing, how);
  const { place, openFlags, close } = holdTarget(root, path);
  try {
    return inPlace({ root, path, place, how: { ...how, create: 'never' }, openFlags });
  } finally {
    close();
  }
}

interface InPlace {
  readonly root: string;
  readonly path: string;
  readonly place: string;
  readonly how: EditOptions;
  readonly openFlags?: number;
}

function inPlace({ root, path, place, how, openFlags = constants.O_NOFOLLOW ?? 0 }: InPlace): LocalEdit {
  const create = how.create === 'never' ? 0 : constants.O_CREAT | (how.create === 'must' ? constants.O_EXCL : 0);
  const flags =
    (how.read ? constants.O_RDWR : constants.O_WRONLY) |
    create |
    (how.append ? constants.O_APPEND : 0) |
    openFlags |
    (constants.O_NONBLOCK ?? 0);
  const descriptor = openSync(fsPath(place), flags, (how.mode ?? DEFAULT_FILE_MODE) & 0o777);
  try {
    if (!fstatSync(descriptor).isFile()) throw new XferError('UNSUPPORTED', `open ${path}: not a regular file`);
    if (how.truncate) ftruncateSync(descriptor, 0);
    return new LocalEdit({ root, path, descriptor, append: how.append });
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function beside(
  root: string,
  path: string,
  folder: HeldDirectory,
  there: BigIntStats | undefined,
  how: EditOptions,
): LocalEdit {
  const { place } = folder;
  // A file that may not be written is not replaced either.
  if (there) accessSync(fsPath(place), constants.W_OK);
  const name = draftName(lastPart(path), { path, kind: 'file' });
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | (how.append ? constants.O_APPEND : 0);
  const mode = there ? Number(there.mode) & 0o777 : (how.mode ?? DEFAULT_FILE_MODE) & 0o777;
  try {
    const descriptor = openSync(fsPath(join(dirname(place), name)), flags, mode);
    if (there) fchmodSync(descriptor, mode);
    return new LocalEdit({
      root,
      path,
      descriptor,
      append: how.append,
      temporary: joinPath(parentPath(path), name),
      folder,
    });
  } catch (error) {
    // Its directory takes no new file.
    if (there && ['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '')) {
      return inPlace({ root, path, place, how });
    }
    throw error;
  }
}

interface LocalEditOptions {
  readonly root: string;
  readonly path: string;
  readonly descriptor: number;
  readonly append: boolean;
  readonly temporary?: string;
  /** What it lies in, held, where it has a temporary name; freed at the end. */
  readonly folder?: HeldDirectory;
}

export class LocalEdit implements EditableFile {
  readonly #options: LocalEditOptions;
  /** What the descriptor must stay open for: its number may be another file's as soon as it is closed. */
  readonly #busy = new Set<Promise<unknown>>();
  #path: string;
  #folder: HeldDirectory | undefined;
  #temporary: string | undefined;
  #fresh = true;
  #ended = false;
  #left = false;

  constructor(options: LocalEditOptions) {
    this.#options = options;
    this.#path = options.path;
    this.#folder = options.folder;
    this.#temporary = options.temporary;
  }

  get temporary(): string | undefined {
    return this.#temporary;
  }

  look(): Entry {
    return this.#now('look at', (descriptor) => entryFrom(this.#path, 'file', fstatSync(descriptor, { bigint: true })));
  }

  readAt(target: Uint8Array, start: number): Promise<number> {
    return this.#later('read', async (descriptor) => {
      return (await readFrom(descriptor, target, 0, target.length, start)).bytesRead;
    });
  }

  writeAt(pieces: readonly Uint8Array[], start: number): Promise<void> {
    const at = this.#options.append ? undefined : start;
    const [first] = pieces;
    const atOnce = this.#fresh && pieces.length === 1 && first !== undefined && first.length <= AT_ONCE_BYTES;
    this.#fresh = false;
    return this.#later('write', async (descriptor) => {
      const done = atOnce ? writeSync(descriptor, first, 0, first.length, at ?? null) : 0;
      const rest = atOnce ? [first.subarray(done)].filter((piece) => piece.length > 0) : pieces;
      await writePieces(descriptor, rest, at === undefined ? undefined : at + done);
    });
  }

  change({ size, mode, mtimeMs, atimeMs }: Change): void {
    this.#now('change', (descriptor) => {
      if (size !== undefined) ftruncateSync(descriptor, size);
      if (mode !== undefined) fchmodSync(descriptor, mode);
      if (mtimeMs !== undefined) futimesSync(descriptor, systemTime(atimeMs ?? mtimeMs), systemTime(mtimeMs));
    });
  }

  sync(): Promise<void> {
    return this.#later('sync', (descriptor) => sync(descriptor));
  }

  rename(path: string): void {
    this.#path = path;
  }

  moved(from: string, to: string): void {
    this.#path = movedPath(this.#path, from, to);
    if (!this.#temporary?.startsWith(`${from}/`)) return;
    this.#temporary = movedPath(this.#temporary, from, to);
    try {
      // Where the system holds no directory, it is known by its path alone.
      const folder = holdPlace(this.#options.root, this.#temporary);
      this.#folder?.close();
      this.#folder = folder;
    } catch {
      // What is held already may still lead there; else giving the name says why not.
    }
  }

  drop(): void {
    const temporary = this.#temporary;
    // Windows keeps the name of what is open.
    if (temporary === undefined || process.platform === 'win32') return;
    try {
      unlinkSync(fsPath(this.#beside(temporary)));
      this.#temporary = undefined;
    } catch {
      // `abandon` tries again, and says why.
    }
  }

  async giveName(): Promise<void> {
    // Windows renames no file that is open.
    if (process.platform === 'win32') return;
    try {
      await this.#settle(async () => undefined);
    } catch (error) {
      throw toXferError(error, `write ${this.#path}`);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#settle(() => this.#free());
      this.#leave();
    } catch (error) {
      await this.abandon();
      throw toXferError(error, `write ${this.#path}`);
    }
  }

  /** `ready` comes before the name, which another one may have given meanwhile. */
  async #settle(ready: () => Promise<void>): Promise<void> {
    const { size = 0 } = this.look();
    const durable = this.#temporary !== undefined && size >= SYNC_FROM_BYTES;
    if (durable) await this.sync();
    await ready();
    const { root } = this.#options;
    const temporary = this.#temporary;
    if (temporary === undefined) return;
    const source = this.#beside(temporary);
    const elsewhere = parentPath(temporary) === parentPath(this.#path) ? undefined : holdPlace(root, this.#path);
    try {
      const target = elsewhere?.place ?? this.#beside(this.#path);
      renameSync(fsPath(source), fsPath(target));
      this.#temporary = undefined;
      if (durable) await syncDirectory(dirname(target));
    } finally {
      elsewhere?.close();
    }
  }

  /** Where a name is in the directory in which the file gathers, wherever that is by now. */
  #beside(path: string): string {
    return childPlace(dirname(this.#folder?.place ?? ''), lastPart(path));
  }

  async abandon(): Promise<void> {
    await this.#free();
    try {
      if (this.#temporary !== undefined) unlinkSync(fsPath(this.#beside(this.#temporary)));
    } catch (error) {
      const known = toXferError(error, `remove ${lastPart(this.#temporary ?? '')}`);
      if (known.code !== 'NOT_FOUND') throw known;
    } finally {
      this.#leave();
    }
  }

  #leave(): void {
    if (!this.#left) this.#folder?.close();
    this.#left = true;
  }

  async #free(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await Promise.allSettled(this.#busy);
    closeSync(this.#options.descriptor);
  }

  #now<T>(what: string, act: (descriptor: number) => T): T {
    if (this.#ended) throw new XferError('INTERNAL', `${what} ${this.#path}: the file was closed`);
    try {
      return act(this.#options.descriptor);
    } catch (error) {
      throw toXferError(error, `${what} ${this.#path}`);
    }
  }

  async #later<T>(what: string, act: (descriptor: number) => Promise<T>): Promise<T> {
    const acting = this.#now(what, act);
    this.#busy.add(acting);
    try {
      return await acting;
    } catch (error) {
      throw toXferError(error, `${what} ${this.#path}`);
    } finally {
      this.#busy.delete(acting);
    }
  }
}
