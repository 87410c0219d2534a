/** The connections of one sender to one receiver: opened as needed, and again once all were lost. */
import { abortable } from '../../../../concurrency/on-abort.js';
import { throwIfAborted, XferError } from '../../../../errors.js';
import type { Scope } from '../../../../transport.js';
import { FRAME } from '../frame.js';
import type { Lane } from '../lane.js';
import { encodeOffer, type Hello, type Offer, type Target } from '../messages.js';
import { Requests } from './requests.js';

/** Where connections to the receiver come from. */
export interface LaneOpener {
  readonly label: string;
  /** The first connection, or the next one after all were lost: made, or waited for. */
  readonly open: (scope: Scope) => Promise<{ readonly lane: Lane; readonly hello: Hello }>;
  /** So many more, beside `lane`, given to `add`. Those that cannot be had are left out. */
  readonly widen: (lane: Lane, count: number, add: (lane: Lane) => void, scope: Scope) => Promise<void>;
  /** No more are wanted. */
  readonly close: () => void;
}

/** Below this, one connection fills any line, and more only take turns. */
export const LONG_LINE_MS = 10;
const VERY_LONG_LINE_MS = 50;
/** A file for which more connections pay. */
export const WIDE_FROM_BYTES = 32 << 20;
const MOST_CONNECTIONS = 16;

export class Connections {
  readonly label: string;
  readonly #opener: LaneOpener;
  readonly #offer: Offer;
  readonly #all = new Set<Requests>();
  readonly #asked: number | undefined;
  #opening: Promise<Target> | undefined;
  /** Once for as long as no connection is lost. */
  #widening: Promise<void> | undefined;
  #closed = false;
  /** What the copy was made to fit, and goes on with. */
  #identity: string | undefined;
  /** Counts the times that all connections were lost. */
  epoch = 0;
  roundTripMs = 0;

  /** `asked`: how many connections a large file takes; by the length of the line where absent. */
  constructor(opener: LaneOpener, offer: Offer, asked: number | undefined) {
    this.label = opener.label;
    this.#opener = opener;
    this.#offer = offer;
    this.#asked = asked;
  }

  /** How many connections a large file takes; the length of the line is known once the first is open. */
  get wanted(): number {
    return Math.min(this.#asked ?? connectionsFor(this.roundTripMs), MOST_CONNECTIONS);
  }

  /** The receiver's target, once it has taken the offer. Rejects as the opener does, and with DENIED where it was refused. */
  async open(scope: Scope): Promise<Target> {
    throwIfAborted(scope.signal);
    this.#opening ??= this.#open(scope).finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** The connection with the least to do, of those that there are. */
  leastBusy(): Requests | undefined {
    let best: Requests | undefined;
    for (const each of this.#all) if (!best || load(each) < load(best)) best = each;
    return best;
  }

  /** One to ask something on, opened first where there is none. Nothing is asked before the offer was taken. */
  async requests(scope: Scope): Promise<Requests> {
    throwIfAborted(scope.signal);
    const there = this.#opening ? undefined : this.leastBusy();
    if (there) return there;
    if (this.#closed) throw this.#ended();
    await abortable(this.open(scope), scope);
    const opened = this.leastBusy();
    if (opened) return opened;
    throw new XferError('DISCONNECTED', `connection ${this.label}: lost`);
  }

  /** Resolves with as many connections as are wanted, or as there can be. */
  widen(scope: Scope): Promise<void> {
    const first = this.leastBusy();
    const missing = this.wanted - this.#all.size;
    if (!first || missing <= 0) return this.#widening ?? Promise.resolve();
    const { epoch } = this;
    const add = (lane: Lane) => {
      if (this.epoch === epoch && !this.#closed) this.#add(lane);
      else lane.cut();
    };
    this.#widening ??= this.#opener.widen(first.lane, missing, add, scope);
    return this.#widening;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#opener.close();
    const all = [...this.#all];
    for (const { lane } of all) lane.cut();
    await Promise.all(all.map(({ lane }) => lane.closed));
  }

  async #open(scope: Scope): Promise<Target> {
    const { lane, hello } = await this.#opener.open(scope);
    try {
      if (this.#closed) throw this.#ended();
      const target = this.#targetOf(hello);
      this.roundTripMs = lane.roundTripMs;
      const answer = this.#add(lane).ask(FRAME.offer, encodeOffer(this.#offer));
      // Beside the offer: a large file waits for one round trip after the other as it is.
      if (this.#offer.things.some(({ size = 0 }) => size >= WIDE_FROM_BYTES)) this.widen(scope).catch(() => {});
      await abortable(answer, scope);
      return target;
    } catch (error) {
      lane.cut();
      for (const each of this.#all) each.lane.cut();
      throw error;
    }
  }

  #targetOf({ role, target }: Hello): Target {
    if (role !== 'receiver' || !target) {
      throw new XferError('PROTOCOL', `connection ${this.label}: the other end does not receive`);
    }
    this.#identity ??= target.identity;
    if (target.identity === this.#identity) return target;
    throw new XferError('PROTOCOL', `connection ${this.label}: another receiver answered than at first`, {
      hint: 'run the command again',
    });
  }

  #ended(): XferError {
    return new XferError('DISCONNECTED', `connection ${this.label}: closed`);
  }

  #add(lane: Lane): Requests {
    const requests = new Requests(lane, (gone) => {
      this.#all.delete(gone);
      this.#widening = undefined;
      if (this.#all.size === 0) this.epoch += 1;
    });
    if (!lane.failure) this.#all.add(requests);
    return requests;
  }
}

function load({ lane, count }: Requests): number {
  return lane.pendingBytes + count;
}

function connectionsFor(roundTripMs: number): number {
  if (roundTripMs < LONG_LINE_MS) return 1;
  return roundTripMs < VERY_LONG_LINE_MS ? 4 : 8;
}
