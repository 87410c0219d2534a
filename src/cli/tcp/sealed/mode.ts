/** Whether a transfer is sealed. */
import type { ParsedArguments } from '../../parsed-arguments.js';
import type { Surroundings } from '../../surroundings.js';

/** Whether the options or the environment name a key, or ask for one. */
export function wantsKey(parsed: ParsedArguments, { env }: Surroundings): boolean {
  const named = parsed.last('key', 'key-file') !== undefined;
  return named || parsed.flag('sealed') || (env.XFER_KEY ?? '') !== '';
}
