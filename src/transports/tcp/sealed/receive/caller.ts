/** Receives from a sender that waits to be called. */
import { XferError } from '../../../../errors.js';
import { abortable } from '../../../../on-abort.js';
import type { Scope, Sink } from '../../../../transport.js';
import type { TcpAddress } from '../../options.js';
import { call } from '../call.js';
import { type Hello, newSession, PROTOCOL_VERSION } from '../messages.js';
import type { SealedOptions } from '../options.js';
import { reach } from '../reach.js';
import type { ReceivePolicy } from './policy.js';
import { type Farewell, type ReceiveEvents, ReceiveSession } from './session.js';
import { targetOf } from './target.js';

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
 * with the sender's last words. Rejects as `call` does, and with the signal's reason; what can be gone on with is kept.
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
  session.onLanes = (count) => {
    const quiet = { ...options, onConnection: () => {} };
    for (let made = 0; made < count; made += 1) {
      void call(answered, label, hello, quiet, scope).then(
        ({ lane }) => session.add(lane),
        () => {},
      );
    }
  };
  let answered = addresses;
  let farewell: Farewell | undefined;
  try {
    await options.again(async () => {
      const { lane, address } = await reach(addresses, label, hello, options, scope);
      answered = [address];
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
