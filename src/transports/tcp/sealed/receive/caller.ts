/** Receives from a sender that waits to be called. */
import { abortable } from '../../../../concurrency/on-abort.js';
import { XferError } from '../../../../errors.js';
import type { Scope, Sink } from '../../../../transport.js';
import type { TcpAddress } from '../../options.js';
import type { Greeted } from '../call.js';
import { type Hello, newSession, PROTOCOL_VERSION } from '../messages.js';
import type { SealedOptions } from '../options.js';
import { callerOf } from '../reach.js';
import type { ReceivePolicy } from './policy.js';
import { type Farewell, type ReceiveEvents, ReceiveSession } from './session.js';
import { targetOf } from './target.js';

/** However many a sender asks for. */
const MOST_CONNECTIONS = 16;

export interface CallOptions extends SealedOptions {
  readonly policy: ReceivePolicy;
  readonly events: ReceiveEvents;
  /** Names the sink's place in this machine. */
  readonly identity: string;
  /** Runs a call, and again where it failed in a way that may pass. */
  readonly again: (attempt: () => Promise<void>) => Promise<void>;
}

/**
 * Takes all that a sender sends into the sink, calling again where connections are lost, as often as `again` does. Resolves
 * with the sender's last words. Rejects as `Caller.call` does, and with the signal's reason; what can be gone on with is
 * kept.
 */
export async function receiveByCalling(
  addresses: readonly TcpAddress[],
  label: string,
  sink: Sink,
  options: CallOptions,
  scope: Scope,
): Promise<Farewell> {
  const session = new ReceiveSession(sink, options.policy, options.events);
  const hello: Hello = {
    version: PROTOCOL_VERSION,
    role: 'receiver',
    session: newSession(),
    target: targetOf(sink, options.identity),
  };
  const caller = callerOf(addresses, label, hello, options);
  session.onLanes = widening(session, () => caller.join(scope));
  let farewell: Farewell | undefined;
  try {
    await options.again(async () => {
      const { lane } = await caller.call(scope);
      const ended = new Promise<Farewell>((resolve, reject) => {
        session.onFarewell = resolve;
        session.onLost = reject;
      });
      ended.catch(() => {});
      session.add(lane);
      farewell = await abortable(ended, scope);
    });
  } finally {
    await session.close();
  }
  if (farewell) return farewell;
  throw new XferError('DISCONNECTED', `connection ${label}: ended early`);
}

/** Makes more connections of a session, within bounds. Those that cannot be had are left out. */
function widening(session: ReceiveSession, join: () => Promise<Greeted>): (count: number) => void {
  let pending = 0;
  return (count) => {
    for (let left = count; left > 0 && session.connections + pending < MOST_CONNECTIONS; left -= 1) {
      pending += 1;
      void join()
        .then(
          ({ lane }) => session.add(lane, true),
          () => {},
        )
        .finally(() => {
          pending -= 1;
        });
    }
  };
}
