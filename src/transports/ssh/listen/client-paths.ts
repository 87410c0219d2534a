/** Paths as a client of the listener sends them: its `/` is the root of what is shared, and no path leads above it. */
import { XferError } from '../../../errors.js';
import { bytesFromName, joinPath, nameFromBytes, parentPath } from '../../../names.js';

/** As PATH_MAX of Linux. */
const MOST_BYTES = 4096;

/**
 * The path below the root that a client means, `..` taken away with the part before it, as the text stands. NOT_FOUND
 * where it holds NUL, UNSAFE_PATH where it is longer than 4,096 bytes.
 */
export function clientPath(bytes: Buffer): string {
  if (bytes.length > MOST_BYTES) throw new XferError('UNSAFE_PATH', 'path: longer than 4096 bytes');
  if (bytes.includes(0)) throw new XferError('NOT_FOUND', 'path: holds NUL');
  const parts: string[] = [];
  for (const part of nameFromBytes(bytes).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** Whether a path can mean a directory only: `x/` and `x/.` do, there or not. */
export function wantsDirectory(bytes: Buffer): boolean {
  return /\/\.?$/.test(nameFromBytes(bytes));
}

/** `clientPath` of what is no directory. NOT_FOUND where the path can mean one only. */
export function filePath(bytes: Buffer): string {
  if (wantsDirectory(bytes)) throw new XferError('NOT_FOUND', 'path: no such directory');
  return clientPath(bytes);
}

/** A path below the root as the client sees it. */
export function shownPath(path: string): Buffer {
  return bytesFromName(`/${path}`);
}

/** `~` and `~/x` are the root and what is below it; there are no other people. NOT_FOUND for `~user`. */
export function homePath(bytes: Buffer): string {
  const text = nameFromBytes(bytes);
  if (!/^~[^/]/.test(text)) return clientPath(bytesFromName(text.replace(/^~/, '/')));
  throw new XferError('NOT_FOUND', 'path: no such user');
}

/**
 * The target to store for a link at `link`: relative, and never above the root as the text stands. DENIED where it would
 * be, NOT_FOUND where it is no path.
 */
export function linkTarget(link: string, target: Buffer): string {
  const plain = clientPath(target);
  if (target.length === 0) throw new XferError('NOT_FOUND', 'link: its target is empty');
  const up = parentPath(link)
    .split('/')
    .filter((part) => part !== '')
    .map(() => '..');
  if (target[0] === 0x2f) return joinPath(...up, plain) || '.';
  const text = nameFromBytes(target);
  if (staysBelow(up.length, text)) return text;
  throw new XferError('DENIED', 'link: its target is outside of what is shared');
}

/** Whether a stored target can be shown: it tells nothing of what is outside the root. */
export function isShownTarget(link: string, target: string): boolean {
  return !target.startsWith('/') && staysBelow(link.split('/').length - 1, target);
}

function staysBelow(depth: number, target: string): boolean {
  let left = depth;
  for (const part of target.split('/')) {
    if (part === '..') left -= 1;
    else if (part !== '' && part !== '.') left += 1;
    if (left < 0) return false;
  }
  return true;
}
