/** Sends to receivers that call. */
import { setTimeout as sleep } from 'node:timers/promises';
import { abortable, onAbort } from '../../../../concurrency/on-abort.js';
import { XferError } from '../../../../errors.js';
import type { Scope } from '../../../../transport.js';
import type { TcpAddress } from '../../options.js';
import { BodyWriter } from '../body.js';
import { FRAME } from '../frame.js';
import type { Lane } from '../lane.js';
import type { Hello } from '../messages.js';
import type { SealedOptions } from '../options.js';
import type { LaneOpener } from '../send/connections.js';
import { type Answered, answerCalls, type Welcome } from './answer.js';

/** For a receiver that lost its line to call again. */
const CALL_AGAIN_MS = 30_000;
/** For the connections that it was asked for. */
const WIDEN_MS = 5000;
const MOST_CONNECTIONS = 20;

/** Gives each receiver that calls to `take`, which resolves when it is done with. */
export type TakeReceiver = (opener: LaneOpener, peer: TcpAddress) => Promise<void>;

/** Starts to listen for receivers, so many at once. Rejects as `startListening` does. */
export async function answerReceivers(
  address: TcpAddress,
  label: string,
  options: SealedOptions,
  most: number,
  take: TakeReceiver,
): Promise<Answered> {
  const callers = new Set<Caller>();
  return answerCalls(address, label, 'sender', options, (lane, hello, peer) => {
    const known = [...callers].find((each) => each.isOf(hello));
    if (!known && callers.size >= most) throw busy();
    if (hello.joins && (known?.connections ?? 0) >= MOST_CONNECTIONS) throw busy();
    const caller = known ?? new Caller(peer.path ?? peer.host, hello);
    const { version, session } = hello;
    const start = () => {
      caller.give(lane, hello);
      if (known) return;
      callers.add(caller);
      void take(caller, peer).finally(() => callers.delete(caller));
    };
    return { hello: { version, role: 'sender', session }, start } satisfies Welcome;
  });
}

function busy(): XferError {
  return new XferError('UNREACHABLE', 'receive: too many receivers are served there', { hint: 'try again later' });
}

interface Arrived {
  readonly lane: Lane;
  readonly hello: Hello;
}

/** The connections that one receiver makes, taken as they are needed. */
class Caller implements LaneOpener {
  readonly label: string;
  readonly #waiting: Arrived[] = [];
  readonly #lanes = new Set<Lane>();
  readonly #wakes = new Set<() => void>();
  readonly #target: string | undefined;
  #session: Buffer;
  #closed = false;

  constructor(label: string, { session, target }: Hello) {
    this.label = label;
    this.#session = session;
    this.#target = target?.identity;
  }

  /** A receiver that was ended and started again for the same place goes on in the place of the one that is gone. */
  isOf({ session, target, joins }: Hello): boolean {
    if (session.equals(this.#session)) return true;
    return !joins && this.connections === 0 && target !== undefined && target.identity === this.#target;
  }

  get connections(): number {
    return this.#lanes.size;
  }

  give(lane: Lane, hello: Hello): void {
    this.#session = hello.session;
    if (this.#closed) lane.cut();
    // The receiver has lost the others, even where this end has not heard of it yet.
    if (!hello.joins) for (const lost of this.#lanes) lost.cut();
    this.#lanes.add(lane);
    void lane.closed.then(() => this.#lanes.delete(lane));
    this.#waiting.push({ lane, hello });
    for (const wake of this.#wakes) wake();
  }

  readonly open = async (scope: Scope): Promise<Arrived> => {
    for (;;) {
      const next = this.#waiting.shift();
      if (next && !next.lane.failure) return next;
      if (!next) await this.#arrival(CALL_AGAIN_MS, scope);
    }
  };

  readonly widen = async (lane: Lane, count: number, add: (lane: Lane) => void, scope: Scope): Promise<void> => {
    lane.send(FRAME.lanes, 0, new BodyWriter().u8(count).bytes());
    for (let left = count; left > 0 && !lane.failure; ) {
      const next = this.#waiting.shift();
      if (!next) {
        const came = await this.#arrival(WIDEN_MS, scope).then(
          () => true,
          () => false,
        );
        if (!came) return;
      } else if (!next.lane.failure) {
        add(next.lane);
        left -= 1;
      }
    }
  };

  readonly close = (): void => {
    this.#closed = true;
    for (const { lane } of this.#waiting.splice(0)) lane.cut();
  };

  /** DISCONNECTED where none comes in time. */
  async #arrival(ms: number, scope: Scope): Promise<void> {
    const stop = new AbortController();
    const free = onAbort(scope.signal, () => stop.abort());
    let wake: () => void = () => {};
    const arrived = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.#wakes.add(wake);
    const late = sleep(ms, undefined, { signal: stop.signal }).then(() => {
      throw new XferError('DISCONNECTED', `connection ${this.label}: the receiver did not call again`);
    });
    late.catch(() => {});
    try {
      await abortable(Promise.race([arrived, late]), scope);
    } finally {
      free();
      stop.abort();
      this.#wakes.delete(wake);
    }
  }
}
