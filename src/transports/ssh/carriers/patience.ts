import { onAbort } from '../../../concurrency/on-abort.js';
import { XferError } from '../../../errors.js';
import type { SshConfig } from '../config/config.js';

/** How long a connection may take to be made, and the signal that ends the wait for it. */
export class Patience {
  readonly #stop = new AbortController();
  readonly #free: () => void;
  readonly #config: SshConfig;
  readonly #timeoutMs: number;
  #timer: NodeJS.Timeout | undefined;

  /** TIMED_OUT is the reason of its signal, unless `signal` gives one before. */
  constructor(config: SshConfig, timeoutMs: number, signal: AbortSignal) {
    this.#config = config;
    this.#timeoutMs = timeoutMs;
    this.#free = onAbort(signal, () => this.#stop.abort(signal.reason));
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** The time runs from here. */
  start(): void {
    this.#timer ??= setTimeout(() => {
      const { hostName, port } = this.#config;
      const reason = `no answer within ${this.#timeoutMs / 1000} s`;
      this.#stop.abort(new XferError('TIMED_OUT', `connect to ${hostName}:${port}: ${reason}`));
    }, this.#timeoutMs);
  }

  /** Time does not matter from here: it answered, or a person is asked. */
  rest(): void {
    clearTimeout(this.#timer);
  }

  end(): void {
    this.rest();
    this.#free();
  }
}
