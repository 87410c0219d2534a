/** A token bucket that may go into debt, shared by all lanes of a copy. */
import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfAborted } from '../errors.js';

/** At most this much time's worth of bytes is saved up while nothing moves. */
const BURST_MS = 100;

export class Limiter {
  readonly #bytesPerMs: number;
  #freeAtMs = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  /** Resolves when `bytes` may go. Rejects with the signal's reason. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    this.#freeAtMs = Math.max(this.#freeAtMs, now - BURST_MS) + bytes / this.#bytesPerMs;
    const waitMs = this.#freeAtMs - now;
    if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => throwIfAborted(signal));
  }
}
