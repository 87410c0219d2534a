import type { Scope } from '../../transport.js';
import { onAbort } from './on-abort.js';

/** A fixed number of places; who finds none free waits in line. */
export class Slots {
  #free: number;
  readonly #line: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Takes a place where one is free. */
  tryTake(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Resolves when a place is taken; rejects with the signal's reason where that comes first. */
  async take(scope?: Scope): Promise<void> {
    const signal = scope?.signal;
    if (signal?.aborted) throw signal.reason;
    if (this.tryTake()) return;
    await new Promise<void>((resolve, reject) => {
      const enter = () => {
        free();
        resolve();
      };
      this.#line.push(enter);
      const free = signal
        ? onAbort(signal, () => {
            this.#line.splice(this.#line.indexOf(enter), 1);
            reject(signal.reason);
          })
        : () => undefined;
    });
  }

  /** Gives a place back. */
  give(): void {
    const next = this.#line.shift();
    if (next) next();
    else this.#free++;
  }
}
