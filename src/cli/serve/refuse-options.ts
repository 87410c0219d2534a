import { XferError } from '../../errors.js';
import type { OptionName } from '../options.js';
import type { ParsedArguments } from '../parsed-arguments.js';

/** UNSUPPORTED where one of these options was given: what is asked for and not done would be taken for done. */
export function refuseOptions(
  parsed: ParsedArguments,
  names: readonly OptionName[],
  where: string,
  hint: string,
): void {
  const name = parsed.last(...names);
  if (name !== undefined) throw new XferError('UNSUPPORTED', `option --${name}: not ${where}`, { hint });
}
