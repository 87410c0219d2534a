/** Asks several sources for what they hold before it is their turn, so that their answers are not waited for one by one. */
import type { Entry, Source, WalkScope } from '../transport.js';
import type { CopyOptions } from './options.js';
import { walk } from './walk.js';

const SOURCES_AHEAD = 64;

interface Asked {
  readonly source: Source;
  readonly iterator: AsyncIterator<Entry>;
  readonly first: Promise<IteratorResult<Entry>>;
}

/** Each source with its entries, in order; only those that can do several things at once are asked early. */
export async function* entriesAhead(
  sources: readonly Source[],
  options: CopyOptions,
  scope: WalkScope,
): AsyncGenerator<{ source: Source; entries: AsyncGenerator<Entry> }> {
  const asked: Asked[] = [];
  let next = 0;
  try {
    while (next < sources.length || asked.length > 0) {
      while (asked.length < SOURCES_AHEAD && (asked.length === 0 || sources[next]?.capabilities.parallel)) {
        asked.push(ask(sources[next] as Source, options, scope));
        next += 1;
      }
      const turn = asked.shift() as Asked;
      yield { source: turn.source, entries: entriesOf(turn) };
    }
  } finally {
    await Promise.allSettled(asked.map(({ iterator }) => iterator.return?.()));
  }
}

function ask(source: Source, options: CopyOptions, scope: WalkScope): Asked {
  const iterator = walk(source, options, scope);
  const first = iterator.next();
  first.catch(() => undefined);
  return { source, iterator, first };
}

async function* entriesOf({ iterator, first }: Asked): AsyncGenerator<Entry> {
  try {
    for (let result = await first; !result.done; result = await iterator.next()) yield result.value;
  } finally {
    await iterator.return?.();
  }
}
