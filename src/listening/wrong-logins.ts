/** Wrong logins by network, so that whoever guesses waits longer each time, and nobody else does. */
import { withinTimerMs } from '../concurrency/longest-timer.js';
import { Recent } from '../recent.js';

/** Networks that are remembered, and for how long after their last wrong login. */
const MOST_NETWORKS = 10_000;
const REMEMBER_MS = 10 * 60_000;

export interface WrongLoginWaits {
  /** After the first wrong login; twice as long after each further one. */
  readonly wrongPasswordMs: number;
  readonly mostWrongPasswordMs: number;
}

interface Wrong {
  count: number;
  lastMs: number;
}

export class WrongLogins {
  readonly #waits: WrongLoginWaits;
  readonly #networks = new Recent<string, Wrong>({ most: MOST_NETWORKS });

  constructor(waits: WrongLoginWaits) {
    this.#waits = waits;
  }

  /** Counts one more of a network, and says how many ms its answer has to wait. */
  add(network: string, nowMs = performance.now()): number {
    const known = this.#networks.get(network);
    const recent = known !== undefined && nowMs - known.lastMs < REMEMBER_MS;
    const count = (recent ? known.count : 0) + 1;
    this.#networks.set(network, { count, lastMs: nowMs });
    const { wrongPasswordMs, mostWrongPasswordMs } = this.#waits;
    return withinTimerMs(Math.min(wrongPasswordMs * 2 ** Math.min(count - 1, 30), mostWrongPasswordMs));
  }

  forgive(network: string): void {
    this.#networks.delete(network);
  }
}
