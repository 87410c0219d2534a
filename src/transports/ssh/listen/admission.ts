/** Who may connect and how fast they may guess: counts by address, so that one client does not use up what others need. */
import { networkOf } from '../../../listening/client-address.js';
import { WrongLogins } from '../../../listening/wrong-logins.js';
import type { Limits } from './limits.js';

export class Admission {
  readonly wrongLogins: WrongLogins;
  readonly #limits: Limits;
  readonly #startups = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #connections = 0;
  #unknown = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.wrongLogins = new WrongLogins(limits);
  }

  /** A place for a connection that is not logged in yet, or undefined where there is none. */
  enter(address: string): Place | undefined {
    const key = networkOf(address);
    const { connections, startups, startupsPerAddress } = this.#limits;
    const own = this.#startups.get(key) ?? 0;
    if (this.#connections >= connections || this.#unknown >= startups || own >= startupsPerAddress) return undefined;
    this.#connections += 1;
    this.#unknown += 1;
    this.#startups.set(key, own + 1);
    return new Place(this, key);
  }

  leaveStartup(key: string): void {
    this.#unknown -= 1;
    const left = (this.#startups.get(key) ?? 1) - 1;
    if (left > 0) this.#startups.set(key, left);
    else this.#startups.delete(key);
  }

  leave(): void {
    this.#connections -= 1;
  }

  /** Calls back after a while; the wait keeps no process alive. */
  after(delayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs).unref();
    this.#timers.add(timer);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}

/** A connection's place. A guesser keeps its own until the last wrong answer was due, even where it hangs up. */
export class Place {
  readonly #admission: Admission;
  readonly #key: string;
  #known = false;
  #left = false;
  #dueMs = 0;

  constructor(admission: Admission, key: string) {
    this.#admission = admission;
    this.#key = key;
  }

  loggedIn(): void {
    if (this.#known || this.#left) return;
    this.#known = true;
    this.#admission.leaveStartup(this.#key);
    this.#admission.wrongLogins.forgive(this.#key);
  }

  /** Calls back when the answer to a wrong password is due. */
  wrongPassword(answer: () => void): void {
    const delayMs = this.#admission.wrongLogins.add(this.#key);
    this.#dueMs = performance.now() + delayMs;
    this.#admission.after(delayMs, answer);
  }

  leave(): void {
    if (this.#left) return;
    this.#left = true;
    const waitMs = this.#known ? 0 : this.#dueMs - performance.now();
    if (waitMs > 0) this.#admission.after(waitMs, () => this.#free());
    else this.#free();
  }

  #free(): void {
    this.#admission.leave();
    if (!this.#known) this.#admission.leaveStartup(this.#key);
  }
}
