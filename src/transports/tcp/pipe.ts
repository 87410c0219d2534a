/** Both directions of one connection at once, as nc does. */
import type { Readable, Writable } from 'node:stream';
import { toXferError, XferError } from '../../errors.js';
import type { Scope } from '../../transport.js';
import { watchOpenInput } from './open-input.js';
import type { TcpOptions } from './options.js';
import { type Silence, watchSilence } from './silence.js';
import { RESET_GRACE_MS, whenTaken } from './unsent.js';
import type { Wire } from './wire.js';

export interface PipeStreams {
  readonly input: Readable;
  readonly output: Writable;
  /** `output` is done with bytes once it says that they are written, as standard output is, and hands them to nobody. */
  readonly isLast?: boolean;
}

export interface PipeResult {
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

const FLUSH_TIMEOUT_MS = 5000;
const LOOK_FOR_PEER_MS = 1000;
/** So long the other end must be silent before it is told that an input which brought nothing has ended. */
const EMPTY_INPUT_MS = 2000;

/**
 * Passes `input` to the other end, and what it sends to `output`. The end of `input` is passed on as FIN, where it
 * brought nothing only once the other end is silent, and bytes still come in. It resolves when the other end has closed and `output`, which is ended then, took all it sent. `input` is
 * destroyed in every case. Rejects with DISCONNECTED after a reset or where `output` broke, with TIMED_OUT after
 * `idleTimeoutMs` without a byte either way, with PROTOCOL where the other end is sealed, or where an end that closed does not take what is still to be sent.
 */
export function pipe(wire: Wire, streams: PipeStreams, options: TcpOptions, scope: Scope): Promise<PipeResult> {
  return new Promise<PipeResult>((resolve, reject) => {
    const run = new PipeRun(wire, streams, options, (error) => {
      scope.signal.removeEventListener('abort', abort);
      if (error === undefined) resolve({ sentBytes: run.sentBytes, receivedBytes: run.receivedBytes });
      else reject(error);
    });
    const abort = () => run.settle(scope.signal.reason);
    scope.signal.addEventListener('abort', abort, { once: true });
    if (scope.signal.aborted) abort();
    else run.start();
  });
}

class PipeRun {
  sentBytes = 0;
  receivedBytes = 0;
  readonly #wire: Wire;
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #recycle: ((bytes: Buffer) => void) | undefined;
  readonly #options: TcpOptions;
  readonly #settled: (error?: unknown) => void;
  readonly #silence;
  #quiet: Silence | undefined;
  #flushing: Silence | undefined;
  #emptyInput: Silence | undefined;
  #grace: Silence | undefined;
  #stopTaking: (() => void) | undefined;
  #looking: NodeJS.Timeout | undefined;
  #done = false;
  #unsent = 0;
  #hadInput = false;
  /** Of what was sent, when the other end closed its direction. */
  #sentByThen = 0;
  #inputEnded = false;

  constructor(wire: Wire, streams: PipeStreams, options: TcpOptions, settled: (error?: unknown) => void) {
    this.#wire = wire;
    this.#input = streams.input;
    this.#output = streams.output;
    this.#recycle = streams.isLast ? (bytes) => wire.recycle(bytes) : undefined;
    this.#options = options;
    this.#settled = settled;
    this.#silence = watchSilence(options.idleTimeoutMs, () => {
      const reason = `no byte went either way for ${(options.idleTimeoutMs ?? 0) / 1000} s`;
      this.settle(new XferError('TIMED_OUT', `connection ${wire.label}: ${reason}`));
    });
  }

  start(): void {
    this.#output.on('error', this.#onOutputError).on('close', this.#onOutputClose).on('drain', this.#onDrain);
    this.#input.on('error', this.#onInputError).on('end', this.#onInputEnd).on('data', this.#onInput);
    if (this.#input.readableEnded || this.#input.destroyed) this.#onInputEnd();
    this.#wire.start({
      onBytes: (bytes) => {
        this.#silence.heard();
        this.#emptyInput?.heard();
        this.receivedBytes += bytes.length;
        return this.#output.write(bytes, () => this.#recycle?.(bytes));
      },
      onEnd: () => {
        if (!this.#wire.failIfReset()) this.#output.once('finish', () => this.#finish()).end();
      },
      onFail: (error) => this.settle(error),
    });
  }

  /** Ends the run, once; with an error the other end sees a reset. */
  settle(error?: unknown): void {
    if (this.#done) return;
    this.#done = true;
    const silences = [this.#silence, this.#quiet, this.#flushing, this.#emptyInput, this.#grace];
    for (const silence of silences) silence?.stop();
    this.#stopTaking?.();
    clearInterval(this.#looking);
    // The 'error' listeners stay: a broken stream may say so once more.
    this.#output.off('drain', this.#onDrain).off('close', this.#onOutputClose);
    this.#input.off('data', this.#onInput).off('end', this.#onInputEnd);
    if (error === undefined) this.#wire.socket.destroy();
    else this.#wire.cut();
    this.#input.destroy();
    this.#settled(error);
  }

  readonly #onDrain = () => this.#wire.resume();

  readonly #onInput = (chunk: Uint8Array | string) => {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.#silence.heard();
    this.#quiet?.heard();
    this.#hadInput = true;
    this.#unsent += 1;
    const room = this.#wire.socket.write(bytes, (error) => {
      this.#unsent -= 1;
      if (error || this.#done) return;
      this.#silence.heard();
      this.#quiet?.heard();
      this.#flushing?.heard();
      this.sentBytes += bytes.length;
      if (this.#unsent > 0) return;
      if (this.#inputEnded || this.#flushing) this.#endInput();
      else this.#input.resume();
    });
    if (!room) this.#input.pause();
  };

  readonly #onInputEnd = () => {
    this.#inputEnded = true;
    if (this.#unsent > 0) return;
    if (this.#hadInput) this.#endInput();
    else this.#finishOnceSilent();
  };

  readonly #onInputError = (error: Error) => this.settle(toXferError(error, 'read input'));

  readonly #onOutputError = (error: Error) => this.settle(toXferError(error, 'write output'));

  readonly #onOutputClose = () => {
    if (!this.#output.writableFinished) this.settle(new XferError('DISCONNECTED', 'write output: closed early'));
  };

  /**
   * /dev/null as an input says nothing, and its end is no word to act on: many an nc that sends would stop at our FIN, and
   * lose what it has not sent. An end that waits for it, to give an answer, is silent.
   */
  #finishOnceSilent(): void {
    const silence = watchSilence(EMPTY_INPUT_MS, () => {
      // Silent because we do not read.
      if (this.#wire.paused) silence.heard();
      else this.#wire.finish();
    });
    this.#emptyInput = silence;
  }

  /** All input is with the kernel. FIN goes once the other end has it, and its reset would have come. */
  #endInput(): void {
    const { socket, peerPort } = this.#wire;
    if (!this.#hadInput || socket.writableEnded) {
      this.#wire.finish();
      return;
    }
    this.#stopTaking ??= whenTaken(socket, peerPort, {
      onLess: () => {
        this.#silence.heard();
        this.#flushing?.heard();
      },
      onTaken: (peerEnded) => {
        if (peerEnded || this.#wire.peerEnded) this.#finishAfterGrace();
        else this.#wire.finish();
      },
    });
  }

  /** An end that closed early may be gone: then a reset answers our bytes, its only sign. */
  #finishAfterGrace(): void {
    this.#grace = watchSilence(RESET_GRACE_MS, () => this.#wire.finish());
  }

  /** An end that is gone for good, as keep-alive finds out, takes nothing of an open input. What was sent before is with it. */
  #lookForPeer(): void {
    if (this.#wire.connected) return;
    if (this.#unsent === 0 && this.sentBytes === this.#sentByThen) this.settle();
    else this.#wire.failIfReset();
  }

  get #onlyReceived(): boolean {
    return this.receivedBytes > 0 && !this.#hadInput;
  }

  /** The other end closed its direction and all it sent was written. It may go on to read. A terminal is not waited for. */
  #finish(): void {
    this.#sentByThen = this.sentBytes;
    // Standard output is never told as finished once it has closed.
    this.#output.off('close', this.#onOutputClose);
    const atTerminal = (this.#input as { isTTY?: boolean }).isTTY === true;
    if (this.#inputEnded || atTerminal) this.#flush();
    else {
      if (this.#onlyReceived) this.#silence.stop();
      this.#quiet = watchOpenInput({
        onlyReceived: () => this.#onlyReceived,
        onNotice: this.#options.onNotice,
        giveUp: () => this.#flush(),
      });
      // Once the other end's FIN was read, the system tells of a reset only who asks.
      this.#looking = setInterval(() => this.#lookForPeer(), LOOK_FOR_PEER_MS);
      this.#input.once('end', () => this.#flush());
    }
  }

  /** Ends once all that was read of the input is on its way. */
  #flush(): void {
    if (this.#done) return;
    const { socket } = this.#wire;
    this.#silence.stop();
    this.#quiet?.stop();
    clearInterval(this.#looking);
    this.#input.pause().off('data', this.#onInput);
    if (socket.writableFinished || socket.destroyed) {
      this.settle();
      return;
    }
    const timeoutMs = this.#options.finTimeoutMs ?? FLUSH_TIMEOUT_MS;
    this.#flushing = watchSilence(timeoutMs, () => {
      const reason = `the other end closed, and takes no more bytes: ${this.sentBytes} were sent`;
      this.settle(new XferError('TIMED_OUT', `connection ${this.#wire.label}: ${reason}`));
    });
    socket.once('finish', () => this.settle());
    if (this.#unsent === 0) this.#endInput();
  }
}
