/** Places for what may go on at the same time, so that one client alone cannot have all of them. */
import { networkOf, plainAddress } from './client-address.js';

/** From which a reverse proxy on this machine asks, for everybody. */
const PROXIES: ReadonlySet<string> = new Set(['127.0.0.1', '::1']);

export class ClientPlaces {
  readonly #most: number;
  readonly #mostOfOne: number;
  readonly #taken = new Map<string, number>();
  #all = 0;

  /** Half of them, at most, for one network. */
  constructor(most: number) {
    this.#most = most;
    this.#mostOfOne = Math.ceil(most / 2);
  }

  /**
   * Takes a place for the network of an address, and gives what gives it back; undefined where none is left for it. Who
   * has no address, by a unix socket, or may be a proxy, may have all of them.
   */
  take(address: string | undefined): (() => void) | undefined {
    const one = address !== undefined && !PROXIES.has(plainAddress(address));
    const network = one ? networkOf(address) : '';
    const own = this.#taken.get(network) ?? 0;
    if (this.#all >= this.#most || (one && own >= this.#mostOfOne)) return undefined;
    this.#all += 1;
    this.#taken.set(network, own + 1);
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      this.#all -= 1;
      const left = (this.#taken.get(network) ?? 1) - 1;
      if (left > 0) this.#taken.set(network, left);
      else this.#taken.delete(network);
    };
  }
}
