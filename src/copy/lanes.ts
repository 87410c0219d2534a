/** Several lanes that share the blocks of one file. */
import { setMaxListeners } from 'node:events';
import type { Scope } from '../transport.js';
import type { Span } from './ranges.js';

/** Each lane sends the next block of the queue, until there is none. The first failure stops them all, and is the rejection. */
export async function sendInLanes(
  queue: Generator<Span>,
  lanes: number,
  scope: Scope,
  send: (block: Span, scope: Scope) => Promise<unknown>,
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([scope.signal, stop.signal]);
  setMaxListeners(0, signal);
  const lane = async (): Promise<void> => {
    try {
      for (const block of queue) await send(block, { signal });
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: lanes }, lane));
  if (outcomes.some(({ status }) => status === 'rejected')) throw stop.signal.reason;
}
