/** A token bucket that may go into debt: the one rule of how fast bytes may go. */

/** At most this much time's worth of bytes is saved up while nothing moves. */
const BURST_MS = 100;

export class TokenBucket {
  readonly #bytesPerMs: number;
  #freeAtMs = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
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
