/** Sends over raw TCP: one file's bytes and nothing else, confirmed by the other end's FIN. */
import type { Writable } from 'node:stream';
import { throwIfAborted, XferError } from '../../errors.js';
import type { Draft, Entry, Scope, Sink } from '../../transport.js';
import type { TcpOptions } from './options.js';
import { PassingDigest } from './passing-digest.js';
import { watchSilence } from './silence.js';
import { drainWatch, queueLength, RESET_GRACE_MS, whenTaken } from './unsent.js';
import type { Wire } from './wire.js';
import { unconfirmed, WireWritable } from './wire-writable.js';

const FIN_TIMEOUT_MS = 8000;
/** After this long a person at the other end may wonder why nothing happens. */
const FIN_NOTICE_MS = 1000;
/** After this long it is looked how much of what was sent is on its way. */
const WATCH_AFTER_MS = 50;
const FIN_NOTICE = 'all is sent, and the other end has not closed yet: where it is nc on a terminal, press ^D there';
const NO_FIN_HINT =
  'end it there (^D or ^C) and compare sizes or digests; nc -N, ncat --recv-only and socat -u end by themselves';

/** A sink of one file. What comes from the other end is thrown away, so that closing does not reset what was sent. */
export class RawSink implements Sink {
  readonly label: string;
  readonly identity: string;
  readonly capabilities = {
    offsets: false,
    atomic: false,
    resume: false,
    parallel: false,
    metadata: false,
    once: true,
  };
  readonly #wire: Wire;
  readonly #options: TcpOptions;
  #draft: RawDraft | undefined;

  constructor(wire: Wire, options: TcpOptions) {
    this.label = wire.label;
    this.identity = `tcp:${wire.label}`;
    this.#wire = wire;
    this.#options = options;
  }

  async stat(): Promise<undefined> {
    return undefined;
  }

  async create(entry: Entry): Promise<void> {
    throw new XferError('UNSUPPORTED', `send ${entry.path || entry.kind}: plain TCP carries the bytes of one file`, {
      hint: 'send a tar of it: tar c DIR | xfer send HOST:PORT -',
    });
  }

  async draft(entry: Entry, scope: Scope): Promise<Draft> {
    throwIfAborted(scope.signal);
    if (entry.kind !== 'file') await this.create(entry);
    if (this.#draft) {
      throw new XferError('UNSUPPORTED', `send ${entry.path}: plain TCP carries one file for a connection`, {
        hint: 'send each by itself, or a tar of them: tar c FILES | xfer send HOST:PORT -',
      });
    }
    this.#draft = new RawDraft(this.#wire, this.#options);
    return this.#draft;
  }

  async close(): Promise<void> {
    this.#wire.cut();
    await this.#wire.closed;
  }
}

class RawDraft implements Draft {
  readonly held = [];
  readonly #wire: Wire;
  readonly #options: TcpOptions;
  readonly #digest: PassingDigest | undefined;
  #writable: WireWritable | undefined;
  #onPeer: (() => void) | undefined;

  constructor(wire: Wire, options: TcpOptions) {
    this.#wire = wire;
    this.#options = options;
    this.#digest = options.onPassed && new PassingDigest(false);
    const wake = () => this.#onPeer?.();
    wire.start({
      onBytes: (bytes) => {
        wire.recycle(bytes);
        wake();
        return true;
      },
      onEnd: wake,
      onFail: (error) => {
        this.#writable?.destroy(unconfirmed(error));
        wake();
      },
    });
  }

  get #finTimeoutMs(): number {
    return this.#options.finTimeoutMs ?? FIN_TIMEOUT_MS;
  }

  async write(start: number, scope: Scope): Promise<Writable> {
    throwIfAborted(scope.signal);
    if (this.#wire.failure) throw unconfirmed(this.#wire.failure);
    if (start !== 0 || this.#writable) {
      throw new XferError('UNSUPPORTED', `send ${this.#wire.label}: plain TCP sends its bytes once, from the start`);
    }
    this.#writable = new WireWritable(this.#wire, this.#options.idleTimeoutMs, this.#digest, scope.signal);
    return this.#writable;
  }

  /**
   * Sends FIN and waits for the other end's. DISCONNECTED where it reset the connection, TIMED_OUT where it did not close
   * in time: in both it is not known how much arrived. PROTOCOL where it takes sealed transfers only. TRUNCATED, after a reset, where `entry.size` is not what was sent.
   */
  async commit(entry: Entry, scope: Scope): Promise<void> {
    throwIfAborted(scope.signal);
    if (this.#wire.failure) throw unconfirmed(this.#wire.failure);
    this.#checkLength(entry);
    try {
      const peerEnded = await this.#waitUntilTaken(scope);
      if (peerEnded) await this.#waitForReset(scope);
      this.#wire.finish();
      await this.#waitForPeer(scope);
    } finally {
      this.#wire.cut();
    }
    const sha256 = this.#digest?.hex();
    const bytes = this.#writable?.bytesSent ?? 0;
    this.#options.onPassed?.({ bytes, ...(sha256 === undefined ? {} : { sha256 }) });
  }

  async suspend(): Promise<void> {
    await this.discard();
  }

  async discard(): Promise<void> {
    this.#writable?.destroy();
    this.#wire.cut();
  }

  #checkLength(entry: Entry): void {
    const sent = this.#writable?.bytesSent ?? 0;
    const whole = this.#writable === undefined || this.#writable.writableFinished;
    if (whole && (entry.size === undefined || entry.size === sent)) return;
    this.#wire.cut();
    const announced = entry.size === undefined ? '' : ` of ${entry.size}`;
    throw new XferError('TRUNCATED', `send ${this.#wire.label}: ${sent} bytes${announced} were there to send`);
  }

  /** Whether the other end has closed early. A reset that answers our bytes is known by then, too. */
  async #waitUntilTaken(scope: Scope): Promise<boolean> {
    const { socket, peerPort } = this.#wire;
    let isTaken = false;
    let hasEnded = false;
    const stop = whenTaken(socket, peerPort, {
      onTaken: (peerEnded) => {
        isTaken = true;
        hasEnded = peerEnded;
        this.#onPeer?.();
      },
    });
    try {
      await this.#untilPeer(scope, this.#finTimeoutMs, () => isTaken || this.#wire.failure !== undefined);
    } finally {
      stop();
    }
    if (this.#wire.failure) throw unconfirmed(this.#wire.failure);
    return hasEnded || this.#wire.peerEnded;
  }

  /** An end that closed its sending direction early may be gone. Then a reset answers our bytes, and that is its only sign. */
  async #waitForReset(scope: Scope): Promise<void> {
    await this.#untilPeer(scope, RESET_GRACE_MS, () => this.#wire.failure !== undefined).catch((error: unknown) => {
      if (!(error instanceof XferError && error.code === 'TIMED_OUT')) throw error;
    });
    if (this.#wire.failure) throw unconfirmed(this.#wire.failure);
  }

  async #waitForPeer(scope: Scope): Promise<void> {
    const { socket, peerEnded } = this.#wire;
    const ended = () => this.#wire.failure !== undefined || (this.#wire.peerEnded && socket.writableFinished);
    const notice = watchSilence(FIN_NOTICE_MS, () => {
      const onItsWay = !socket.writableFinished || queueLength(socket.localPort, this.#wire.peerPort) > 0;
      if (onItsWay) notice.heard();
      else this.#options.onNotice?.(FIN_NOTICE);
    });
    try {
      await this.#untilPeer(scope, this.#finTimeoutMs, ended);
    } finally {
      notice.stop();
    }
    if (this.#wire.failure) throw unconfirmed(this.#wire.failure);
    if (peerEnded) this.#options.onNotice?.('the other end had closed early, so it could not confirm what it received');
  }

  /** Waits until `ended`, looked at whenever something comes from the other end; TIMED_OUT after `timeoutMs` of silence. */
  #untilPeer({ signal }: Scope, timeoutMs: number, ended: () => boolean): Promise<void> {
    const { socket, peerPort } = this.#wire;
    return new Promise<void>((resolve, reject) => {
      let drains = () => false;
      // Most ends answer at once, and where a machine has many connections the table of them is long to read.
      const watch = setTimeout(() => {
        drains = drainWatch(socket, peerPort);
      }, WATCH_AFTER_MS);
      const settle = (act: () => void) => {
        silence.stop();
        clearTimeout(watch);
        this.#onPeer = undefined;
        socket.off('finish', look);
        signal.removeEventListener('abort', abort);
        act();
      };
      const look = () => {
        silence.heard();
        if (ended()) settle(resolve);
      };
      const abort = () => settle(() => reject(signal.reason));
      const silence = watchSilence(timeoutMs, () => {
        // A slow line that still drains is not silent: the kernel took bytes that are on their way.
        if (drains()) silence.heard();
        else settle(() => reject(this.#noFin(timeoutMs)));
      });
      this.#onPeer = look;
      socket.on('finish', look);
      signal.addEventListener('abort', abort, { once: true });
      look();
    });
  }

  #noFin(timeoutMs: number): XferError {
    const what = this.#wire.socket.writableEnded ? 'close' : 'take the last bytes';
    const reason = `all was sent, but the other end did not ${what} within ${timeoutMs / 1000} s: not confirmed`;
    return new XferError('TIMED_OUT', `send ${this.#wire.label}: ${reason}`, { hint: NO_FIN_HINT });
  }
}
