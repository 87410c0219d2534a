/** A file on its way in: written beside its target, synced, then renamed over it. */
import type { FileHandle } from 'node:fs/promises';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Writable } from 'node:stream';
import { systemCode, throwIfAborted, toXferError, XferError } from '../../errors.js';
import type { ByteRange, DigestAlgorithm, Draft, Entry, Scope } from '../../transport.js';
import { fileDigest } from './digest.js';
import { FileReader } from './file-reader.js';
import { fsPath } from './root.js';

/** Below this size a sync costs more than sending the file again. */
const SYNC_FROM_BYTES = 1 << 20;

export interface LocalDraftOptions {
  readonly handle: FileHandle;
  readonly label: string;
  /** Where the bytes are; the same as `target` where they are written in place. */
  readonly path: string;
  readonly target: string;
  readonly heldBytes: number;
  /** A later run may go on with it. */
  readonly keep: boolean;
  /** Mode to set in any case: that of the file which is replaced. */
  readonly mode?: number | undefined;
}

export class LocalDraft implements Draft {
  readonly held: readonly ByteRange[];
  readonly #options: LocalDraftOptions;
  #ended = false;

  constructor(options: LocalDraftOptions) {
    this.#options = options;
    this.held = options.heldBytes > 0 ? [{ start: 0, end: options.heldBytes }] : [];
  }

  get #inPlace(): boolean {
    return this.#options.path === this.#options.target;
  }

  async write(start: number, scope: Scope): Promise<Writable> {
    throwIfAborted(scope.signal);
    return new FileWriter(this.#options.handle, start, this.#options.label, !this.#inPlace);
  }

  async digest(algorithm: DigestAlgorithm, scope: Scope): Promise<string> {
    const { handle, label } = this.#options;
    const { size } = await handle.stat();
    return fileDigest(new FileReader({ handle, label, start: 0, end: size }), algorithm, scope);
  }

  async commit(entry: Entry, scope: Scope): Promise<void> {
    throwIfAborted(scope.signal);
    const { label, path, target } = this.#options;
    try {
      await this.#complete(entry);
      if (!this.#inPlace) {
        await this.#close();
        await rename(fsPath(path), fsPath(target));
        if ((entry.size ?? 0) >= SYNC_FROM_BYTES) await syncDirectory(dirname(target));
      }
    } catch (error) {
      throw toXferError(error, `write ${label}`);
    } finally {
      if (this.#inPlace) await this.#close();
    }
  }

  async #complete(entry: Entry): Promise<void> {
    const { handle, label } = this.#options;
    const stats = await handle.stat();
    if (stats.isFile()) {
      if (entry.size !== undefined && this.#inPlace) await handle.truncate(entry.size);
      else if (entry.size !== undefined && stats.size !== entry.size) {
        throw new XferError('TRUNCATED', `write ${label}: ${stats.size} of ${entry.size} bytes are there`);
      }
      const mode = entry.mode ?? this.#options.mode;
      if (mode !== undefined) await handle.chmod(mode & 0o7777);
      if (entry.mtimeMs !== undefined) await handle.utimes(entry.mtimeMs / 1000, entry.mtimeMs / 1000);
      if (stats.size >= SYNC_FROM_BYTES) await handle.sync();
    }
  }

  async suspend(): Promise<void> {
    if (!this.#options.keep) return this.discard();
    await this.#close();
  }

  async discard(): Promise<void> {
    await this.#close();
    if (this.#inPlace) return;
    try {
      await unlink(fsPath(this.#options.path));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw toXferError(error, `remove ${this.#options.path}`);
    }
  }

  async #close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#options.handle.close();
  }
}

/** Some systems cannot open or sync a directory; there the rename is as durable as it gets. */
async function syncDirectory(path: string): Promise<void> {
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

/** Writes at its own position of a shared descriptor. */
class FileWriter extends Writable {
  readonly #handle: FileHandle;
  readonly #label: string;
  readonly #seekable: boolean;
  #at: number;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(handle: FileHandle, start: number, label: string, seekable: boolean) {
    super({ highWaterMark: 2 << 20 });
    this.#handle = handle;
    this.#at = start;
    this.#label = label;
    this.#seekable = seekable;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#take([chunk], callback);
  }

  /** What gathered behind a write goes out as one: a network's small pieces cost one call a batch. */
  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.#take(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  #take(chunks: readonly Buffer[], callback: (error?: Error | null) => void): void {
    this.#writing = this.#writeAll(chunks).then(
      () => callback(),
      (error: unknown) => callback(toXferError(error, `write ${this.#label}`)),
    );
  }

  async #writeAll(chunks: readonly Buffer[]): Promise<void> {
    let left = chunks;
    while (left.length > 0) {
      const position = this.#seekable ? this.#at : undefined;
      const { bytesWritten } = await this.#handle.writev(left, position);
      this.#at += bytesWritten;
      left = dropBytes(left, bytesWritten);
      this.emit('held', bytesWritten);
    }
  }

  /** The descriptor outlives this stream, so a write under way must end before it may be closed. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    void this.#writing.then(() => callback(error));
  }
}

/** What is left of the chunks once the first `bytes` were written. */
function dropBytes(chunks: readonly Buffer[], bytes: number): Buffer[] {
  let dropped = bytes;
  return chunks.flatMap((chunk) => {
    const taken = Math.min(dropped, chunk.length);
    dropped -= taken;
    return taken === chunk.length ? [] : [chunk.subarray(taken)];
  });
}
