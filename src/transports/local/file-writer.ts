/** Writes at its own position of a descriptor that others may share. */
import { Writable } from 'node:stream';
import { toXferError } from '../../errors.js';
import { writeAtOnce } from './small-file.js';
import { writePieces } from './write-pieces.js';

/** A first piece up to this size is written at once: most files are no longer. */
const AT_ONCE_BYTES = 64 << 10;

export class FileWriter extends Writable {
  readonly #descriptor: number;
  readonly #label: string;
  readonly #seekable: boolean;
  #at: number;
  #fresh = true;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(descriptor: number, start: number, label: string, seekable: boolean) {
    super({ highWaterMark: 2 << 20 });
    this.#descriptor = descriptor;
    this.#at = start;
    this.#label = label;
    this.#seekable = seekable;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#fresh && this.#seekable && chunk.length <= AT_ONCE_BYTES) this.#takeAtOnce(chunk, callback);
    else this.#take([chunk], callback);
  }

  /** What gathered behind a write goes out as one: a network's small pieces cost one call a batch. */
  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.#take(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  #takeAtOnce(chunk: Buffer, callback: (error?: Error | null) => void): void {
    this.#fresh = false;
    try {
      writeAtOnce(this.#descriptor, chunk, this.#at);
      this.#at += chunk.length;
    } catch (error) {
      callback(toXferError(error, `write ${this.#label}`));
      return;
    }
    this.emit('held', chunk.length);
    callback();
  }

  #take(chunks: readonly Buffer[], callback: (error?: Error | null) => void): void {
    this.#fresh = false;
    this.#writing = this.#writeAll(chunks).then(
      () => callback(),
      (error: unknown) => callback(toXferError(error, `write ${this.#label}`)),
    );
  }

  async #writeAll(chunks: readonly Buffer[]): Promise<void> {
    await writePieces(this.#descriptor, chunks, this.#seekable ? this.#at : undefined, (bytes) => {
      this.#at += bytes;
      this.emit('held', bytes);
    });
  }

  /** Resolves when no write is under way any more; the stream is destroyed. */
  async stopped(): Promise<void> {
    this.destroy();
    await this.#writing;
  }

  /** The descriptor outlives this stream, so a write under way must end before it may be closed. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    void this.#writing.then(() => callback(error));
  }
}
