/** The entries of a directory, taken a few at a time, so that nobody else waits for a long directory. */
import { setImmediate } from 'node:timers/promises';

const MOST_ENTRIES = 500;
const MOST_MS = 8;
/** Entries between two looks at the clock. */
const CLOCK_EVERY = 16;

/**
 * What `take` makes of each of `entries`, in order, without what it makes nothing of. Between two slices the event loop turns. The last slice, which may be empty, is what the
 * generator returns. Ending it early ends `entries`.
 */
export async function* inSlices<Found, Item>(
  entries: AsyncIterable<Found>,
  take: (found: Found) => Item | undefined | Promise<Item | undefined>,
): AsyncGenerator<Item[], Item[]> {
  let slice: Item[] = [];
  let seen = 0;
  let endMs = performance.now() + MOST_MS;
  for await (const found of entries) {
    const taken = take(found);
    const item = taken instanceof Promise ? await taken : taken;
    if (item !== undefined) slice.push(item);
    seen += 1;
    if (slice.length < MOST_ENTRIES && (seen % CLOCK_EVERY !== 0 || performance.now() < endMs)) continue;
    yield slice;
    slice = [];
    await setImmediate();
    endMs = performance.now() + MOST_MS;
  }
  return slice;
}
