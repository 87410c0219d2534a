/** Receives from senders that call. */
import { abortable } from '../../../../concurrency/on-abort.js';
import { XferError } from '../../../../errors.js';
import type { Scope, Sink } from '../../../../transport.js';
import type { TcpAddress } from '../../options.js';
import type { Lane } from '../lane.js';
import type { Hello } from '../messages.js';
import type { SealedOptions } from '../options.js';
import type { ReceivePolicy } from '../receive/policy.js';
import { type Farewell, type ReceiveEvents, ReceiveSession } from '../receive/session.js';
import { targetOf } from '../receive/target.js';
import { answerCalls, type Welcome } from './answer.js';

/** Senders at once, where there may be several; and those remembered that lost their line. */
const MOST_SENDERS = 16;
/** A sender has no use for more connections. */
const MOST_CONNECTIONS = 20;

export interface ReceiverOptions extends SealedOptions {
  readonly policy: ReceivePolicy;
  readonly eventsFor: (peer: TcpAddress) => ReceiveEvents;
  /** Names the sink's place in this machine. */
  readonly identity: string;
  /** Goes on for more senders until the signal. */
  readonly keep?: boolean;
}

/**
 * Takes all that the first sender sends into the sink, and resolves with its last words; with `keep`, until the signal. A
 * sender that loses its line, or is killed and started again, goes on where it stopped. Rejects as `startListening` does,
 * and with the signal's reason.
 */
export async function receiveFromCallers(
  addresses: readonly TcpAddress[],
  label: string,
  sink: Sink,
  options: ReceiverOptions,
  scope: Scope,
): Promise<Farewell> {
  return new Receiver(sink, options).run(addresses, label, scope);
}

class Receiver {
  readonly #sink: Sink;
  readonly #options: ReceiverOptions;
  /** By the hex of their numbers, the latest last. */
  readonly #sessions = new Map<string, ReceiveSession>();
  #ended: ((farewell: Farewell) => void) | undefined;

  constructor(sink: Sink, options: ReceiverOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  async run(addresses: readonly TcpAddress[], label: string, scope: Scope): Promise<Farewell> {
    const ended = new Promise<Farewell>((resolve) => {
      this.#ended = resolve;
    });
    const servers = [];
    try {
      for (const address of addresses) {
        const take = (lane: Lane, hello: Hello, peer: TcpAddress) => this.#take(lane, hello, peer);
        servers.push(await answerCalls(address, label, 'receiver', this.#options, take));
      }
      return await abortable(ended, scope);
    } finally {
      for (const server of servers) server.close();
      await Promise.all([...this.#sessions.values()].map((session) => session.close()));
    }
  }

  #take(lane: Lane, hello: Hello, peer: TcpAddress): Welcome {
    const number = hello.session.toString('hex');
    const session = this.#sessions.get(number) ?? this.#begin(number, hello, peer);
    if (hello.joins && session.connections >= MOST_CONNECTIONS)
      throw busy('that are too many connections of one sender');
    const { version } = hello;
    const target = targetOf(this.#sink, this.#options.identity);
    return {
      hello: { version, role: 'receiver', session: hello.session, target },
      start: () => session.add(lane, hello.joins),
    };
  }

  #begin(number: string, { joins }: Hello, peer: TcpAddress): ReceiveSession {
    if (joins) throw new XferError('DISCONNECTED', 'send: the connections that this one joins are gone there');
    const ended = this.#makeRoom();
    const events = this.#options.eventsFor(peer);
    const session = new ReceiveSession(this.#sink, this.#options.policy, events, ended);
    session.onLost = (error) => events.onLost?.(error);
    session.onFarewell = (farewell) => {
      this.#sessions.delete(number);
      events.onFarewell?.(farewell);
      if (!this.#options.keep) this.#ended?.(farewell);
    };
    this.#sessions.set(number, session);
    return session;
  }

  /** A sender that lost its line may be started again as another. Resolves when what was ended for it has ended. */
  #makeRoom(): Promise<unknown> {
    const most = this.#options.keep && this.#sink.capabilities.parallel ? MOST_SENDERS : 1;
    const ending: Promise<void>[] = [];
    for (const [number, session] of this.#sessions) {
      if (this.#sessions.size < most) break;
      if (session.connections > 0) continue;
      this.#sessions.delete(number);
      ending.push(session.close());
    }
    if (this.#sessions.size >= most) throw busy('another sender is at work');
    return Promise.all(ending);
  }
}

function busy(reason: string): XferError {
  return new XferError('UNREACHABLE', `send: ${reason} there`, { hint: 'try again when it is done' });
}
