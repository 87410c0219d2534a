/** Receives over raw TCP: one nameless file, whose end is the other end's FIN. */
import { Readable } from 'node:stream';
import { throwIfAborted, XferError } from '../../errors.js';
import type { ByteRange, Entry, Scope, Source } from '../../transport.js';
import type { TcpOptions } from './raw.js';
import { type Silence, watchSilence } from './silence.js';
import type { Wire } from './wire.js';

const HIGH_WATER_BYTES = 1024 * 1024;

/**
 * A source of the bytes that a connection brings. It never writes, and never closes its direction before the other end
 * has (plain peers lose data by both), except where `finishIdleMs` asks for it.
 */
export class RawSource implements Source {
  readonly label: string;
  readonly identity: string;
  readonly name = 'received';
  readonly capabilities = { ranges: false, replay: false, parallel: false, metadata: false };
  readonly #wire: Wire;
  readonly #options: TcpOptions;
  #received: Received | undefined;

  constructor(wire: Wire, options: TcpOptions) {
    this.label = wire.label;
    this.identity = `tcp:${wire.label}`;
    this.#wire = wire;
    this.#options = options;
  }

  async *entries(scope: Scope): AsyncIterable<Entry> {
    throwIfAborted(scope.signal);
    yield { path: '', kind: 'file' };
  }

  /** The bytes, once and from the start; UNSUPPORTED for anything else. Fails with DISCONNECTED, TIMED_OUT. */
  async read(_entry: Entry, range: ByteRange, scope: Scope): Promise<Readable> {
    throwIfAborted(scope.signal);
    if (this.#received !== undefined || range.start !== 0 || range.end !== undefined) {
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

class Received extends Readable {
  readonly #wire: Wire;
  readonly #signal: AbortSignal;
  readonly #silences: readonly Silence[];
  readonly #abort = () => this.destroy(this.#signal.reason);

  constructor(wire: Wire, options: TcpOptions, signal: AbortSignal) {
    super({ highWaterMark: HIGH_WATER_BYTES });
    this.#wire = wire;
    this.#signal = signal;
    signal.addEventListener('abort', this.#abort, { once: true });
    this.#silences = [
      watchSilence(options.idleTimeoutMs, () => this.#timeOut(options.idleTimeoutMs ?? 0)),
      watchSilence(options.finishIdleMs, () => this.#finishEarly(options)),
    ];
    wire.start({
      onBytes: (bytes) => {
        this.#heard();
        return this.push(bytes);
      },
      onEnd: () => {
        if (wire.failIfReset()) return;
        this.#stopWatching();
        this.push(null);
      },
      onFail: (error) => this.destroy(error),
    });
  }

  override _read(): void {
    if (!this.#wire.paused) return;
    this.#heard();
    this.#wire.resume();
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

  #heard(): void {
    for (const silence of this.#silences) silence.heard();
  }

  #stopWatching(): void {
    for (const silence of this.#silences) silence.stop();
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
