/** A file's bytes on their way into requests. */
import { Writable } from 'node:stream';
import type { Light } from '../../../concurrency/at-once.js';
import { XferError } from '../../../errors.js';
import type { Scope } from '../../../transport.js';

interface Parts {
  /** Resolves when the chunk was taken, and may be overwritten. `onHeld` is told of bytes as they go. */
  take(chunk: Buffer, onHeld: (bytes: number) => void, scope: Scope): Promise<void>;
  finish(onHeld: (bytes: number) => void, scope: Scope): Promise<void>;
}

/** Hands bytes on one piece after the other. Destroyed before its end it stops the requests under way. */
export class PartWriter extends Writable implements Partial<Light> {
  /** Absent where the bytes are encrypted on their way: that is work for this thread. */
  declare readonly isLight?: true;
  readonly #parts: Parts;
  readonly #stop = new AbortController();
  readonly #scope: Scope;
  #running: Promise<void> = Promise.resolve();

  constructor(scope: Scope, parts: Parts, to: URL) {
    super({ highWaterMark: 2 << 20 });
    if (to.protocol === 'http:') this.isLight = true;
    this.#parts = parts;
    this.#scope = { signal: AbortSignal.any([scope.signal, this.#stop.signal]) };
  }

  readonly #onHeld = (bytes: number): void => {
    this.emit('held', bytes);
  };

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#run(() => this.#parts.take(chunk, this.#onHeld, this.#scope), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#run(() => this.#parts.finish(this.#onHeld, this.#scope), callback);
  }

  #run(work: () => Promise<void>, callback: (error?: Error | null) => void): void {
    this.#running = work();
    this.#running.then(
      () => callback(),
      (error: Error) => callback(error),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.writableFinished) this.#stop.abort(error ?? new XferError('DISCONNECTED', 'put: it was stopped'));
    void this.#running.catch(() => undefined).then(() => callback(error));
  }
}
