/** Writes at its own position of a descriptor that others may share. */
import { Writable } from 'node:stream';
import { type AtOnce, CallPace } from '../../at-once.js';
import { toXferError } from '../../errors.js';
import { writeAtOnce } from './small-file.js';
import { writePieces } from './write-pieces.js';

/** A first piece up to this size is written at once: most files are no longer. */
const AT_ONCE_BYTES = 64 << 10;

export class FileWriter extends Writable implements AtOnce {
  readonly #descriptor: number;
  readonly #label: string;
  readonly #seekable: boolean;
  #at: number;
  #fresh = true;
  #pace: CallPace | undefined;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(descriptor: number, start: number, label: string, seekable: boolean) {
    super({ highWaterMark: 2 << 20 });
    this.#descriptor = descriptor;
    this.#at = start;
    this.#label = label;
    this.#seekable = seekable;
  }

  workAtOnce(): void {
    if (this.#seekable) this.#pace = new CallPace();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    const isFirst = this.#fresh && this.#seekable && chunk.length <= AT_ONCE_BYTES;
    if (isFirst || this.#pace?.nextIsQuick()) this.#takeAtOnce([chunk], callback);
    else this.#take([chunk], callback);
  }

  /** What gathered behind a write goes out as one: a network's small pieces cost one call a batch. */
  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    const pieces = chunks.map(({ chunk }) => chunk);
    if (this.#pace?.nextIsQuick()) this.#takeAtOnce(pieces, callback);
    else this.#take(pieces, callback);
  }

  #takeAtOnce(chunks: readonly Buffer[], callback: (error?: Error | null) => void): void {
    this.#fresh = false;
    try {
      for (const chunk of chunks) this.#writeAtOnce(chunk);
    } catch (error) {
      callback(toXferError(error, `write ${this.#label}`));
      return;
    }
    callback();
  }

  #writeAtOnce(chunk: Buffer): void {
    const write = () => writeAtOnce(this.#descriptor, chunk, this.#at);
    if (this.#pace) this.#pace.measured(write);
    else write();
    this.#at += chunk.length;
    this.emit('held', chunk.length);
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
