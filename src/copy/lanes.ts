/** Several lanes that share the blocks of one file. */
import { setMaxListeners } from 'node:events';
import type { Readable } from 'node:stream';
import type { Scope } from '../transport.js';
import type { Span } from './ranges.js';

export interface LaneWork {
  /** Opens a block's bytes while the lane's block before it is sent, where that saves waiting. */
  readonly open?: (block: Span, scope: Scope) => Promise<Readable>;
  /** Sends a block, in `opened` if that is there, and destroys it whatever happens; says how much of it is still to come. */
  send(
    block: Span,
    scope: Scope,
    opened: Promise<Readable> | undefined,
    onRest: (bytes: number) => void,
  ): Promise<unknown>;
}

/** What is left of a block fills the time that opening the next one takes: sources ask for about as much at once. */
const REST_BYTES = 4 << 20;

interface OpenedBlock {
  readonly block: Span;
  readonly opened?: Promise<Readable>;
}

/** Each lane sends the next block of the queue, until there is none. The first failure stops them all, and is the rejection. */
export async function sendInLanes(
  queue: Generator<Span>,
  lanes: number,
  scope: Scope,
  { open, send }: LaneWork,
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([scope.signal, stop.signal]);
  setMaxListeners(0, signal);
  const take = (): OpenedBlock | undefined => {
    const { value: block } = queue.next();
    return block && { block };
  };
  const takeAhead = (): OpenedBlock | undefined => {
    const next = take();
    return next && open ? { ...next, opened: quiet(open(next.block, { signal })) } : next;
  };
  const lane = async (): Promise<void> => {
    let next = take();
    try {
      while (next) {
        const { block, opened }: OpenedBlock = next;
        next = undefined;
        await send(block, { signal }, opened, (restBytes) => {
          if (open && restBytes <= REST_BYTES) next ??= takeAhead();
        });
        next ??= take();
      }
    } catch (error) {
      stop.abort(error);
      await next?.opened?.then(
        (stream) => stream.destroy(),
        () => undefined,
      );
      throw error;
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: lanes }, lane));
  if (outcomes.some(({ status }) => status === 'rejected')) throw stop.signal.reason;
}

/** Its failure is told to who reads it, which may be later. */
function quiet(opening: Promise<Readable>): Promise<Readable> {
  opening.then(
    (stream) => stream.on('error', () => undefined),
    () => undefined,
  );
  return opening;
}
