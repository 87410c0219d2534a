/** Whether there is room for what is to come: on the disk, and within the quota. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Scope } from '../../../../transport.js';
import type { SharedSource } from '../sharing.js';
import { refusals } from './refusal.js';

/** What is counted is believed for so long, before it is counted again because the quota would be passed, or may be. */
const COUNT_AGAIN_MS = 1000;

/** Where something went since, it is counted again sooner, and yet most of the time is not spent on that. */
const COUNTS_TO_WAIT = 10;

const ENTRIES_A_TURN = 500;

/** What one upload will still bring. Ended by `end`. */
export interface Claim {
  /** So many bytes of it are in the folder now. A Refusal where its length was not known, and they are too many. */
  came(bytes: number): void;
  end(): void;
}

export class Room {
  readonly #share: SharedSource;
  readonly #scope: Scope;
  readonly #quotaBytes: number | undefined;
  /** Bytes in the folder, as they were counted and as they came since. */
  #usedBytes = 0;
  #countedAtMs = Number.NEGATIVE_INFINITY;
  #countTookMs = 0;
  #freedSince = false;
  #line: Promise<unknown> = Promise.resolve();
  /** What came while it was counted, which the count may have seen or not. */
  #cameMeanwhileBytes = 0;
  /** Bytes that are still to come, of uploads whose length is known. */
  #claimedBytes = 0;

  constructor(share: SharedSource, scope: Scope, quotaBytes: number | undefined) {
    this.#share = share;
    this.#scope = scope;
    this.#quotaBytes = quotaBytes;
  }

  /** Room for `bytes` more, or for a length that is not known. A Refusal (507) where there is none. */
  claim(bytes: number | undefined): Promise<Claim> {
    // One after another: two that look at the same room must not both have it.
    const claimed = this.#line.then(async () => {
      await this.#checkQuota(bytes);
      await this.#checkDisk(bytes ?? 1);
      return this.claimAtAnyRate(bytes);
    });
    this.#line = claimed.catch(() => undefined);
    return claimed;
  }

  /** The same for what was promised room before. */
  claimAtAnyRate(bytes: number | undefined): Claim {
    let left = bytes ?? 0;
    this.#claimedBytes += left;
    return {
      came: (more) => {
        const claimed = Math.min(left, more);
        left -= claimed;
        this.#claimedBytes -= claimed;
        this.#usedBytes += more;
        this.#cameMeanwhileBytes += more;
        const quota = this.#quotaBytes;
        if (bytes === undefined && quota !== undefined && this.#usedBytes + this.#claimedBytes > quota) {
          throw refusals.quota(quota);
        }
      },
      end: () => {
        this.#claimedBytes -= left;
        left = 0;
      },
    };
  }

  /** So many bytes are no longer in the folder; it is counted anew where nobody knows how many. */
  freed(bytes: number | undefined): void {
    this.#freedSince = true;
    if (bytes === undefined) this.#countedAtMs = Number.NEGATIVE_INFINITY;
    else this.#usedBytes -= bytes;
  }

  async #checkQuota(bytes: number | undefined): Promise<void> {
    const quota = this.#quotaBytes;
    if (quota === undefined) return;
    const fits = (): boolean => this.#usedBytes + this.#claimedBytes + (bytes ?? 1) <= quota;
    // What has no length may turn out not to fit later, when there is no time to count.
    if (bytes !== undefined && Number.isFinite(this.#countedAtMs) && fits()) return;
    if (performance.now() - this.#countedAtMs >= this.#countAgainMs(fits())) await this.#count();
    if (!fits()) throw refusals.quota(quota);
  }

  /** How long the last count is believed: others may have removed something. */
  #countAgainMs(fits: boolean): number {
    const waitMs = COUNTS_TO_WAIT * this.#countTookMs;
    if (fits) return Math.max(COUNT_AGAIN_MS, waitMs);
    return this.#freedSince ? waitMs : COUNT_AGAIN_MS;
  }

  async #checkDisk(bytes: number): Promise<void> {
    const space = await this.#share.space?.(this.#scope);
    if (space && this.#claimedBytes + bytes > space.availableBlocks * space.blockBytes) throw refusals.disk();
  }

  /** What lies in the folder itself, and not behind a link. */
  async #count(): Promise<void> {
    const startMs = performance.now();
    this.#cameMeanwhileBytes = 0;
    this.#freedSince = false;
    let bytes = 0;
    let entries = 0;
    const folders = [''];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for await (const { kind, path, size = 0 } of this.#share.list(folder, this.#scope)) {
        entries += 1;
        if (entries % ENTRIES_A_TURN === 0) await nextTurn();
        if (kind === 'file') bytes += size;
        else if (kind === 'directory' && !(await this.#isLink(path))) folders.push(path);
      }
    }
    this.#usedBytes = bytes + this.#cameMeanwhileBytes;
    this.#countedAtMs = performance.now();
    this.#countTookMs = this.#countedAtMs - startMs;
  }

  async #isLink(path: string): Promise<boolean> {
    return (await this.#share.look?.(path, this.#scope))?.kind === 'symlink';
  }
}
