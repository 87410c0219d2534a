/** SHA-256 of bytes on their way, for as long as there is time to compute it. */
import { createHash, type Hash } from 'node:crypto';
import { type EventLoopUtilization, performance } from 'node:perf_hooks';

/** How often it is looked whether there is time. So many bytes cost about 30 ms. */
const LOOK_EVERY_BYTES = 32 * 1024 * 1024;
/** Above this share of the time this thread is what the bytes wait for, and no longer the line or the disk. */
const MOST_BUSY = 0.9;

/**
 * A digest that gives up where it would hold the bytes up, which it does on a line above some 500 MiB/s: SHA-256 takes
 * twice the time of all else that is done with them. Up to 32 MiB are always digested.
 */
export class PassingDigest {
  readonly #isNeeded: boolean;
  #hash: Hash | undefined = createHash('sha256');
  #unseenBytes = 0;
  #lastLook: EventLoopUtilization | undefined;

  /** One that is needed never gives up. */
  constructor(isNeeded: boolean) {
    this.#isNeeded = isNeeded;
  }

  update(bytes: Uint8Array): void {
    if (this.#hash === undefined) return;
    this.#lastLook ??= performance.eventLoopUtilization();
    this.#hash.update(bytes);
    this.#unseenBytes += bytes.length;
    if (this.#unseenBytes < LOOK_EVERY_BYTES || this.#isNeeded) return;
    this.#unseenBytes = 0;
    const look = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(look, this.#lastLook);
    this.#lastLook = look;
    if (utilization > MOST_BUSY) this.#hash = undefined;
  }

  /** In lower-case hex, once; undefined where it gave up. */
  hex(): string | undefined {
    return this.#hash?.digest('hex');
  }
}
