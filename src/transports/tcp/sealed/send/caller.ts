/** A sender's connections to a receiver that waits. */

import type { TcpAddress } from '../../options.js';
import { type Hello, newSession, PROTOCOL_VERSION } from '../messages.js';
import type { SealedOptions } from '../options.js';
import { callerOf } from '../reach.js';
import type { LaneOpener } from './connections.js';

/** All of its connections are one session, so that a receiver knows a sender that comes back. */
export function callingOpener(addresses: readonly TcpAddress[], label: string, options: SealedOptions): LaneOpener {
  const hello: Hello = { version: PROTOCOL_VERSION, role: 'sender', session: newSession() };
  const caller = callerOf(addresses, label, hello, options);
  return {
    label,
    open: (scope) => caller.call(scope),
    widen: async (_lane, count, add, scope) => {
      const calls = Array.from({ length: count }, () => caller.join(scope).then(({ lane }) => add(lane)));
      await Promise.allSettled(calls);
    },
    close: () => {},
  };
}
