/** Writes at its own position of a descriptor that others may share. */
import { Writable } from 'node:stream';
import { type AtOnce, CallPace } from '../../concurrency/at-once.js';
import { toXferError } from '../../errors.js';
import { bulkBuffer } from '../../streams/buffer-pool.js';
import { writeAtOnce } from './small-file.js';
import { writePieces } from './write-pieces.js';

/** A first piece up to this size is written at once: most files are no longer. */
const AT_ONCE_BYTES = 64 << 10;
/** Of pieces that are joined to be written. */
const JOINED_BYTES = 1 << 20;
/** A longer piece is written from where it lies. */
const LONG_PIECE_BYTES = 64 << 10;
const PAGE_BYTES = 4096;

export class FileWriter extends Writable implements AtOnce {
  readonly #descriptor: number;
  readonly #label: string;
  readonly #seekable: boolean;
  #at: number;
  #fresh = true;
  #pace: CallPace | undefined;
  #writing: Promise<unknown> = Promise.resolve();
  #joined: Buffer | undefined;

  constructor(descriptor: number, start: number, label: string, seekable: boolean) {
    super({ highWaterMark: 2 << 20 });
    this.#descriptor = descriptor;
    this.#at = start;
    this.#label = label;
    this.#seekable = seekable;
  }

  /** Up to here all is written, from where it began. */
  get at(): number {
    return this.#at;
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
    let left = chunks;
    while (left.length > 0) {
      const count = shortOnes(left);
      const pieces = count > 1 ? [this.#join(left.slice(0, count))] : left.slice(0, 1);
      left = left.slice(Math.max(1, count));
      await writePieces(this.#descriptor, pieces, this.#seekable ? this.#at : undefined, (bytes) => {
        this.#at += bytes;
        this.emit('held', bytes);
      });
    }
  }

  /** One piece, as far from its page's begin as its place in the file, and half a page: see `bulkBuffer`. */
  #join(pieces: readonly Buffer[]): Buffer {
    this.#joined ??= bulkBuffer(JOINED_BYTES + PAGE_BYTES);
    const from = this.#at % PAGE_BYTES;
    let at = from;
    for (const piece of pieces) at += piece.copy(this.#joined, at);
    return this.#joined.subarray(from, at);
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

/** How many pieces from the first on are short, and fit into one. */
function shortOnes(pieces: readonly Buffer[]): number {
  let room = JOINED_BYTES;
  const end = pieces.findIndex(({ length }) => {
    room -= length;
    return length > LONG_PIECE_BYTES || room < 0;
  });
  return end < 0 ? pieces.length : end;
}
