/** The rate of a copy, or of several, shared by all their lanes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LONGEST_TIMER_MS, withinTimerMs } from '../concurrency/longest-timer.js';
import { throwIfAborted } from '../errors.js';
import { TokenBucket } from '../streams/token-bucket.js';

/** Given as `limiter` to several copies, it bounds what they send together. */
export class Limiter {
  readonly #bucket: TokenBucket;

  /** USAGE where the rate is not above 0. */
  constructor(bytesPerSecond: number) {
    this.#bucket = new TokenBucket(bytesPerSecond);
  }

  /** Resolves when `bytes` may go. Rejects with the signal's reason. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    let waitMs = this.#bucket.take(bytes, performance.now());
    for (; waitMs > 0; waitMs -= LONGEST_TIMER_MS) {
      await sleep(withinTimerMs(waitMs), undefined, { signal }).catch(() => throwIfAborted(signal));
    }
  }
}
