/** Bytes of an open file as a stream, read ahead of the consumer in large pieces. */
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { BufferPool, type Recycling } from '../../buffer-pool.js';
import { toXferError, XferError } from '../../errors.js';

/** Measured: 64 KiB reads send a third of what these do. As much as OpenSSH's sftp server takes in one request. */
const CHUNK_BYTES = 255 << 10;
const CHUNKS_AHEAD = 2;

/** Of a long range that one stream brings in order: half the work for each byte. */
const LONG_CHUNK_BYTES = 1020 << 10;
const LONG_BYTES = 64 << 20;

const pool = new BufferPool(CHUNK_BYTES, 64);
const longPool = new BufferPool(LONG_CHUNK_BYTES, 8);

export interface FileReaderOptions {
  readonly handle: FileHandle;
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
}

/** Exactly the bytes from `start` to `end`, else the stream fails with TRUNCATED. */
export class FileReader extends Readable implements Recycling {
  readonly #options: FileReaderOptions;
  readonly #chunkBytes: number;
  readonly #pool: BufferPool;
  #at: number;
  #reading: Promise<unknown> | undefined;

  constructor(options: FileReaderOptions) {
    // By chunks: a stream of bytes would join those that wait, by copying them.
    super({ objectMode: true, highWaterMark: CHUNKS_AHEAD });
    this.#options = options;
    this.#at = options.start;
    const isLong = options.end !== undefined && options.end - options.start >= LONG_BYTES;
    this.#chunkBytes = isLong ? LONG_CHUNK_BYTES : CHUNK_BYTES;
    this.#pool = isLong ? longPool : pool;
  }

  override _read(): void {
    this.#reading = this.#next().catch((error: unknown) =>
      this.destroy(toXferError(error, `read ${this.#options.label}`)),
    );
  }

  async #next(): Promise<void> {
    const { handle, end, label, seekable } = this.#options;
    const most = this.#chunkBytes;
    const wanted = Math.min(most, end === undefined ? most : end - this.#at);
    if (wanted <= 0) return this.#end();
    // A short file must not cost a long buffer, which nobody gives back where the stream is piped on.
    const buffer = wanted < most ? Buffer.allocUnsafeSlow(wanted) : this.#pool.take();
    const { bytesRead } = await handle.read(buffer, 0, wanted, seekable === false ? null : this.#at);
    if (bytesRead === 0 && end !== undefined) {
      throw new XferError('TRUNCATED', `read ${label}: the file ends at byte ${this.#at}, ${end - this.#at} too early`);
    }
    if (bytesRead === 0) return this.#end();
    this.#at += bytesRead;
    this.push(buffer.subarray(0, bytesRead));
  }

  recycle(chunk: Buffer): void {
    this.#pool.give(chunk);
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
