/**
 * How far a copy is as a whole. A lost line fails all that is under way with one error: that is no fault of each file, so the
 * tries of each are counted from the last time that anything of the copy got on. A line that is cut again and again gets
 * nothing whole while all share it: each loss halves what is tried at once, and what succeeds widens it again.
 */
import { setImmediate as othersHadTheirTurn } from 'node:timers/promises';
import { Pool } from './pool.js';
import { type RetryOptions, retry } from './retry.js';

export class Headway {
  #done = 0;
  readonly #gate = new Pool(Number.POSITIVE_INFINITY);
  /** How many failed with an error. */
  readonly #hit = new WeakMap<Error, number>();

  /** So much more is done, and will not be done again. */
  add(amount: number): void {
    this.#done += amount;
  }

  /** As the retry loop, each try when the line has room for it; what the copy got on before a failure of several is progress. */
  retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
    let reached = this.#done;
    const attempt = async () => {
      const room = this.#gate.enter();
      if (room) await room;
      try {
        const result = await work();
        this.#gate.widen();
        return result;
      } catch (error) {
        if (await this.#hitsOthers(error)) reached = this.#done;
        throw error;
      } finally {
        this.#gate.leave();
      }
    };
    const { progress: own = () => 0 } = options;
    return retry(attempt, { ...options, progress: () => own() + reached });
  }

  async #hitsOthers(error: unknown): Promise<boolean> {
    if (!(error instanceof Error)) return false;
    const hit = (this.#hit.get(error) ?? 0) + 1;
    this.#hit.set(error, hit);
    if (hit === 2) this.#gate.narrow();
    await othersHadTheirTurn();
    return (this.#hit.get(error) ?? 0) > 1;
  }
}
