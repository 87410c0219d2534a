/** Files and trees of this machine as a sink. Names from outside stay below its root, whatever links are there. */
import {
  type BigIntStats,
  chmodSync,
  constants,
  fstatSync,
  lstatSync,
  open,
  type Stats,
  statSync,
  utimesSync,
} from 'node:fs';
import { open as openHandle, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { draftName, isDraftOfRuns } from '../../draft-name.js';
import { systemCode, throwIfAborted, toXferError, XferError } from '../../errors.js';
import { nameFromBytes } from '../../names.js';
import { streamDigest } from '../../streams/digest.js';
import type {
  Change,
  DigestAlgorithm,
  Draft,
  EditableFile,
  EditOptions,
  Entry,
  OpenOptions,
  Scope,
  Sink,
} from '../../transport.js';
import { entryFrom, kindOf } from './attributes.js';
import { changeNow, removeNow, renameNow } from './changes.js';
import { type HeldDirectory, holdPlace } from './confined.js';
import { LocalDraft } from './draft.js';
import { openEdit } from './edit.js';
import { FileReader } from './file-reader.js';
import { makeDirectory, makeHeld, makeLink, openDraft, ownBytes } from './make.js';
import { ownerToKeep } from './owner.js';
import { removeTree } from './remove-tree.js';
import { fsPath, isInside, joinRoot, placeOf, realPath, realTarget, targetNow } from './root.js';
import { systemTime } from './system-time.js';

const openFile = promisify(open);

const DEFAULT_FILE_MODE = 0o666;

export class LocalSink implements Sink {
  readonly label: string;
  readonly identity: string;
  readonly capabilities = {
    offsets: true,
    atomic: true,
    resume: true,
    parallel: true,
    metadata: true,
    exclusive: true,
  };
  readonly #root: string;
  readonly #writesInPlace: boolean;
  readonly #guarded: boolean;
  readonly #onNotice: ((line: string) => void) | undefined;
  /** Directories whose real place was checked. Emptied when a link is made, which may change where they lead. */
  readonly #checked = new Map<string, Promise<void>>();
  /** Counts what may change where a path leads, so that a check which was under way meanwhile is known to be old. */
  #moves = 0;

  /** `root` may be relative, and need not be there; `place` is where it is, and `real` its path without links. */
  constructor(root: string, options: OpenOptions = {}, place: string = resolve(root), real: string = place) {
    this.label = root;
    this.#root = place;
    this.identity = `file:${real.split(sep).join('/')}`;
    this.#onNotice = options.onNotice;
    this.#writesInPlace = options.inPlace === true;
    this.#guarded = options.guarded === true;
  }

  async stat(path: string, scope: Scope): Promise<Entry | undefined> {
    throwIfAborted(scope.signal);
    const stats = this.#look(this.#local(path), path);
    const kind = stats && (kindOf(stats) ?? 'file');
    return kind && entryFrom(path, kind, stats);
  }

  async create(entry: Entry, scope: Scope): Promise<void> {
    throwIfAborted(scope.signal);
    try {
      if (entry.kind === 'file') throw new XferError('INTERNAL', `create ${entry.path}: a file is made by its draft`);
      if (entry.kind === 'symlink') this.#forgetChecks();
      if (entry.path !== '') makeHeld(this.#root, entry);
      else if (entry.kind === 'directory') makeDirectory(this.#root, entry);
      else makeLink(this.#root, entry);
    } catch (error) {
      throw toXferError(error, `create ${entry.path || this.label}`);
    }
  }

  #forgetChecks(): void {
    this.#checked.clear();
    this.#moves += 1;
  }

  async finish(directory: Entry, scope: Scope): Promise<void> {
    throwIfAborted(scope.signal);
    try {
      const place = fsPath(targetNow(this.#root, directory.path));
      const { mode, mtimeMs, atimeMs } = directory;
      if (mode !== undefined) chmodSync(place, mode & 0o7777);
      if (mtimeMs !== undefined) utimesSync(place, systemTime(atimeMs ?? mtimeMs), systemTime(mtimeMs));
    } catch (error) {
      throw toXferError(error, `set mode and time of ${directory.path || this.label}`);
    }
  }

  draft(entry: Entry, scope: Scope): Promise<Draft> {
    return this.#draft(entry, scope);
  }

  async #draft(entry: Entry, scope: Scope): Promise<LocalDraft> {
    throwIfAborted(scope.signal);
    if (this.#guarded) return this.#guardedDraft(entry);
    const moves = this.#moves;
    await this.#checkParent(entry.path);
    const label = entry.path || this.label;
    if (entry.path === '' && wantsDirectory(this.label)) throw noDirectory(this.label);
    try {
      const { target, stats } = await this.#target(entry.path);
      if (moves !== this.#moves) return await this.#draft(entry, scope);
      if (stats?.isDirectory()) throw new XferError('EXISTS', `write ${label}: is a directory`);
      if (stats && (this.#writesInPlace || !stats.isFile())) return await this.#inPlace(target, label);
      return await this.#beside(target, entry, stats, label);
    } catch (error) {
      throw toXferError(error, `write ${label}`);
    }
  }

  /** Beside its target in a directory that is held, so that neither can be led elsewhere until it has its name. */
  #guardedDraft(entry: Entry): LocalDraft {
    const { path } = entry;
    let held: HeldDirectory | undefined;
    try {
      held = holdPlace(this.#root, path);
      const there = lstatSync(fsPath(held.place), { bigint: true, throwIfNoEntry: false });
      if (there && !there.isFile()) throw new XferError('EXISTS', `write ${path}: something that is no file`);
      return this.#openBeside(held.place, entry, there, path, held);
    } catch (error) {
      held?.close();
      throw toXferError(error, `write ${path || this.label}`);
    }
  }

  async edit(path: string, how: EditOptions, scope: Scope): Promise<EditableFile> {
    throwIfAborted(scope.signal);
    return openEdit(this.#root, path, how);
  }

  async change(path: string, change: Change, follow: boolean, scope: Scope): Promise<void> {
    throwIfAborted(scope.signal);
    changeNow(this.#root, path, change, follow);
  }

  async rename(from: string, to: string, replace: boolean, scope: Scope): Promise<void> {
    throwIfAborted(scope.signal);
    this.#forgetChecks();
    renameNow(this.#root, from, to, replace);
  }

  async remove(path: string, kind: 'file' | 'directory' | 'tree', scope: Scope): Promise<void> {
    throwIfAborted(scope.signal);
    this.#forgetChecks();
    if (kind === 'tree') await removeTree(this.#root, path, scope);
    else removeNow(this.#root, path, kind);
  }

  async digest(path: string, algorithm: DigestAlgorithm, scope: Scope): Promise<string> {
    throwIfAborted(scope.signal);
    const label = path || this.label;
    try {
      const handle = await openHandle(
        fsPath(targetNow(this.#root, path)),
        constants.O_RDONLY | (constants.O_NONBLOCK ?? 0),
      );
      const { size: end } = await handle.stat();
      const bytes = new FileReader({ handle, label, start: 0, end, release: () => handle.close() });
      return await streamDigest(bytes, algorithm, scope);
    } catch (error) {
      throw toXferError(error, `read ${label}`);
    }
  }

  async put(entry: Entry, bytes: Buffer, exact: boolean, scope: Scope): Promise<undefined> {
    const { mtimeMs, version, ...rest } = entry;
    const draft = await this.#draft(rest, scope);
    try {
      await draft.writeWhole(bytes);
      const { mode, ...named } = rest;
      await draft.commit(exact ? entry : named, scope);
    } catch (error) {
      await draft.discard().catch(() => {});
      throw error;
    }
  }

  async sweep(path: string, runs: readonly string[], scope: Scope): Promise<void> {
    throwIfAborted(scope.signal);
    await this.#checkParent(path);
    const { target } = await this.#target(path);
    const folder = dirname(target);
    const names = await readdir(fsPath(folder), 'buffer');
    for (const name of names.map(nameFromBytes).filter((each) => isDraftOfRuns(each, runs))) {
      await rm(fsPath(join(folder, name)), { force: true });
    }
  }

  /** A link is written through, as cp does, where what it leads to is the root's own or inside it. */
  async #target(path: string): Promise<{ target: string; stats: BigIntStats | undefined }> {
    const local = this.#local(path);
    const own = lstatSync(fsPath(local), { bigint: true, throwIfNoEntry: false });
    if (!own?.isSymbolicLink()) return { target: local, stats: own };
    const real = await realPath(local);
    if (real === undefined) throw new XferError('NOT_FOUND', `write ${path || this.label}: a link to nothing`);
    if (path !== '' && !isInside((await realPath(this.#root)) ?? this.#root, real)) {
      throw new XferError('UNSAFE_PATH', `write ${path}: a link out of ${this.label}`);
    }
    return { target: real, stats: this.#look(real, path) };
  }

  #openBeside(
    target: string,
    entry: Entry,
    there: BigIntStats | undefined,
    label: string,
    folder?: HeldDirectory,
  ): LocalDraft {
    const keep = entry.version !== undefined;
    const path = join(dirname(target), draftName(basename(target), entry));
    const flags = constants.O_RDWR | constants.O_CREAT | (keep ? constants.O_NOFOLLOW : constants.O_EXCL);
    const mode = there ? Number(there.mode) & 0o777 : (entry.mode ?? DEFAULT_FILE_MODE) & 0o777;
    const descriptor = openDraft(path, flags, mode | 0o200);
    const heldBytes = keep ? ownBytes(descriptor, path, entry.size) : 0;
    const exact = there ? Number(there.mode) & 0o777 : undefined;
    const owner = there && ownerToKeep(descriptor, there);
    // Windows replaces no file that is read-only.
    const readOnly = process.platform !== 'win32' && exact === undefined && (mode & 0o200) === 0;
    const how = { keep, mode: exact, readOnly, owner, folder, onNotice: this.#onNotice };
    return new LocalDraft({ descriptor, label, path, target, seekable: true, heldBytes, ...how });
  }

  async #beside(target: string, entry: Entry, there: BigIntStats | undefined, label: string): Promise<LocalDraft> {
    try {
      const draft = this.#openBeside(target, entry, there, label);
      return draft.losesOwner ? await this.#keepingOwner(draft, target, label) : draft;
    } catch (error) {
      const refused = ['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '');
      if (!refused || !there) throw error;
      this.#onNotice?.(`${label}: its directory takes no new file, so it is written in place`);
      return this.#inPlace(target, label);
    }
  }

  /** In place where that is allowed, since a file made by us could not be given to whom the target belongs. */
  async #keepingOwner(draft: LocalDraft, target: string, label: string): Promise<LocalDraft> {
    const inPlace = await this.#inPlace(target, label).catch(() => undefined);
    if (!inPlace) return draft;
    await draft.discard();
    this.#onNotice?.(`${label}: so that it keeps its owner and group, it is written in place`);
    return inPlace;
  }

  /** A device, a pipe, or a file in a directory that may not be written. */
  async #inPlace(target: string, label: string): Promise<LocalDraft> {
    const descriptor = await openFile(fsPath(target), constants.O_WRONLY, 0);
    const seekable = fstatSync(descriptor).isFile();
    return new LocalDraft({ descriptor, label, path: target, target, seekable, heldBytes: 0, keep: false });
  }

  async close(): Promise<void> {
    this.#checked.clear();
  }

  #local(path: string): string {
    return joinRoot(this.#root, path);
  }

  #look(local: string, path: string): BigIntStats | undefined {
    try {
      return statSync(fsPath(local), { bigint: true, throwIfNoEntry: false });
    } catch (error) {
      if (systemCode(error) === 'ENOTDIR') return undefined;
      throw toXferError(error, `look at ${path || this.label}`);
    }
  }

  /** UNSAFE_PATH where a link leads the parent of `path` out of the root. */
  async #checkParent(path: string): Promise<void> {
    if (path === '') return;
    const parent = dirname(this.#local(path));
    let check = this.#checked.get(parent);
    if (!check) {
      check = this.#checkReal(parent, path);
      this.#checked.set(parent, check);
      check.catch(() => this.#checked.delete(parent));
    }
    await check;
  }

  async #checkReal(parent: string, path: string): Promise<void> {
    const [root, real] = await Promise.all([realPath(this.#root), realPath(parent)]);
    if (root === undefined || real === undefined) {
      throw new XferError('NOT_FOUND', `write ${path}: its directory is not there`);
    }
    if (!isInside(root, real)) throw new XferError('UNSAFE_PATH', `write ${path}: a link leads out of ${this.label}`);
  }
}

/**
 * A local path as a sink. NOT_FOUND where the directory that it lies in is missing; with a slash at its end it can only be
 * a directory.
 */
export async function openLocalSink(path: string, options: OpenOptions = {}): Promise<LocalSink> {
  const place = await placeOf(path);
  if (place === undefined) throw noDirectory(path);
  const places = wantsDirectory(path) ? [place, dirname(place)] : [dirname(place)];
  const found = await Promise.all(places.map((each) => lookAt(each, path)));
  const parent = found.find((stats) => stats !== undefined);
  if (!parent) throw noDirectory(path);
  if (!parent.isDirectory()) throw new XferError('NOT_FOUND', `write ${path}: not a directory`);
  return new LocalSink(path, options, place, await realTarget(place));
}

function wantsDirectory(path: string): boolean {
  return path.endsWith(sep) || path.endsWith('/');
}

function noDirectory(path: string): XferError {
  return new XferError('NOT_FOUND', `write ${path}: no such directory`, { hint: 'make the directory first' });
}

async function lookAt(place: string, typed: string): Promise<Stats | undefined> {
  try {
    return await stat(fsPath(place));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw toXferError(error, `write ${typed}`);
  }
}
