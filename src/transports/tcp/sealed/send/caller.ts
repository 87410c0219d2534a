/** A sender's connections to a receiver that waits. */

import type { TcpAddress } from '../../options.js';
import { call } from '../call.js';
import { type Hello, newSession, PROTOCOL_VERSION } from '../messages.js';
import type { SealedOptions } from '../options.js';
import { reach } from '../reach.js';
import type { LaneOpener } from './connections.js';

/** All of its connections are one session, so that a receiver knows a sender that comes back. */
export function callingOpener(addresses: readonly TcpAddress[], label: string, options: SealedOptions): LaneOpener {
  const hello: Hello = { version: PROTOCOL_VERSION, role: 'sender', session: newSession() };
  let answered: readonly TcpAddress[] = addresses;
  return {
    label,
    open: async (scope) => {
      const greeted = await reach(addresses, label, hello, options, scope);
      answered = [greeted.address];
      return greeted;
    },
    widen: async (_lane, count, add, scope) => {
      const quiet = { ...options, onConnection: () => {} };
      const calls = Array.from({ length: count }, () =>
        call(answered, label, { ...hello, joins: true }, quiet, scope).then(({ lane }) => add(lane)),
      );
      await Promise.allSettled(calls);
    },
    close: () => {},
  };
}
