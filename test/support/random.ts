/** Random choices that a seed repeats. */

/** The seed that XFER_SEED gives, or a new one; a test prints it. */
export function pickSeed(): number {
  return Number(process.env.XFER_SEED ?? Math.floor(Math.random() * 2 ** 31));
}

/** Numbers that a seed repeats (mulberry32). */
export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }
  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }
  /** One to `longest` of the letters, each as often as it comes. */
  word(letters: readonly string[], longest: number): string {
    return Array.from({ length: 1 + this.below(longest) }, () => this.of(letters)).join('');
  }
}
