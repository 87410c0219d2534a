/** How much of a copy is under way at once. */
import type { Parallelism, Sink, Source } from '../transport.js';
import { type CopyOptions, DEFAULT_FILES_IN_FLIGHT, DEFAULT_LANES } from './options.js';

/** What was asked for, else the most that either end says pays, else our own. */
export function parallelismOf(sources: readonly Source[], sink: Sink, options: CopyOptions): Parallelism {
  const stated = [...sources, sink].flatMap(({ parallelism }) => (parallelism ? [parallelism] : []));
  const most = (own: number, of: (one: Parallelism) => number) =>
    stated.length > 0 ? Math.max(...stated.map(of)) : own;
  const files = options.filesInFlight ?? most(DEFAULT_FILES_IN_FLIGHT, ({ filesInFlight }) => filesInFlight);
  return {
    filesInFlight: sink.capabilities.parallel ? files : 1,
    lanes: options.lanes ?? most(DEFAULT_LANES, ({ lanes }) => lanes),
  };
}
