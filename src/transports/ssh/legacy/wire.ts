/** One stream of the old scp protocol: lines, bytes and answers, each bounded, each stopped by a signal. */
import type { Duplex } from 'node:stream';
import { onAbort } from '../../../concurrency/on-abort.js';
import { throwIfAborted, toXferError, XferError } from '../../../errors.js';
import type { Scope } from '../../../transport.js';

/** OpenSSH's scp takes lines of 16,384 bytes; a path has at most 4,096, and so has a name. */
const LONGEST_LINE = 8192;
const HIGH_WATER_BYTES = 1024 * 1024;
const LINE_FEED = 0x0a;

export class LegacyWire {
  /** For messages: who is at the other end. */
  readonly label: string;
  readonly #stream: Duplex;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #ended = false;
  #failure: XferError | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(stream: Duplex, label: string) {
    this.#stream = stream;
    this.label = label;
    // What came is kept apart from the stream: where it fails, its last words are still read.
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.resume();
    stream.on('end', () => this.#end());
    stream.on('close', () => this.#end());
    stream.on('error', (error) => {
      this.#failure ??= toXferError(error, `connection to ${label}`);
      this.#end();
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #receive(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes >= HIGH_WATER_BYTES) this.#stream.pause();
    this.#wake();
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Up to `most` bytes, as they come; undefined where no more will. DISCONNECTED, the signal's reason. */
  async take(most: number, scope: Scope): Promise<Buffer | undefined> {
    await this.#until(() => this.#receivedBytes > 0 || this.#ended, scope);
    const chunk = this.#received.shift();
    if (!chunk) {
      if (this.#failure) throw this.#failure;
      return undefined;
    }
    if (chunk.length > most) this.#received.unshift(chunk.subarray(most));
    const taken = chunk.subarray(0, most);
    this.#receivedBytes -= taken.length;
    if (this.#receivedBytes < HIGH_WATER_BYTES && this.#stream.isPaused()) this.#stream.resume();
    return taken;
  }

  /** A line without its end; undefined where no more will come. PROTOCOL where it is too long, DISCONNECTED inside of one. */
  async line(scope: Scope): Promise<Buffer | undefined> {
    const pieces: Buffer[] = [];
    let length = 0;
    for (;;) {
      const chunk = await this.take(LONGEST_LINE, scope);
      if (!chunk && length === 0) return undefined;
      if (!chunk) throw new XferError('DISCONNECTED', `connection to ${this.label}: it ended inside a line`);
      const at = chunk.indexOf(LINE_FEED);
      length += at < 0 ? chunk.length : at;
      if (length > LONGEST_LINE) throw new XferError('PROTOCOL', `read from ${this.label}: a line without an end`);
      if (at < 0) {
        pieces.push(chunk);
        continue;
      }
      this.#putBack(chunk.subarray(at + 1));
      return Buffer.concat([...pieces, chunk.subarray(0, at)]);
    }
  }

  #putBack(rest: Buffer): void {
    if (rest.length === 0) return;
    this.#received.unshift(rest);
    this.#receivedBytes += rest.length;
  }

  /** One byte; undefined where no more will come. */
  async byte(scope: Scope): Promise<number | undefined> {
    return (await this.take(1, scope))?.[0];
  }

  /**
   * Resolves when the stream has taken the bytes, and not before: whoever wrote them fills their buffer again then.
   * DISCONNECTED, the signal's reason.
   */
  async write(bytes: Uint8Array, scope: Scope): Promise<void> {
    throwIfAborted(scope.signal);
    if (!this.#stream.writable) throw this.#cannotWrite();
    let taken = false;
    this.#stream.write(bytes, (error) => {
      taken = !error;
      this.#wake();
    });
    await this.#until(() => taken || !this.#stream.writable, scope);
    if (!taken) throw this.#cannotWrite();
  }

  #cannotWrite(): XferError {
    return this.#failure ?? new XferError('DISCONNECTED', `connection to ${this.label}: it ended`);
  }

  /** Nothing more can be said. */
  get isBroken(): boolean {
    return !this.#stream.writable;
  }

  #until(isSo: () => boolean, { signal }: Scope): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (isSo()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        free();
        this.#waiting.delete(look);
        act();
      };
      const look = () => {
        if (isSo()) settle(resolve);
      };
      const free = onAbort(signal, () => settle(() => reject(signal.reason)));
      this.#waiting.add(look);
    });
  }

  /** Says that no more will be written. */
  finish(): void {
    if (this.#stream.writable) this.#stream.end();
  }

  /** Last words, where there is room for them, and the end of the stream. */
  cut(words?: Uint8Array): void {
    if (words && this.#stream.writable) this.#stream.end(words, () => this.#stream.destroy());
    else this.#stream.destroy();
  }
}
