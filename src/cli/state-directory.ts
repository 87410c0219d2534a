/** The directory of what outlives a run, where there can be one. */
import { toXferError } from '../errors.js';
import { makeWritableDirectory } from '../files/own-directory.js';
import { stateDirectory } from './own-directories.js';
import type { Surroundings } from './surroundings.js';

/**
 * `stateDirectory`, made where it is missing. Undefined, after a word that says why, where nothing can be kept there: a home
 * that is full, read-only or not one's own is no reason not to copy.
 */
export async function usableStateDirectory(
  around: Pick<Surroundings, 'env' | 'platform' | 'homeDirectory'>,
  onNotice: (line: string) => void,
): Promise<string | undefined> {
  const directory = stateDirectory(around);
  try {
    await makeWritableDirectory(directory);
    return directory;
  } catch (error) {
    const { message } = toXferError(error, `keep notes in ${directory}`);
    onNotice(`${message}; what breaks off will begin anew (another place: XDG_STATE_HOME)`);
    return undefined;
  }
}
