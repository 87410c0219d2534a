/** A bound on how many things are under way, and on how much they weigh together. First come, first served. */
export class Pool {
  #size: number;
  readonly #mostWeight: number;
  readonly #mostWaiting: number;
  readonly #waiting: { readonly weight: number; readonly enter: () => void }[] = [];
  readonly #idle: (() => void)[] = [];
  /** Who started more than may wait. */
  readonly #full: (() => void)[] = [];
  #busy = 0;
  #weight = 0;

  /** `mostWaiting`: so many are taken beyond those under way. */
  constructor(size: number, mostWeight = Number.POSITIVE_INFINITY, mostWaiting = 0) {
    this.#size = size;
    this.#mostWeight = mostWeight;
    this.#mostWaiting = mostWaiting;
  }

  /** Resolves when `work` was started, or waits for its turn with no more than may wait; `work` must not reject. */
  async start(work: () => Promise<void>, weight = 0): Promise<void> {
    const run = (): void => void work().finally(() => this.#leave(weight));
    if (this.#tryEnter(weight)) return run();
    this.#waiting.push({ weight, enter: run });
    if (this.#waiting.length > this.#mostWaiting) await new Promise<void>((resolve) => this.#full.push(resolve));
  }

  /** Runs `work` when there is room, and resolves as it does. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.enter();
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  /** A promise where there is no room yet: it resolves when there is. Who entered leaves once. */
  enter(): Promise<void> | undefined {
    if (this.#tryEnter(0)) return undefined;
    return new Promise((enter) => this.#waiting.push({ weight: 0, enter }));
  }

  leave(): void {
    this.#leave(0);
  }

  /** From now on half as many as are under way, and at least one. */
  narrow(): void {
    this.#size = Math.max(1, Math.floor(Math.min(this.#size, this.#busy) / 2));
  }

  /** One more than by now may be under way. */
  widen(): void {
    this.#size += 1;
  }

  /** Resolves when nothing is under way. */
  async drained(): Promise<void> {
    if (this.#busy > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** What is heavier than all that is allowed goes alone. */
  #fits(weight: number): boolean {
    return this.#busy < this.#size && (this.#busy === 0 || this.#weight + weight <= this.#mostWeight);
  }

  #tryEnter(weight: number): boolean {
    if (this.#waiting.length > 0 || !this.#fits(weight)) return false;
    this.#busy += 1;
    this.#weight += weight;
    return true;
  }

  #leave(weight: number): void {
    this.#busy -= 1;
    this.#weight -= weight;
    for (let next = this.#waiting[0]; next && this.#fits(next.weight); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#busy += 1;
      this.#weight += next.weight;
      next.enter();
    }
    if (this.#waiting.length <= this.#mostWaiting) for (const resolve of this.#full.splice(0)) resolve();
    if (this.#busy === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}
