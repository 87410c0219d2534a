/** Bytes of an open file as a stream, read ahead of the consumer in large pieces. */
import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type AtOnce, CallPace } from '../../concurrency/at-once.js';
import { toXferError, XferError } from '../../errors.js';
import { BufferPool, bulkBuffer, type Recycling } from '../../streams/buffer-pool.js';

/**
 * Measured: 64 KiB reads send a third of what these do. Two requests of whole pages to OpenSSH's sftp server, so that none is
 * put together of two pieces.
 */
const CHUNK_BYTES = 504 << 10;
const CHUNKS_AHEAD = 2;

/** One call at once for so many is as cheap as for more, and they are still in the processor's cache when they are sent. */
const AT_ONCE_BYTES = 1 << 20;

const pool = new BufferPool(CHUNK_BYTES, 64);
const poolAtOnce = new BufferPool(AT_ONCE_BYTES, 8);

export interface FileReaderOptions {
  readonly handle: Pick<FileHandle, 'fd' | 'read'>;
  readonly label: string;
  readonly start: number;
  /** Absent: until the file's end, wherever that is (a pipe, a device). */
  readonly end?: number;
  /** Last look at the file before the stream ends; a rejection fails the stream. */
  readonly check?: () => Promise<void>;
  /** Runs once the stream is closed, whatever happened. */
  readonly release?: () => Promise<void>;
  /** A pipe or a device is read at its own position. */
  readonly seekable?: boolean;
  /** So is a regular file that somebody else opened. */
  readonly atOwnPosition?: boolean;
}

/** Exactly the bytes from `start` to `end`, else the stream fails with TRUNCATED. */
export class FileReader extends Readable implements Recycling, AtOnce {
  readonly #options: FileReaderOptions;
  #at: number;
  #reading: Promise<unknown> | undefined;
  #pace: CallPace | undefined;

  constructor(options: FileReaderOptions) {
    // By chunks: a stream of bytes would join those that wait, by copying them.
    super({ objectMode: true, highWaterMark: CHUNKS_AHEAD });
    this.#options = options;
    this.#at = options.start;
  }

  workAtOnce(): void {
    if (this.#options.seekable !== false) this.#pace = new CallPace();
  }

  get #position(): number | null {
    const { seekable, atOwnPosition } = this.#options;
    return seekable === false || atOwnPosition ? null : this.#at;
  }

  override _read(): void {
    this.#reading = this.#next().catch((error: unknown) =>
      this.destroy(toXferError(error, `read ${this.#options.label}`)),
    );
  }

  async #next(): Promise<void> {
    const { end, label } = this.#options;
    const left = end === undefined ? Number.POSITIVE_INFINITY : end - this.#at;
    if (left <= 0) return this.#end();
    const bytes = await (this.#pace?.nextIsQuick() ? this.#readAtOnce(left, this.#pace) : this.#readInThread(left));
    if (bytes.length === 0 && end !== undefined) {
      throw new XferError('TRUNCATED', `read ${label}: the file ends at byte ${this.#at}, ${left} too early`);
    }
    if (bytes.length === 0) return this.#end();
    this.#at += bytes.length;
    this.push(bytes);
  }

  async #readInThread(left: number): Promise<Buffer> {
    const { handle } = this.#options;
    const buffer = bufferFor(left, CHUNK_BYTES, pool);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, this.#position);
    return buffer.subarray(0, bytesRead);
  }

  #readAtOnce(left: number, pace: CallPace): Buffer {
    const buffer = bufferFor(left, AT_ONCE_BYTES, poolAtOnce);
    const bytesRead = pace.measured(() => readSync(this.#options.handle.fd, buffer, 0, buffer.length, this.#position));
    return buffer.subarray(0, bytesRead);
  }

  recycle(chunk: Buffer): void {
    pool.give(chunk);
    poolAtOnce.give(chunk);
  }

  async #end(): Promise<void> {
    await this.#options.check?.();
    this.push(null);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const release = async (): Promise<void> => {
      await this.#reading;
      await this.#options.release?.();
    };
    release().then(
      () => callback(error),
      (failure: unknown) => callback(error ?? (failure as Error)),
    );
  }
}

/** A short file must not cost a long buffer, which nobody gives back where the stream is piped on. */
function bufferFor(left: number, most: number, from: BufferPool): Buffer {
  return left < most ? bulkBuffer(left) : from.take();
}
