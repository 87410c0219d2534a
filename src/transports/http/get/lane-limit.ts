/** How many parts of a file are asked for at once: as many as the server bears. */
import { Slots } from '../../../concurrency/slots.js';
import { XferError } from '../../../errors.js';
import type { Scope } from '../../../transport.js';

export class LaneLimit {
  readonly #places: Slots;
  #taken = 0;

  constructor(most: number) {
    this.#places = new Slots(most);
  }

  /**
   * Resolves when one more may be asked for, with what is called once at its end. A refusal that may pass, given to it while
   * others were under way, is taken for the server's word that these are enough. Rejects with the signal's reason.
   */
  async enter(scope: Scope): Promise<(error?: unknown) => void> {
    await this.#places.take(scope);
    this.#taken += 1;
    let left = false;
    return (error) => {
      if (left) return;
      left = true;
      this.#taken -= 1;
      const isRefusal = error instanceof XferError && error.retryable;
      if (isRefusal && this.#taken > 0) this.#places.resize(this.#taken);
      this.#places.give();
    };
  }
}
