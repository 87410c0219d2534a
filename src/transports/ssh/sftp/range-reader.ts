import { Readable } from 'node:stream';
import { onAbort } from '../../../concurrency/on-abort.js';
import { XferError } from '../../../errors.js';
import type { Recycling } from '../../../streams/buffer-pool.js';
import type { ByteRange } from '../../../transport.js';
import type { SftpClient } from './client.js';
import { broken } from './codec.js';

const PIECES_AHEAD = 4;
const MIN_REQUEST_BYTES = 4 * 1024;

/** A part of the range that was asked for; short answers are filled up by asking again. */
interface Part {
  readonly start: number;
  readonly length: number;
  readonly pieces: Buffer[];
  received: number;
  ended: boolean;
}

export interface RangeReaderOptions {
  readonly client: SftpClient;
  readonly handle: Buffer;
  readonly range: ByteRange;
  /** Starts messages, as in `read photo.jpg`. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** Called once nothing more is asked for. */
  readonly release: () => void;
}

/**
 * Exactly the bytes of a range, by many READs at once, in order. Fails with TRUNCATED where the file ends before the range,
 * PROTOCOL where the server makes no progress, the signal's reason.
 */
export class RangeReader extends Readable implements Recycling {
  readonly #options: RangeReaderOptions;
  readonly #parts: Part[] = [];
  readonly #end: number;
  #next: number;
  #waitingBytes = 0;
  #requestBytes: number;
  /** Bytes asked for and not yet handed on, at most. */
  readonly #mostBytes: number;
  /** Without an end the size is not known: the window opens as answers come. */
  #window: number;
  #emptyAnswers = 0;
  #wanted = false;
  #freeSignal: (() => void) | undefined;

  constructor(options: RangeReaderOptions) {
    // By pieces: a stream of bytes would join those that wait, by copying them.
    super({ objectMode: true, highWaterMark: PIECES_AHEAD });
    this.#options = options;
    this.#next = options.range.start;
    this.#end = options.range.end ?? Number.MAX_SAFE_INTEGER;
    this.#requestBytes = options.client.limits.readBytes;
    this.#mostBytes = options.client.windowBytes.read;
    this.#window = options.range.end === undefined ? this.#requestBytes : this.#mostBytes;
    this.#freeSignal = onAbort(options.signal, () => {
      const { reason } = options.signal;
      this.destroy(reason instanceof Error ? reason : new Error(String(reason)));
    });
  }

  recycle(chunk: Buffer): void {
    this.#options.client.recycle(chunk);
  }

  /** Sends the first READs at once, before anybody reads. */
  prime(): void {
    while (this.#next < this.#end && this.#waitingBytes < this.#window && !this.destroyed) {
      const length = Math.min(this.#requestBytes, this.#end - this.#next);
      const part: Part = { start: this.#next, length, pieces: [], received: 0, ended: false };
      this.#parts.push(part);
      this.#next += length;
      this.#waitingBytes += length;
      this.#ask(part);
    }
  }

  override _read(): void {
    this.#wanted = true;
    this.#deliver();
  }

  #ask(part: Part): void {
    const { client, handle, what } = this.#options;
    const start = part.start + part.received;
    client.read(handle, start, part.length - part.received, what).then(
      (bytes) => this.#take(part, bytes),
      (error: Error) => this.destroy(error),
    );
  }

  #take(part: Part, bytes: Buffer | undefined): void {
    if (this.destroyed) return;
    if (!bytes) {
      part.ended = true;
    } else if (bytes.length === 0) {
      if (++this.#emptyAnswers > 1) return void this.destroy(broken(`${this.#options.what}: it sends no bytes`));
      this.#ask(part);
    } else {
      this.#emptyAnswers = 0;
      part.pieces.push(bytes);
      part.received += bytes.length;
      if (part.received < part.length) {
        this.#requestBytes = Math.max(MIN_REQUEST_BYTES, Math.min(this.#requestBytes, bytes.length));
        this.#ask(part);
      }
    }
    this.#deliver();
  }

  #deliver(): void {
    while (this.#wanted && !this.destroyed) {
      const part = this.#parts[0];
      if (!part || (part.pieces.length === 0 && !part.ended)) break;
      for (const piece of part.pieces.splice(0)) if (!this.push(piece)) this.#wanted = false;
      if (part.ended) {
        this.#endEarly(part.start + part.received);
        return;
      }
      if (part.received < part.length) break;
      this.#parts.shift();
      this.#waitingBytes -= part.length;
      this.#window = Math.min(this.#mostBytes, this.#window * 2);
    }
    if (this.#wanted) this.prime();
    if (this.#parts.length === 0 && this.#next >= this.#end && !this.destroyed) this.push(null);
  }

  #endEarly(at: number): void {
    const { range, what } = this.#options;
    this.#parts.length = 0;
    this.#next = this.#end;
    if (range.end === undefined) return void this.push(null);
    this.destroy(new XferError('TRUNCATED', `${what}: the file ends at ${at}, not at ${range.end}`));
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#freeSignal?.();
    this.#parts.length = 0;
    this.#options.release();
    done(error);
  }
}
