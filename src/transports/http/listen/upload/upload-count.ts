/** Files that were uploaded whole, where their number is limited. */
import { setMaxListeners } from 'node:events';
import { XferError } from '../../../../errors.js';
import { refusals } from './refusal.js';

export class UploadCount {
  readonly #most: number;
  readonly #usedUp = new AbortController();
  #made = 0;
  #underWay = 0;

  /** USAGE for a number that is not above 0. */
  constructor(most: number | undefined) {
    if (most !== undefined && !(Number.isSafeInteger(most) && most > 0)) {
      throw new XferError('USAGE', 'uploads: at least 1 has to be allowed');
    }
    this.#most = most ?? Number.POSITIVE_INFINITY;
    // Each upload under way listens to it.
    setMaxListeners(0, this.usedUp);
  }

  /** Aborted, with a Refusal, once the last file that is taken has its name. */
  get usedUp(): AbortSignal {
    return this.#usedUp.signal;
  }

  /** Why it ends, in words. */
  get reason(): string {
    return this.#most === 1 ? 'the one upload was made' : `all ${this.#most} uploads were made`;
  }

  /** Calls `act`, which gives a file its name. A Refusal where those that have theirs, or are about to, are all that are taken. */
  async name(act: () => Promise<void>): Promise<void> {
    if (this.#made + this.#underWay >= this.#most) throw refusals.usedUp();
    this.#underWay += 1;
    try {
      await act();
      this.#made += 1;
    } finally {
      this.#underWay -= 1;
    }
    if (this.#made >= this.#most) this.#usedUp.abort(refusals.usedUp());
  }
}
