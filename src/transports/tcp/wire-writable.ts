/** The stream into a connection. */
import { Writable } from 'node:stream';
import type { Light } from '../../concurrency/at-once.js';
import { withinTimerMs } from '../../concurrency/longest-timer.js';
import { toXferError, XferError } from '../../errors.js';
import type { PassingDigest } from './passing-digest.js';
import type { Wire } from './wire.js';

const HIGH_WATER_BYTES = 1024 * 1024;
const UNCONFIRMED_HINT = 'it may have part or all of it: compare sizes or digests there';

/** The same error, of bytes of which nobody knows whether they arrived; itself where the other end said that it takes none. */
export function unconfirmed(error: XferError): XferError {
  if (error.code === 'PROTOCOL') return error;
  return new XferError(error.code, `${error.message}: not confirmed`, { hint: UNCONFIRMED_HINT, cause: error });
}

/** Passes chunks to the socket; 'close' comes once the kernel has taken them all. It does not send FIN: commit does. */
export class WireWritable extends Writable implements Light {
  readonly isLight = true;
  bytesSent = 0;
  readonly #wire: Wire;
  readonly #digest: PassingDigest | undefined;
  readonly #signal: AbortSignal;
  #writing = false;
  readonly #abort = () => this.destroy(this.#signal.reason);
  readonly #timeOut = () => {
    if (!this.#writing) return;
    this.destroy(new XferError('TIMED_OUT', `send ${this.#wire.label}: the other end takes no more bytes`));
  };

  constructor(wire: Wire, idleTimeoutMs: number | undefined, digest: PassingDigest | undefined, signal: AbortSignal) {
    super({ highWaterMark: HIGH_WATER_BYTES, decodeStrings: true });
    this.#wire = wire;
    this.#digest = digest;
    this.#signal = signal;
    signal.addEventListener('abort', this.#abort, { once: true });
    // Node's own timeout counts a chunk that is taken bit by bit as progress.
    if (idleTimeoutMs !== undefined) {
      wire.socket.setTimeout(withinTimerMs(idleTimeoutMs)).on('timeout', this.#timeOut);
    }
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#writing = true;
    this.#digest?.update(chunk);
    this.#wire.socket.write(chunk, (error) => {
      this.#writing = false;
      if (!error) this.bytesSent += chunk.length;
      done(error ? unconfirmed(this.#wire.failure ?? toXferError(error, `send ${this.#wire.label}`)) : null);
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#signal.removeEventListener('abort', this.#abort);
    this.#wire.socket.setTimeout(0).off('timeout', this.#timeOut);
    if (error !== null || !this.writableFinished) this.#wire.cut();
    done(error);
  }
}
