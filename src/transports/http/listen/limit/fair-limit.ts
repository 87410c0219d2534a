/** How fast a listener sends, in all and to each client, with one timer for all who wait. */
import { networkOf } from '../../../../listening/client-address.js';
import { checkRate, TokenBucket } from '../../../../streams/token-bucket.js';

/** Less than a bucket saves up, so that no rate is lost between two turns. */
const TURN_MS = 20;

/** Bytes are asked for in pieces of this much time, so that a slow rate still moves something now and then. */
const PIECE_MS = 50;
const MOST_PIECE_BYTES = 128 << 10;

export interface Rates {
  /** For all connections together. */
  readonly bytesPerSecond?: number | undefined;
  /** For all connections of one client: an IPv4 address, or the /64 of an IPv6 one. */
  readonly clientBytesPerSecond?: number | undefined;
}

interface Client {
  readonly bucket: TokenBucket | undefined;
  readonly waiting: Waiter[];
  /** Bytes that it had, or would have had if it had always wanted some: who has least is next (start-time fair queueing). */
  had: number;
}

interface Waiter {
  readonly bytes: number;
  readonly go: () => void;
}

export class FairLimit {
  /** More than this is not to be taken at once. */
  readonly pieceBytes: number;
  readonly #all: TokenBucket | undefined;
  readonly #clientRate: number | undefined;
  /** Who waits or is in debt. */
  readonly #clients = new Map<string, Client>();
  #waiters = 0;
  /** What the one who was served last had before. */
  #had = 0;
  #timer: NodeJS.Timeout | undefined;
  #soon = false;

  /** USAGE where a rate is not above 0. */
  constructor({ bytesPerSecond, clientBytesPerSecond }: Rates) {
    this.#all = bytesPerSecond === undefined ? undefined : new TokenBucket(bytesPerSecond);
    this.#clientRate = clientBytesPerSecond === undefined ? undefined : checkRate(clientBytesPerSecond);
    const slowest = Math.min(
      bytesPerSecond ?? Number.POSITIVE_INFINITY,
      clientBytesPerSecond ?? Number.POSITIVE_INFINITY,
    );
    this.pieceBytes = Math.max(1, Math.min(MOST_PIECE_BYTES, Math.floor((slowest * PIECE_MS) / 1000)));
  }

  /**
   * Undefined where `bytes` may go to the client now; else a promise that resolves when they may, after those of clients who
   * had less. Rejects with the signal's reason.
   */
  take(address: string, bytes: number, signal: AbortSignal): Promise<void> | undefined {
    const key = networkOf(address);
    const client = this.#clientOf(key);
    const nowMs = performance.now();
    // Where the rate is shared, who comes late does not go before those who wait.
    const waits = this.#all ? this.#waiters > 0 : client.waiting.length > 0;
    if (!waits && this.#mayGo(client, nowMs)) {
      this.#serve(client, bytes, nowMs);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const give = (): void => {
        client.waiting.splice(client.waiting.indexOf(waiter), 1);
        this.#waiters -= 1;
        reject(signal.reason);
      };
      const go = (): void => {
        signal.removeEventListener('abort', give);
        resolve();
      };
      const waiter: Waiter = { bytes, go };
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener('abort', give, { once: true });
      if (client.waiting.length === 0) client.had = Math.max(client.had, this.#had);
      client.waiting.push(waiter);
      this.#waiters += 1;
    });
  }

  #clientOf(key: string): Client {
    const known = this.#clients.get(key);
    if (known) return known;
    const bucket = this.#clientRate === undefined ? undefined : new TokenBucket(this.#clientRate);
    const client: Client = { bucket, waiting: [], had: this.#had };
    this.#clients.set(key, client);
    this.#timer ??= setInterval(() => this.#turn(), TURN_MS).unref();
    return client;
  }

  #mayGo({ bucket }: Client, nowMs: number): boolean {
    return !this.#all?.owes(nowMs) && !bucket?.owes(nowMs);
  }

  #serve(client: Client, bytes: number, nowMs: number): void {
    this.#all?.take(bytes, nowMs);
    client.bucket?.take(bytes, nowMs);
    this.#had = Math.max(this.#had, client.had);
    client.had += bytes;
  }

  /** Lets one piece of each client go; where more may, those who were served have time to ask again first. */
  #turn(): void {
    const nowMs = performance.now();
    let served = false;
    const asking = [...this.#clients.values()].filter(({ waiting }) => waiting.length > 0);
    for (const client of asking.sort((a, b) => a.had - b.had)) {
      if (this.#all?.owes(nowMs)) break;
      if (!this.#mayGo(client, nowMs)) continue;
      const waiter = client.waiting.shift() as Waiter;
      this.#waiters -= 1;
      this.#serve(client, waiter.bytes, nowMs);
      waiter.go();
      served = true;
    }
    this.#forget(nowMs);
    if (!served || this.#soon) return;
    this.#soon = true;
    setImmediate(() => {
      this.#soon = false;
      this.#turn();
    });
  }

  /** Ends the timer where nobody is left to wait for or to remember. */
  #forget(nowMs: number): void {
    const rests = this.#all?.isFull(nowMs) ?? true;
    for (const [key, { bucket, waiting, had }] of this.#clients) {
      const even = (bucket === undefined || bucket.isFull(nowMs)) && (rests || had <= this.#had);
      if (waiting.length === 0 && even) this.#clients.delete(key);
    }
    if (this.#clients.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
