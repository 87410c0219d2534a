/**
 * A file on its way in: written beside its target, synced, then renamed over it. What only touches an inode that is at
 * hand is called at once, since a thread takes ten times as long; bytes in bulk and syncs go to a thread.
 */
import {
  close,
  closeSync,
  fchmodSync,
  fstatSync,
  fsync,
  ftruncateSync,
  futimesSync,
  linkSync,
  lstatSync,
  renameSync,
  unlinkSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { systemCode, throwIfAborted, toXferError, XferError } from '../../errors.js';
import { streamDigest } from '../../streams/digest.js';
import type { ByteRange, Digest, DigestAlgorithm, Draft, Entry, Owner, Scope } from '../../transport.js';
import type { HeldDirectory } from './confined.js';
import { FileReader } from './file-reader.js';
import { FileWriter } from './file-writer.js';
import { give, mayGive } from './owner.js';
import { fsPath } from './root.js';
import { writeAtOnce } from './small-file.js';
import { systemTime } from './system-time.js';
import { writePieces } from './write-pieces.js';

/** Below this size a sync costs more than sending the file again. */
export const SYNC_FROM_BYTES = 1 << 20;

export const sync = promisify(fsync);
const closeFile = promisify(close);

export interface LocalDraftOptions {
  readonly descriptor: number;
  readonly label: string;
  /** Where the bytes are; the same as `target` where they are written in place. */
  readonly path: string;
  readonly target: string;
  /** Takes bytes anywhere: a pipe and some devices do not. */
  readonly seekable: boolean;
  readonly heldBytes: number;
  /** A later run may go on with it. */
  readonly keep: boolean;
  /** Mode to set in any case: that of the file which is replaced. */
  readonly mode?: number | undefined;
  /** A new file that its owner may not write, as is so with the source. */
  readonly readOnly?: boolean | undefined;
  /** Those of the file which is replaced, where they are others. Set last, since a later run goes on only with its own. */
  readonly owner?: Owner | undefined;
  readonly onNotice?: ((line: string) => void) | undefined;
  /** What both paths lie in, where it is held; freed at the end. */
  readonly folder?: HeldDirectory | undefined;
}

export class LocalDraft implements Draft {
  readonly held: readonly ByteRange[];
  readonly inOrder?: true;
  keptAs: string | undefined;
  readonly #options: LocalDraftOptions;
  readonly #writers = new Set<FileWriter>();
  /** Of what was written; a longer file that was there has its own bytes behind it until `commit`. */
  #endBytes = 0;
  #ended = false;
  #left = false;

  constructor(options: LocalDraftOptions) {
    this.#options = options;
    if (!options.seekable) this.inOrder = true;
    this.held = options.heldBytes > 0 ? [{ start: 0, end: options.heldBytes }] : [];
  }

  get #inPlace(): boolean {
    return this.#options.path === this.#options.target;
  }

  /** Whether the file that is replaced would not keep its owner and group. */
  get losesOwner(): boolean {
    const { owner } = this.#options;
    return owner !== undefined && !mayGive(owner);
  }

  async write(start: number, scope: Scope): Promise<Writable> {
    throwIfAborted(scope.signal);
    const { descriptor, label, seekable } = this.#options;
    if (this.#ended) throw new XferError('INTERNAL', `write ${label}: the draft has ended`);
    const writer = new FileWriter(descriptor, start, label, seekable);
    this.#writers.add(writer);
    return writer.once('close', () => {
      this.#writers.delete(writer);
      this.#endBytes = Math.max(this.#endBytes, writer.at);
    });
  }

  /** All bytes of the file, written when it resolves. */
  async writeWhole(bytes: Buffer): Promise<void> {
    const { descriptor, label, seekable } = this.#options;
    try {
      // A pipe or a device may wait.
      if (seekable) writeAtOnce(descriptor, bytes, 0);
      else await writePieces(descriptor, [bytes], undefined);
    } catch (error) {
      throw toXferError(error, `write ${label}`);
    }
  }

  async digest(algorithm: DigestAlgorithm, scope: Scope): Promise<Digest> {
    const { path, label } = this.#options;
    const handle = await open(fsPath(path), 'r');
    const { size } = await handle.stat();
    const end = this.#inPlace ? Math.min(this.#endBytes, size) : size;
    const bytes = new FileReader({ handle, label, start: 0, end, release: () => handle.close() });
    return { hex: await streamDigest(bytes, algorithm, scope), readBack: true };
  }

  async commit(entry: Entry, scope: Scope, replace = true): Promise<void> {
    throwIfAborted(scope.signal);
    const { label, path, target } = this.#options;
    try {
      await this.#complete(entry);
      if (!this.#inPlace) {
        const narrows = this.#options.readOnly && entry.mode === undefined;
        if (!narrows) await this.#close();
        if (replace) renameSync(fsPath(path), fsPath(target));
        else nameFirst(path, target);
        if (narrows) await this.#closeReadOnly();
        if ((entry.size ?? 0) >= SYNC_FROM_BYTES) await syncDirectory(dirname(target));
      }
      this.#leave();
    } catch (error) {
      throw toXferError(error, `write ${label}`);
    } finally {
      if (this.#inPlace) await this.#close();
    }
  }

  async #complete(entry: Entry): Promise<void> {
    const { descriptor, label, owner, onNotice } = this.#options;
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return;
    if (entry.size !== undefined && this.#inPlace) ftruncateSync(descriptor, entry.size);
    else if (entry.size !== undefined && stats.size !== entry.size) {
      throw new XferError('TRUNCATED', `write ${label}: ${stats.size} of ${entry.size} bytes are there`);
    }
    if (owner && !give(descriptor, owner)) onNotice?.(`${label}: its owner and group could not be kept`);
    const mode = entry.mode ?? this.#options.mode;
    if (mode !== undefined) fchmodSync(descriptor, mode & 0o7777);
    const { mtimeMs, atimeMs } = entry;
    if (mtimeMs !== undefined) futimesSync(descriptor, systemTime(atimeMs ?? mtimeMs), systemTime(mtimeMs));
    if (stats.size >= SYNC_FROM_BYTES) await sync(descriptor);
  }

  /** Under its final name: a draft that is left is to be gone on with. */
  async #closeReadOnly(): Promise<void> {
    const { descriptor } = this.#options;
    fchmodSync(descriptor, fstatSync(descriptor).mode & 0o7777 & ~0o200);
    await this.#close();
  }

  async suspend(): Promise<void> {
    if (!this.#options.keep || (!this.#ended && fstatSync(this.#options.descriptor).size === 0)) return this.discard();
    await this.#close();
    const { path, folder } = this.#options;
    if (!this.#inPlace && !folder) this.keptAs = path;
    this.#leave();
  }

  async discard(): Promise<void> {
    await this.#close();
    if (this.#inPlace) return;
    try {
      unlinkSync(fsPath(this.#options.path));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw toXferError(error, `remove ${this.#options.path}`);
    } finally {
      this.#leave();
    }
  }

  #leave(): void {
    if (!this.#left) this.#options.folder?.close();
    this.#left = true;
  }

  /** A number that is free again may be another file's at once, so nobody may still write to it. */
  async #close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await Promise.all([...this.#writers].map((writer) => writer.stopped()));
    // Closing a pipe or a device may wait.
    if (this.#inPlace) await closeFile(this.#options.descriptor);
    else closeSync(this.#options.descriptor);
  }
}

/** What `link` fails with on a file system without hard links. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Gives a file a name that nothing has: a rename would replace what another process made a moment ago. */
function nameFirst(path: string, target: string): void {
  try {
    linkSync(fsPath(path), fsPath(target));
  } catch (error) {
    if (!NO_LINKS.has(systemCode(error))) throw error;
    if (lstatSync(fsPath(target), { throwIfNoEntry: false })) throw new XferError('EXISTS', 'write: already exists');
    renameSync(fsPath(path), fsPath(target));
    return;
  }
  unlinkSync(fsPath(path));
}

/** Some systems cannot open or sync a directory; there the rename is as durable as it gets. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  let handle: FileHandle | undefined;
  try {
    handle = await open(fsPath(path), 'r');
    await handle.sync();
  } catch (error) {
    if (!['EINVAL', 'EACCES', 'EPERM', 'ENOTSUP', 'EISDIR'].includes(systemCode(error) ?? '')) throw error;
  } finally {
    await handle?.close();
  }
}
