/** A bound on how many things are under way. */
export class Pool {
  readonly #size: number;
  readonly #waiting: (() => void)[] = [];
  readonly #idle: (() => void)[] = [];
  #busy = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** Resolves when `work` was started, not when it ended; `work` must not reject. */
  async start(work: () => Promise<void>): Promise<void> {
    await this.#take();
    void work().finally(() => this.#give());
  }

  /** Runs `work` when there is room, and resolves as it does. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#take();
    try {
      return await work();
    } finally {
      this.#give();
    }
  }

  /** Resolves when nothing is under way. */
  async drained(): Promise<void> {
    if (this.#busy > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #take(): Promise<void> {
    if (this.#busy >= this.#size) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#busy += 1;
  }

  #give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else {
      this.#busy -= 1;
      if (this.#busy === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }
}
