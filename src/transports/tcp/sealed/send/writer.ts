/** The stream of one range of a file to a receiver. */
import { Writable } from 'node:stream';
import type { XferError } from '../../../../errors.js';
import { BodyWriter } from '../body.js';
import { FRAME } from '../frame.js';
import type { Requests } from './requests.js';

const HIGH_WATER_BYTES = 1 << 20;

/** 'close' without an error comes once the far side holds all of it; 'held' tells of bytes that it acknowledged. */
export class SealedWriter extends Writable {
  readonly #requests: Requests;
  readonly #signal: AbortSignal;
  readonly #id: number;
  #finish: ((error?: Error | null) => void) | undefined;
  #answered = false;
  readonly #abort = () => this.destroy(this.#signal.reason);

  constructor(requests: Requests, draft: number, start: number, signal: AbortSignal) {
    super({ highWaterMark: HIGH_WATER_BYTES, decodeStrings: true });
    this.#requests = requests;
    this.#signal = signal;
    signal.addEventListener('abort', this.#abort, { once: true });
    this.#id = requests.begin(FRAME.write, [new BodyWriter().u32(draft).u64(start).bytes()], {
      onDone: () => this.#end(),
      onFailed: (error) => this.#end(error),
      onHeld: (bytes) => this.emit('held', bytes),
    });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#requests.lane.sendBytes(this.#id, chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#requests.lane.send(FRAME.end, this.#id);
    this.#finish = done;
    if (this.#answered) done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#signal.removeEventListener('abort', this.#abort);
    if (!this.#answered) {
      this.#requests.forget(this.#id);
      this.#requests.lane.send(FRAME.abort, this.#id);
    }
    done(error);
  }

  #end(error?: XferError): void {
    this.#answered = true;
    if (error) this.destroy(error);
    else this.#finish?.();
  }
}
