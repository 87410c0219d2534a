/** The rate of a copy, or of several, shared by all their lanes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfAborted } from '../errors.js';
import { TokenBucket } from '../token-bucket.js';

/** Given as `limiter` to several copies, it bounds what they send together. */
export class Limiter {
  readonly #bucket: TokenBucket;

  constructor(bytesPerSecond: number) {
    this.#bucket = new TokenBucket(bytesPerSecond);
  }

  /** Resolves when `bytes` may go. Rejects with the signal's reason. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const waitMs = this.#bucket.take(bytes, performance.now());
    if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => throwIfAborted(signal));
  }
}
