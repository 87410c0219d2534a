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
/** At once such a piece waits for the others that its turn brings. */
const SHORT_PIECE_BYTES = 32 << 10;
const PAGE_BYTES = 4096;

export class FileWriter extends Writable implements AtOnce {
  readonly #descriptor: number;
  readonly #label: string;
  readonly #seekable: boolean;
  #at: number;
  #fresh = true;
  #pace: CallPace | undefined;
  #writing: Promise<unknown> = Promise.resolve();
  #room: Buffer | undefined;

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
    if (isFirst) this.#takeAtOnce([chunk], callback);
    else if (!this.#pace?.nextIsQuick()) this.#take([chunk], callback);
    else if (chunk.length > SHORT_PIECE_BYTES) this.#takeAtOnce([chunk], callback);
    else this.#takeAtOnce([chunk], (error) => setImmediate(callback, error));
  }

  /** What gathered behind a write goes out as one: a network's small pieces cost one call a batch, or a turn. */
  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    const pieces = chunks.map(({ chunk }) => chunk);
    if (this.#pace?.nextIsQuick()) this.#takeAtOnce(pieces, callback);
    else this.#take(pieces, callback);
  }

  #takeAtOnce(pieces: readonly Buffer[], callback: (error?: Error | null) => void): void {
    this.#fresh = false;
    try {
      for (const piece of this.#joined(pieces)) this.#writeAtOnce(piece);
    } catch (error) {
      callback(toXferError(error, `write ${this.#label}`));
      return;
    }
    callback();
  }

  #writeAtOnce(piece: Buffer): void {
    const write = () => writeAtOnce(this.#descriptor, piece, this.#at);
    if (this.#pace) this.#pace.measured(write);
    else write();
    this.#held(piece.length);
  }

  #take(pieces: readonly Buffer[], callback: (error?: Error | null) => void): void {
    this.#fresh = false;
    this.#writing = this.#writeAll(pieces).then(
      () => callback(),
      (error: unknown) => callback(toXferError(error, `write ${this.#label}`)),
    );
  }

  async #writeAll(pieces: readonly Buffer[]): Promise<void> {
    for (const piece of this.#joined(pieces)) {
      await writePieces(this.#descriptor, [piece], this.#seekable ? this.#at : undefined, (bytes) => this.#held(bytes));
    }
  }

  #held(bytes: number): void {
    this.#at += bytes;
    this.emit('held', bytes);
  }

  /** The same bytes in order: a long piece as it lies, short ones joined. Each is written before the next is asked for. */
  *#joined(pieces: readonly Buffer[]): Generator<Buffer> {
    for (let left = pieces; left.length > 0; ) {
      const count = shortOnes(left);
      const piece = count > 1 ? this.#join(left.slice(0, count)) : left[0];
      left = left.slice(Math.max(1, count));
      if (piece) yield piece;
    }
  }

  /** One piece, as far from its page's begin as its place in the file, and half a page: see `bulkBuffer`. */
  #join(pieces: readonly Buffer[]): Buffer {
    this.#room ??= bulkBuffer(JOINED_BYTES + PAGE_BYTES);
    const from = this.#at % PAGE_BYTES;
    let at = from;
    for (const piece of pieces) at += piece.copy(this.#room, at);
    return this.#room.subarray(from, at);
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
