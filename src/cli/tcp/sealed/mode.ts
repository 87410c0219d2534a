/** Whether a transfer is sealed. */
import type { ParsedArguments } from '../../parsed-arguments.js';
import type { Surroundings } from '../../surroundings.js';

/** Whether the options or the environment name a key, or ask for one; an end that is found by others is always sealed. */
export function wantsKey(parsed: ParsedArguments, { env }: Surroundings): boolean {
  const named = parsed.last('key', 'key-file', 'sealed', 'announce', 'find') !== undefined;
  return named || (env.XFER_KEY ?? '') !== '';
}
