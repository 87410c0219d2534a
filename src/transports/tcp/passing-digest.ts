/** SHA-256 of bytes on their way, for as long as there is time to compute it. */
import { createHash, type Hash } from 'node:crypto';
import type { EventLoopUtilization } from 'node:perf_hooks';

/** How often it is looked whether there is time. So many bytes cost about 15 ms. */
const LOOK_EVERY_BYTES = 16 << 20;
/** Above this share of the time this thread is what the bytes wait for, and no longer the line or the disk. */
const MOST_BUSY = 0.9;
/**
 * What comes faster is from this machine or from the next one, and both ends' digests would take more of the processors than
 * all else; a line of 2.5 Gbit/s brings 280 MiB/s.
 */
const MOST_BYTES_PER_MS = (300 * 2 ** 20) / 1000;

interface Look {
  readonly atMs: number;
  readonly loop: EventLoopUtilization;
}

/**
 * A digest that gives up where it would hold the bytes up: SHA-256 takes twice the time of all else that is done with them.
 * Up to 16 MiB are always digested.
 */
export class PassingDigest {
  readonly #isNeeded: boolean;
  #hash: Hash | undefined = createHash('sha256');
  #unseenBytes = 0;
  #lastLook: Look | undefined;

  /** One that is needed never gives up. */
  constructor(isNeeded: boolean) {
    this.#isNeeded = isNeeded;
  }

  update(bytes: Uint8Array): void {
    if (this.#hash === undefined) return;
    this.#lastLook ??= look();
    this.#hash.update(bytes);
    this.#unseenBytes += bytes.length;
    if (this.#unseenBytes < LOOK_EVERY_BYTES || this.#isNeeded) return;
    const now = look();
    if (isTooMuch(this.#unseenBytes, this.#lastLook, now)) this.#hash = undefined;
    this.#unseenBytes = 0;
    this.#lastLook = now;
  }

  /** In lower-case hex, once; undefined where it gave up. */
  hex(): string | undefined {
    return this.#hash?.digest('hex');
  }
}

function look(): Look {
  return { atMs: performance.now(), loop: performance.eventLoopUtilization() };
}

function isTooMuch(bytes: number, before: Look, now: Look): boolean {
  if (bytes > MOST_BYTES_PER_MS * (now.atMs - before.atMs)) return true;
  return performance.eventLoopUtilization(now.loop, before.loop).utilization > MOST_BUSY;
}
