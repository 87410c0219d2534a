/** Where a thing of a shared directory is on this machine. */
import { type BigIntStats, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { toXferError } from '../../errors.js';
import type { Place } from '../../place.js';
import { identityOf } from './attributes.js';
import { fsPath, realPlaceNow } from './root.js';

/** The place of `path` below `root`, links followed. NOT_FOUND where nothing is there, UNSAFE_PATH where a link leads out. */
export function placeBelow(root: string, path: string): Place {
  const { realRoot, real } = realPlaceNow(root, path);
  try {
    const directories = [lookAt(realRoot)];
    let place = realRoot;
    for (const part of real.slice(realRoot.length).split(sep)) {
      if (part === '') continue;
      place = join(place, part);
      directories.push(lookAt(place));
    }
    return {
      path: real,
      root: realRoot,
      directories: directories.filter((stats) => stats.isDirectory()).map(identityOf),
    };
  } catch (error) {
    throw toXferError(error, `look at ${path || root}`);
  }
}

function lookAt(place: string): BigIntStats {
  return statSync(fsPath(place), { bigint: true });
}
