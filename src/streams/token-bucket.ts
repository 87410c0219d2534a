/** A token bucket that may go into debt: the one rule of how fast bytes may go. */
import { XferError } from '../errors.js';

/** At most this much time's worth of bytes is saved up while nothing moves. */
const BURST_MS = 100;

/** The rate itself. USAGE where it is not above 0. */
export function checkRate(bytesPerSecond: number): number {
  if (bytesPerSecond > 0) return bytesPerSecond;
  throw new XferError('USAGE', `rate ${bytesPerSecond}: not a number of bytes a second above 0`);
}

export class TokenBucket {
  readonly #bytesPerMs: number;
  #freeAtMs = 0;

  /** USAGE as `checkRate`. */
  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = checkRate(bytesPerSecond) / 1000;
  }

  /** Takes the tokens of `bytes`, and says how many milliseconds later they are there. */
  take(bytes: number, nowMs: number): number {
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs - BURST_MS) + bytes / this.#bytesPerMs;
    return Math.max(0, this.#freeAtMs - nowMs);
  }

  /** Whether it is in debt. */
  owes(nowMs: number): boolean {
    return this.#freeAtMs > nowMs;
  }

  /** Whether nothing is left of what was taken, so that a new one would do the same. */
  isFull(nowMs: number): boolean {
    return this.#freeAtMs <= nowMs - BURST_MS;
  }
}
