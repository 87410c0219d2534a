import { Writable } from 'node:stream';
import { onAbort } from '../../../concurrency/on-abort.js';
import type { SftpClient } from './client.js';

export interface RangeWriterOptions {
  readonly client: SftpClient;
  readonly handle: Buffer;
  readonly start: number;
  /** Starts messages, as in `write photo.jpg`. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** Called in the same turn as the WRITE that makes `bytes` in all, so that what it asks leaves together with it. */
  readonly onSent?: (bytes: number) => void;
  /** Makes the error of a failed WRITE clearer. */
  readonly explain: (error: unknown) => Promise<Error>;
}

/**
 * Writes from an offset on, by many WRITEs at once. 'held' tells bytes that the server acknowledged, in order; 'close'
 * comes when it acknowledged all. One failed WRITE fails the stream. The handle stays open.
 */
export class RangeWriter extends Writable {
  readonly #options: RangeWriterOptions;
  readonly #unacknowledged: { readonly length: number; done: boolean }[] = [];
  /** Bytes sent and not yet acknowledged, at most. */
  readonly #mostBytes: number;
  #offset: number;
  #sent = 0;
  #inFlight = 0;
  #gathered: Buffer | undefined;
  #gatheredBytes = 0;
  #resume: (() => void) | undefined;
  #finish: (() => void) | undefined;
  #freeSignal: (() => void) | undefined;

  constructor(options: RangeWriterOptions) {
    super({ highWaterMark: 1024 * 1024, decodeStrings: true });
    this.#options = options;
    this.#offset = options.start;
    this.#mostBytes = options.client.windowBytes.write;
    this.#freeSignal = onAbort(options.signal, () => {
      const { reason } = options.signal;
      this.destroy(reason instanceof Error ? reason : new Error(String(reason)));
    });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const size = this.#options.client.limits.writeBytes;
    let at = 0;
    while (at < chunk.length) {
      const whole = this.#gatheredBytes === 0 && (chunk.length - at >= size || this.#inFlight === 0);
      const taken = Math.min(chunk.length - at, size - this.#gatheredBytes);
      if (whole) this.#send(chunk.subarray(at, at + taken));
      else this.#gather(chunk.subarray(at, at + taken), size);
      at += taken;
    }
    this.#resume = done;
    this.#continue();
  }

  /** Small pieces wait for more, while others are on their way: one WRITE carries them together. */
  #gather(bytes: Buffer, size: number): void {
    this.#gathered ??= Buffer.allocUnsafe(size);
    this.#gathered.set(bytes, this.#gatheredBytes);
    this.#gatheredBytes += bytes.length;
    if (this.#gatheredBytes === size) this.#sendGathered();
  }

  #sendGathered(): void {
    const bytes = this.#gathered?.subarray(0, this.#gatheredBytes);
    this.#gatheredBytes = 0;
    if (bytes && bytes.length > 0) this.#send(bytes);
  }

  #send(bytes: Buffer): void {
    const { client, handle, what, onSent } = this.#options;
    const { length } = bytes;
    const part = { length, done: false };
    this.#unacknowledged.push(part);
    this.#inFlight += length;
    const offset = this.#offset;
    this.#offset += length;
    this.#sent += length;
    client.write(handle, offset, bytes, what).then(
      () => this.#acknowledge(part),
      (error: unknown) => void this.#options.explain(error).then((clear) => this.destroy(clear)),
    );
    onSent?.(this.#sent);
  }

  #acknowledge(part: { readonly length: number; done: boolean }): void {
    if (this.destroyed) return;
    part.done = true;
    this.#inFlight -= part.length;
    let held = 0;
    while (this.#unacknowledged[0]?.done) held += this.#unacknowledged.shift()?.length ?? 0;
    if (held > 0) this.emit('held', held);
    if (this.#inFlight === 0) this.#sendGathered();
    this.#continue();
  }

  #continue(): void {
    if (this.#finish && this.#unacknowledged.length === 0) {
      const finish = this.#finish;
      this.#finish = undefined;
      finish();
      return;
    }
    const { channel } = this.#options.client;
    if (!this.#resume || this.#inFlight >= this.#mostBytes) return;
    if (channel.blocked) {
      channel.whenWritable(() => this.#continue());
      return;
    }
    const resume = this.#resume;
    this.#resume = undefined;
    resume();
  }

  override _final(done: () => void): void {
    this.#sendGathered();
    this.#finish = done;
    this.#continue();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#freeSignal?.();
    this.#resume = undefined;
    this.#finish = undefined;
    this.#gathered = undefined;
    done(error);
  }
}
