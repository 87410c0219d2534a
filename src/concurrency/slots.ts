/** Places that are taken and given back. */
import type { Scope } from '../transport.js';
import { onAbort } from './on-abort.js';

/** A number of places; who finds none free waits in line. */
export class Slots {
  #count: number;
  #free: number;
  readonly #line: (() => void)[] = [];

  constructor(count: number) {
    this.#count = count;
    this.#free = count;
  }

  /** Changes how many there are; who has one keeps it. */
  resize(count: number): void {
    const more = count - this.#count;
    this.#count = count;
    this.#free += more;
    for (; this.#free > 0 && this.#line.length > 0; this.#free--) this.#line.shift()?.();
  }

  /** Takes a place where one is free. */
  tryTake(): boolean {
    if (this.#free <= 0) return false;
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
    this.#free++;
    if (this.#free > 0 && this.#line.length > 0) {
      this.#free--;
      this.#line.shift()?.();
    }
  }
}
