/** A directory goes with all that is in it. */
import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { throwIfAborted, toXferError } from '../../errors.js';
import { nameFromBytes } from '../../names.js';
import type { Scope } from '../../transport.js';
import { removeNow } from './changes.js';
import { type HeldDirectory, holdChild, holdDirectory } from './confined.js';
import { childPlace, fsPath } from './root.js';

const ENTRIES_A_TURN = 200;

/**
 * As `Sink.remove` says of a tree. Each directory is held while what is in it goes, so that a link which is put in its
 * place meanwhile leads nowhere.
 */
export async function removeTree(root: string, path: string, { signal }: Scope): Promise<void> {
  let entries = 0;
  const empty = async (held: HeldDirectory): Promise<void> => {
    for (const name of readdirSync(fsPath(held.place), { encoding: 'buffer' })) {
      throwIfAborted(signal);
      entries += 1;
      if (entries % ENTRIES_A_TURN === 0) await nextTurn();
      const place = childPlace(held.place, nameFromBytes(name));
      if (!lstatSync(fsPath(place)).isDirectory()) {
        unlinkSync(fsPath(place));
        continue;
      }
      const child = holdChild(place);
      try {
        await empty(child);
      } finally {
        child.close();
      }
      rmdirSync(fsPath(place));
    }
  };
  try {
    const held = holdDirectory(root, path);
    try {
      await empty(held);
    } finally {
      held.close();
    }
  } catch (error) {
    throw toXferError(error, `remove ${path}`);
  }
  removeNow(root, path, 'directory');
}
