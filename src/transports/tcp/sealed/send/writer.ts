/** The stream of one range of a file to a receiver. */
import { Writable } from 'node:stream';
import { onAbort } from '../../../../concurrency/on-abort.js';
import { XferError } from '../../../../errors.js';
import { BodyWriter } from '../body.js';
import { FRAME } from '../frame.js';
import type { Requests } from './requests.js';

const HIGH_WATER_BYTES = 1 << 20;

/** 'close' without an error comes once the far side holds all of it; 'held' tells of bytes that it acknowledged. */
export class SealedWriter extends Writable {
  readonly #requests: Requests;
  readonly #id: number;
  #sentBytes = 0;
  #heldBytes = 0;
  #finish: ((error?: Error | null) => void) | undefined;
  #answered = false;
  #unwatch: () => void = () => {};

  constructor(requests: Requests, draft: number, start: number, signal: AbortSignal) {
    super({ highWaterMark: HIGH_WATER_BYTES, decodeStrings: true });
    this.#requests = requests;
    this.#id = requests.begin(FRAME.write, [new BodyWriter().u32(draft).u64(start).bytes()], {
      onDone: () => this.#done(),
      onFailed: (error) => this.#failed(error),
      onHeld: (bytes) => this.#held(bytes),
    });
    if (!this.destroyed) this.#unwatch = onAbort(signal, () => this.destroy(signal.reason));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#sentBytes += chunk.length;
    this.#requests.lane.sendBytes(this.#id, chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#requests.lane.send(FRAME.end, this.#id);
    this.#finish = done;
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#unwatch();
    if (!this.#answered) {
      this.#requests.forget(this.#id);
      this.#requests.lane.send(FRAME.abort, this.#id);
    }
    done(error);
  }

  #held(bytes: number): void {
    this.#heldBytes += bytes;
    if (this.#heldBytes > this.#sentBytes) throw this.#lie('says that it holds more than was sent');
    this.emit('held', bytes);
  }

  #done(): void {
    this.#answered = true;
    if (this.#finish) this.#finish();
    else this.destroy(this.#lie('says that it holds all before all was sent'));
  }

  #failed(error: XferError): void {
    this.#answered = true;
    this.destroy(error);
  }

  #lie(how: string): XferError {
    return new XferError('PROTOCOL', `connection ${this.#requests.lane.label}: the receiver ${how}`);
  }
}
