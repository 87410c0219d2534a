/** Receives over raw TCP: one nameless file, whose end is the other end's FIN. */
import { Readable } from 'node:stream';
import { throwIfAborted, XferError } from '../../errors.js';
import type { Recycling } from '../../streams/buffer-pool.js';
import type { ByteRange, Entry, Scope, Source } from '../../transport.js';
import type { TcpOptions } from './options.js';
import { PassingDigest } from './passing-digest.js';
import { Pieces } from './pieces.js';
import { type Silence, watchSilence } from './silence.js';
import type { Wire } from './wire.js';

const HIGH_WATER_BYTES = 1024 * 1024;
/** A sender that closes by itself does it within this time after its last byte. */
const WHOLE_GRACE_MS = 500;
const FIN_TIMEOUT_MS = 8000;

/**
 * A source of the bytes that a connection brings. It never writes, and never closes its direction before the other end
 * has (plain peers lose data by both), except where `finishIdleMs` asks for it or all that is expected came.
 */
export class RawSource implements Source {
  readonly label: string;
  readonly identity: string;
  readonly name: string;
  readonly capabilities = { ranges: false, replay: false, parallel: false, metadata: false };
  readonly #wire: Wire;
  readonly #options: TcpOptions;
  #received: Received | undefined;

  /** `name` is what it is called in a directory. */
  constructor(wire: Wire, options: TcpOptions, name = 'received') {
    this.label = wire.label;
    this.name = name;
    this.identity = `tcp:${wire.label}`;
    this.#wire = wire;
    this.#options = options;
  }

  async *entries(scope: Scope): AsyncIterable<Entry> {
    throwIfAborted(scope.signal);
    const { expectedBytes } = this.#options;
    yield { path: '', kind: 'file', ...(expectedBytes === undefined ? {} : { size: expectedBytes }) };
  }

  /**
   * The bytes, once and from the start; UNSUPPORTED for anything else. Fails with DISCONNECTED, TIMED_OUT, PROTOCOL where a sealed end sends, and TRUNCATED or
   * CORRUPT where they are not those that are expected.
   */
  async read(_entry: Entry, range: ByteRange, scope: Scope): Promise<Readable> {
    throwIfAborted(scope.signal);
    const all = range.start === 0 && (range.end === undefined || range.end === this.#options.expectedBytes);
    if (this.#received !== undefined || !all) {
      throw new XferError('UNSUPPORTED', `read ${this.label}: a plain TCP connection brings its bytes once`);
    }
    this.#received = new Received(this.#wire, this.#options, scope.signal);
    return this.#received;
  }

  async close(): Promise<void> {
    if (this.#received) this.#received.destroy();
    else this.#wire.cut();
    await this.#wire.closed;
  }
}

class Received extends Readable implements Recycling {
  readonly #wire: Wire;
  readonly #options: TcpOptions;
  readonly #signal: AbortSignal;
  readonly #digest: PassingDigest | undefined;
  readonly #silences: readonly Silence[];
  /** Counts from when all that is expected came. */
  #surplus: Silence | undefined;
  readonly #pieces = new Pieces();
  #bytes = 0;
  #ended = false;
  #isWanted = false;
  /** Nothing is added to the pieces any more. */
  #complete = false;
  readonly #abort = () => this.destroy(this.#signal.reason);

  constructor(wire: Wire, options: TcpOptions, signal: AbortSignal) {
    // By pieces: a stream of bytes would join those that wait, by copying them.
    super({ objectMode: true, highWaterMark: 1 });
    this.#wire = wire;
    this.#options = options;
    this.#signal = signal;
    const isNeeded = options.expectedSha256 !== undefined;
    this.#digest = isNeeded || options.onPassed ? new PassingDigest(isNeeded) : undefined;
    signal.addEventListener('abort', this.#abort, { once: true });
    this.#silences = [
      watchSilence(options.idleTimeoutMs, () => this.#timeOut(options.idleTimeoutMs ?? 0)),
      watchSilence(options.finishIdleMs, () => this.#finishEarly(options)),
    ];
    if (options.expectedBytes === 0) this.#waitForSurplus();
    wire.start({
      onBytes: (bytes) => this.#take(bytes),
      onEnd: () => {
        if (this.#isWhole || !wire.failIfReset()) this.#end();
      },
      // All of it came, whatever the other end did then.
      onFail: (error) => (this.#isWhole ? this.#end() : this.destroy(error)),
    });
  }

  get #isWhole(): boolean {
    return this.#bytes === this.#options.expectedBytes;
  }

  override _read(): void {
    this.#isWanted = true;
    this.#pass();
    if (!this.#wire.paused || this.#isFull) return;
    this.#heard();
    this.#wire.resume();
  }

  recycle(piece: Buffer): void {
    this.#wire.recycle(piece);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#signal.removeEventListener('abort', this.#abort);
    this.#stopWatching();
    if (error === null && this.readableEnded) {
      this.#wire.socket.end(() => this.#wire.socket.destroy());
    } else {
      this.#wire.cut();
    }
    done(error);
  }

  #take(bytes: Buffer): boolean {
    this.#heard();
    this.#bytes += bytes.length;
    const { expectedBytes = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#bytes > expectedBytes) {
      this.destroy(this.#wrong('CORRUPT', `more than ${expectedBytes} bytes came`));
      return false;
    }
    this.#digest?.update(bytes);
    if (this.#isWhole) this.#waitForSurplus();
    this.#pieces.add(bytes);
    this.#pass();
    return !this.#isFull;
  }

  get #isFull(): boolean {
    return this.#pieces.bytes >= HIGH_WATER_BYTES;
  }

  /** What waits goes on as one piece, as far as it lies side by side, once it is asked for. */
  #pass(): void {
    const piece = this.#isWanted ? this.#pieces.next() : undefined;
    if (piece) {
      this.#isWanted = false;
      this.push(piece);
    } else if (this.#complete && this.#pieces.bytes === 0) this.push(null);
  }

  /** All came that should. A sender that does not close by itself is told to, and not waited for. */
  #waitForSurplus(): void {
    this.#stopWatching();
    this.#surplus = watchSilence(WHOLE_GRACE_MS, () => {
      this.#wire.finish();
      this.#surplus = watchSilence(this.#options.finTimeoutMs ?? FIN_TIMEOUT_MS, () => this.#end());
    });
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopWatching();
    const { expectedBytes, expectedSha256, onPassed } = this.#options;
    if (expectedBytes !== undefined && !this.#isWhole) {
      this.destroy(this.#wrong('TRUNCATED', `${this.#bytes} of ${expectedBytes} bytes came`));
      return;
    }
    const sha256 = this.#digest?.hex();
    if (expectedSha256 !== undefined && sha256 !== expectedSha256) {
      this.destroy(this.#wrong('CORRUPT', `the SHA-256 of what came is ${sha256}, not ${expectedSha256}`));
      return;
    }
    onPassed?.({ bytes: this.#bytes, ...(sha256 === undefined ? {} : { sha256 }) });
    this.#complete = true;
    this.#pass();
  }

  #wrong(code: 'CORRUPT' | 'TRUNCATED', reason: string): XferError {
    return new XferError(code, `receive ${this.#wire.label}: ${reason}`, { hint: 'send it again' });
  }

  #heard(): void {
    for (const silence of this.#silences) silence.heard();
  }

  #stopWatching(): void {
    for (const silence of this.#silences) silence.stop();
    this.#surplus?.stop();
  }

  #timeOut(idleTimeoutMs: number): void {
    // Silent because we do not read: the taker of the bytes is slow, not the other end.
    if (this.#wire.paused) return;
    this.destroy(new XferError('TIMED_OUT', `receive ${this.#wire.label}: nothing came for ${idleTimeoutMs / 1000} s`));
  }

  #finishEarly(options: TcpOptions): void {
    if (this.#wire.paused || this.#wire.socket.writableEnded) return;
    options.onNotice?.(`nothing came for ${(options.finishIdleMs ?? 0) / 1000} s: told the sender that it may end`);
    this.#wire.finish();
  }
}
