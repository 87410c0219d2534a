/** Files and trees of this machine as a source; one that is shared gives nothing from outside its root. */
import { type BigIntStats, constants, lstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { type FileHandle, open, stat, statfs } from 'node:fs/promises';
import { basename, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { throwIfAborted, toXferError, XferError } from '../../errors.js';
import { nameFromBytes } from '../../names.js';
import type { Place } from '../../place.js';
import { streamDigest } from '../../streams/digest.js';
import type {
  ByteRange,
  DigestAlgorithm,
  Entry,
  OpenFile,
  OpenOptions,
  Scope,
  Source,
  Space,
  WalkScope,
} from '../../transport.js';
import { entryFrom, identityOf, kindOf } from './attributes.js';
import { checkLoop, type Looked, lookAtChildren } from './children.js';
import {
  checkAlone,
  checkOpened,
  type HeldDirectory,
  holdDirectory,
  holdPlace,
  statAlone,
  statBelow,
} from './confined.js';
import { FileReader } from './file-reader.js';
import { HotFiles } from './hot-files.js';
import { OpenedFile } from './opened-file.js';
import { placeBelow } from './place.js';
import { readPipe } from './read-pipe.js';
import { fsPath, joinRoot, placeOf, realPath } from './root.js';
import { checkVersion, readSmall } from './small-file.js';

export class LocalSource implements Source {
  readonly label: string;
  readonly identity: string;
  readonly name: string;
  readonly capabilities = { ranges: true, replay: true, parallel: true, metadata: true };
  readonly #root: string;
  readonly #links: 'follow' | 'keep' | 'skip';
  readonly #hot: HotFiles;
  /** The real path of a root that is a file. */
  readonly #alone: string | undefined;

  /**
   * `root` may be relative; `place` is where it is, and `real` its path without links. `alone`: that path again, of a file.
   * No link that is put there later is followed.
   */
  constructor(
    root: string,
    options: OpenOptions = {},
    place: string = resolve(root),
    real: string = place,
    alone?: string,
  ) {
    this.label = root;
    this.#root = place;
    this.identity = `file:${real.split(sep).join('/')}`;
    this.name = ['.', '..'].includes(basename(root)) ? '' : basename(this.#root);
    this.#links = options.links ?? 'follow';
    this.#hot = new HotFiles(alone ?? this.#root);
    this.#alone = alone;
  }

  async *entries(scope: WalkScope): AsyncGenerator<Entry> {
    throwIfAborted(scope.signal);
    const stats = this.#lookAtRoot();
    const kind = kindOf(stats);
    if (kind === 'directory') {
      yield entryFrom('', 'directory', stats);
      yield* this.#walk(identityOf(stats), scope);
    } else if (kind === 'file') yield entryFrom('', 'file', stats);
    else yield { path: '', kind: 'file', mode: 0o600 };
  }

  /** One loop for all levels: what passes through a generator for each of them is slow in a deep tree. */
  async *#walk(root: string, scope: WalkScope): AsyncGenerator<Entry> {
    const above: string[] = [root];
    const open = [this.#children('')];
    try {
      while (open.length > 0) {
        const { value: looked, done } = (open.at(-1) as Generator<Looked, undefined>).next();
        throwIfAborted(scope.signal);
        if (done) {
          open.pop();
          above.pop();
          continue;
        }
        const entry = checkLoop(looked, above);
        if ('fault' in entry) {
          if (!scope.onSkip) throw entry.fault;
          scope.onSkip(entry.path, entry.fault);
          continue;
        }
        yield entry.found;
        if (entry.found.kind !== 'directory') continue;
        above.push(identityOf(entry.stats));
        open.push(this.#children(entry.found.path));
      }
    } finally {
      for (const children of open) children.return(undefined);
    }
  }

  #children(directory: string, held?: HeldDirectory): Generator<Looked, undefined> {
    const open = (): string => held?.place ?? this.#local(directory);
    return lookAtChildren({ directory, open, quick: held?.quick?.(), links: this.#links, label: this.label });
  }

  async read(entry: Entry, range: ByteRange, scope: Scope): Promise<Readable> {
    throwIfAborted(scope.signal);
    const label = entry.path || this.label;
    if (this.#isPipe(entry)) return this.#readPipe();
    const handle = await this.#openHandle(entry.path);
    try {
      const check = async (): Promise<void> => checkVersion(entry, await handle.stat({ bigint: true }), label);
      await check();
      const end = range.end ?? entry.size;
      return new FileReader({
        handle,
        label,
        start: range.start,
        seekable: entry.size !== undefined,
        check,
        release: () => handle.close(),
        ...(end === undefined ? {} : { end }),
      });
    } catch (error) {
      await handle.close();
      throw toXferError(error, `read ${label}`);
    }
  }

  async readWhole(entry: Entry, scope: Scope): Promise<Buffer> {
    throwIfAborted(scope.signal);
    return readSmall(fsPath(this.#local(entry.path)), entry, entry.path || this.label);
  }

  async stat(path: string, scope: Scope): Promise<Entry | undefined> {
    throwIfAborted(scope.signal);
    try {
      return this.#statBelow(path);
    } catch (error) {
      const known = toXferError(error, `look at ${path || this.label}`);
      if (known.code === 'NOT_FOUND') return undefined;
      throw known;
    }
  }

  async look(path: string, scope: Scope): Promise<Entry | undefined> {
    throwIfAborted(scope.signal);
    try {
      return path === '' ? this.#statBelow(path) : this.#lookHeld(path);
    } catch (error) {
      const known = toXferError(error, `look at ${path || this.label}`);
      if (known.code === 'NOT_FOUND') return undefined;
      throw known;
    }
  }

  #lookHeld(path: string): Entry | undefined {
    const held = holdPlace(this.#root, path);
    try {
      const place = fsPath(held.place);
      const stats = lstatSync(place, { bigint: true });
      const kind = kindOf(stats);
      if (kind !== 'symlink') return kind && entryFrom(path, kind, stats);
      const target = nameFromBytes(readlinkSync(place, { encoding: 'buffer' }));
      return { ...entryFrom(path, 'symlink', stats), target };
    } finally {
      held.close();
    }
  }

  async place(path: string, scope: Scope): Promise<Place> {
    throwIfAborted(scope.signal);
    return placeBelow(this.#root, path);
  }

  async space(scope: Scope): Promise<Space> {
    throwIfAborted(scope.signal);
    try {
      const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(fsPath(this.#root));
      return { blockBytes: bsize, blocks, freeBlocks: bfree, availableBlocks: bavail, files, freeFiles: ffree };
    } catch (error) {
      throw toXferError(error, `look at ${this.label}`);
    }
  }

  /** Links to what is outside the root, and what is no file or directory, are left out. */
  async *list(directory: string, scope: Scope): AsyncGenerator<Entry> {
    throwIfAborted(scope.signal);
    const held = this.#hold(directory);
    try {
      for (const looked of this.#children(directory, held)) {
        throwIfAborted(scope.signal);
        if ('fault' in looked) {
          if (looked.path === directory) throw looked.fault;
          continue;
        }
        const entry = looked.linked ? this.#behindLink(looked.found) : looked.found;
        if (entry) yield entry;
      }
    } finally {
      held.close();
    }
  }

  async open(path: string, scope: Scope): Promise<OpenFile> {
    throwIfAborted(scope.signal);
    const label = path || this.label;
    const hot = this.#hot.find(path);
    if (hot) return hot;
    const alone = path === '' ? this.#alone : undefined;
    const handle = await this.#openHandle(path);
    try {
      const stats = await handle.stat({ bigint: true });
      if (!stats.isFile()) throw new XferError('NOT_FOUND', `open ${label}: not a regular file`);
      if (alone === undefined) checkOpened(this.#root, path, handle.fd, stats);
      else checkAlone(alone, handle.fd, stats);
      const onWhole = HotFiles.takes(stats) ? (bytes: Buffer) => this.#hot.keep(path, stats, bytes) : undefined;
      return new OpenedFile({ handle, stats, path, label, ...(onWhole ? { onWhole } : {}) });
    } catch (error) {
      await handle.close();
      throw toXferError(error, `open ${label}`);
    }
  }

  async digest(entry: Entry, algorithm: DigestAlgorithm, scope: Scope): Promise<string> {
    return streamDigest(await this.read(entry, { start: 0 }, scope), algorithm, scope);
  }

  async close(): Promise<void> {}

  #local(path: string): string {
    return joinRoot(this.#root, path);
  }

  /** A root that is a pipe is meant to be read; nothing below one is. */
  #isPipe({ path, size }: Entry): boolean {
    return path === '' && size === undefined && process.platform !== 'win32' && this.#lookAtRoot().isFIFO();
  }

  #readPipe(): Readable {
    try {
      return readPipe(fsPath(this.#root));
    } catch (error) {
      throw toXferError(error, `open ${this.label}`);
    }
  }

  /** NONBLOCK so that a pipe put in a file's place cannot hold the open for ever; a root that is a device is meant. */
  async #openHandle(path: string): Promise<FileHandle> {
    const waits = path === '' || process.platform === 'win32';
    try {
      return await open(fsPath(this.#local(path)), constants.O_RDONLY | (waits ? 0 : constants.O_NONBLOCK));
    } catch (error) {
      throw toXferError(error, `open ${path || this.label}`);
    }
  }

  #lookAtRoot(): BigIntStats {
    try {
      return statSync(fsPath(this.#root), { bigint: true });
    } catch (error) {
      throw toXferError(error, `read ${this.label}`);
    }
  }

  #statBelow(path: string): Entry | undefined {
    const alone = path === '' ? this.#alone : undefined;
    const stats = alone === undefined ? statBelow(this.#root, path) : statAlone(alone);
    const kind = stats && kindOf(stats);
    return kind && entryFrom(path, kind, stats);
  }

  #hold(directory: string): HeldDirectory {
    try {
      return holdDirectory(this.#root, directory);
    } catch (error) {
      throw toXferError(error, `read ${directory || this.label}`);
    }
  }

  /** What a link that was just found leads to, or the link itself where links are kept; undefined for one that leads out. */
  #behindLink(found: Entry): Entry | undefined {
    try {
      const target = this.#statBelow(found.path);
      return found.kind === 'symlink' ? found : target;
    } catch {
      return undefined;
    }
  }
}

/** A local path as a source. NOT_FOUND or DENIED where it cannot be looked at; a trailing slash wants a directory. */
export async function openLocalSource(path: string, options: OpenOptions = {}): Promise<LocalSource> {
  let stats: Stats;
  try {
    stats = await stat(fsPath(path));
    if (path.endsWith(sep) && !stats.isDirectory()) throw new XferError('NOT_FOUND', `open ${path}: not a directory`);
  } catch (error) {
    throw toXferError(error, `open ${path}`);
  }
  const place = (await placeOf(path)) ?? resolve(path);
  const real = await realPath(place);
  return new LocalSource(path, options, place, real, stats.isFile() ? real : undefined);
}
