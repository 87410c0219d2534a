/** Whether a transfer is sealed, and which options go with that. */
import { XferError } from '../../../errors.js';
import type { OptionName } from '../../options.js';
import type { ParsedArguments } from '../../parsed-arguments.js';
import type { Surroundings } from '../../surroundings.js';

/** Whether the options or the environment name a key, or ask for one; an end that is found by others is always sealed. */
export function wantsKey(parsed: ParsedArguments, { env }: Surroundings): boolean {
  const named = parsed.last('key', 'key-file', 'sealed', 'announce', 'find') !== undefined;
  return named || (env.XFER_KEY ?? '') !== '';
}

/** Options that say something only where the transfer is sealed. */
const SEALED_ONLY: readonly OptionName[] = [
  'allow-dotfiles',
  'any-names',
  'ask',
  'exclude',
  'include',
  'links',
  'name',
  'overwrite',
  'parallel',
];

/** Options that say something only of plain bytes. */
const PLAIN_ONLY: readonly OptionName[] = ['output-dir', 'size', 'sha256', 'finish-idle', 'idle-timeout'];

/** USAGE where a plain transfer is told what it could not do. */
export function checkPlain(parsed: ParsedArguments): void {
  const name = parsed.last(...SEALED_ONLY);
  if (name === undefined) return;
  throw new XferError('USAGE', `option --${name}: only where the transfer is sealed`, {
    hint: 'add --sealed, or leave it out',
  });
}

/** USAGE where a sealed transfer is told what only goes with plain bytes. */
export function checkSealed(parsed: ParsedArguments): void {
  const name = parsed.last(...PLAIN_ONLY);
  if (name === undefined) return;
  throw new XferError('USAGE', `option --${name}: not where the transfer is sealed`, { hint: 'leave it out' });
}
