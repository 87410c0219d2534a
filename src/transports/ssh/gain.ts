/** Tells whether the last connection that was added made the copy faster. */

/** Time in which a further connection must show what it brings, and how much that must be. */
const SAMPLE_MS = 1000;
const WORTHWHILE = 1.1;
/** A copy that ends sooner is over when the login has paid. */
const SHORTEST_REST_MS = 2000;

export class Gain {
  #last: { readonly atMs: number; readonly bytes: number; readonly rate: number } | undefined;

  /**
   * Whether the copy, which has moved so many bytes, became a tenth faster; undefined where it is too early to tell, or too
   * late to make use of it.
   */
  judge(bytes: number, leftBytes: number): boolean | undefined {
    const last = this.#last;
    const atMs = performance.now();
    if (last && atMs - last.atMs < SAMPLE_MS) return undefined;
    const rate = last ? (bytes - last.bytes) / (atMs - last.atMs) : 0;
    if (leftBytes < rate * SHORTEST_REST_MS) return undefined;
    this.#last = { atMs, bytes, rate };
    return last && rate >= last.rate * WORTHWHILE;
  }

  /** A connection was added: its time begins now, since what it took to connect says nothing of what it brings. */
  restart(bytes: number): void {
    if (this.#last) this.#last = { ...this.#last, atMs: performance.now(), bytes };
  }
}
