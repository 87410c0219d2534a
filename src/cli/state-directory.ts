/** The directory of what outlives a run, where there can be one. */
import { join } from 'node:path';
import { toXferError } from '../errors.js';
import { makeWritableDirectory } from '../files/own-directory.js';
import { stateDirectory } from './own-directories.js';
import type { Surroundings } from './surroundings.js';

type Home = Pick<Surroundings, 'env' | 'platform' | 'homeDirectory'>;
type Notice = (line: string) => void;

/**
 * `stateDirectory`, made where it is missing. Undefined, after a word that says why, where nothing can be kept there: a home
 * that is full, read-only or not one's own is no reason not to copy.
 */
export async function usableStateDirectory(around: Home, onNotice: Notice): Promise<string | undefined> {
  return usable(stateDirectory(around), onNotice);
}

/** The same, of the directory in it for the notes of copies. */
export async function usableJournalDirectory(around: Home, onNotice: Notice): Promise<string | undefined> {
  return usable(join(stateDirectory(around), 'journal'), onNotice);
}

async function usable(directory: string, onNotice: Notice): Promise<string | undefined> {
  try {
    await makeWritableDirectory(directory);
    return directory;
  } catch (error) {
    const { message } = toXferError(error, `keep notes in ${directory}`);
    onNotice(`${message}; what breaks off will begin anew (another place: XDG_STATE_HOME)`);
    return undefined;
  }
}
