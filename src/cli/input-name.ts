/** What `--name` calls standard input. */
import { XferError } from '../errors.js';
import { pathParts } from '../names.js';

/** USAGE where there is no standard input to be called so, or where that is no name. `example` is a command line before the option. */
export function checkInputName(name: string | undefined, hasInput: boolean, example: string): void {
  if (name === undefined) return;
  if (!hasInput) {
    throw new XferError('USAGE', `option --name ${name}: only standard input has no name of its own`, {
      hint: `tar c . | ${example} --name ${name}`,
    });
  }
  if (pathParts(name)?.length === 1) return;
  throw new XferError('USAGE', `option --name ${name}: not the name of a file`, { hint: '--name backup.tar' });
}
