/** What a sender is about to send, for the receiver to see before it takes any of it. */
import type { Location } from '../../../location.js';
import { openSource } from '../../../open.js';
import { MOST_TEXT_BYTES, type Offer, type Offered } from '../../../transports/tcp/sealed/messages.js';

/** The things at these locations; what is in memory is words. Those that cannot be opened are left to the copy, which says why. */
export async function offerOf(
  from: readonly Location[],
  stdinName: string,
  options: object,
  signal: AbortSignal,
): Promise<Offer> {
  const things: Offered[] = [];
  for (const location of from) {
    if (location.scheme === 'stdio') things.push({ name: stdinName, kind: 'file' });
    else things.push(...(await offered(location, options, signal).catch(() => [])));
  }
  return { things, count: from.length };
}

async function offered(location: Location, options: object, signal: AbortSignal): Promise<Offered[]> {
  const scope = { signal };
  const source = await openSource(location, options, scope);
  try {
    for await (const { kind, size } of source.entries({ ...scope, onSkip: () => {} })) {
      const isText = location.scheme === 'memory' && size !== undefined && size <= MOST_TEXT_BYTES;
      return [{ name: source.name, kind: isText ? 'text' : kind, ...(size === undefined ? {} : { size }) }];
    }
    return [];
  } finally {
    await source.close();
  }
}
