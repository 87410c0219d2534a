/** Names inside an archive: what they may hold, so that no program that unpacks them leaves its directory. */
import { bytesFromName, nameFromBytes } from '../../../../names.js';
import { safeName } from '../../content-disposition.js';

/** Where what is shared has no name of its own, as in `xfer serve .`. */
const NAMELESS = 'files';

/** The one folder that all of an archive lies in, by the name of what it holds: a name that is safe on every system. */
export function topName(name: string): string {
  return safeName(name.toWellFormed().replaceAll('\ufffd', '_')) ?? NAMELESS;
}

/** Whether a name stands for exactly one thing inside its folder: not empty, `.` or `..`, without `/` and NUL, in bytes. */
export function isPlainName(name: string): boolean {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) return false;
  return name.isWellFormed() || nameFromBytes(bytesFromName(name)) === name;
}

/**
 * A name as an archive holds it. Where a backslash parts a path, `..\x` would lead out: it becomes `%5C`. So does the byte
 * 0x5C of a name in another encoding than UTF-8.
 */
export function archivedName(name: string): string {
  return name.replaceAll('\\', '%5C');
}
