/** How much at once pays over HTTP. */
import type { Parallelism } from '../../../transport.js';

/** Lanes that pay on a long line. */
const LONG_LINE_LANES = 8;
/** Blocks of a file that each lane gets: more would cost round trips, fewer leave lanes without work at the end. */
const BLOCKS_A_LANE = 2;
const LONGEST_BLOCK_BYTES = 64 << 20;
/** A line is long where an answer takes so much; below it one connection carries all that two ends can. */
const LONG_LINE_MS = 30;
const FILES_IN_FLIGHT = 32;

/** What pays on a line whose answers take so long, for a file of a size. */
export function parallelismAfter(waitedMs: number, size = 0): Parallelism {
  if (waitedMs < LONG_LINE_MS) return { filesInFlight: FILES_IN_FLIGHT, lanes: 1 };
  const blockBytes = Math.min(Math.ceil(size / LONG_LINE_LANES / BLOCKS_A_LANE), LONGEST_BLOCK_BYTES);
  return { filesInFlight: FILES_IN_FLIGHT, lanes: LONG_LINE_LANES, blockBytes };
}
