/** What standard input and output can be in a copy. */
import { XferError } from '../errors.js';
import type { Location } from '../location.js';

/** USAGE where several files would be mixed in standard output, or standard input is read twice. */
export function checkStandardStreams({ from, to }: { from: readonly Location[]; to: Location }): void {
  if (to.scheme === 'stdio' && from.length > 1) {
    throw severalToOutput('cp', 'xfer cp FILE - for each of them, or name a directory as the target');
  }
  if (from.filter(({ scheme }) => scheme === 'stdio').length > 1) {
    throw new XferError('USAGE', 'standard input: it can be read only once', { hint: 'name - once' });
  }
}

/** Nobody could tell where one ends and the next begins. */
export function severalToOutput(command: string, hint: string): XferError {
  return new XferError('USAGE', `${command}: several files do not go to standard output`, { hint });
}
