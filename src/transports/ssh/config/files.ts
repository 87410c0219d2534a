/** Reading configuration files and the globs of `Include`. */
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises';
import { toXferError, XferError } from '../../../errors.js';
import { readAtMost } from '../../../files/named-file.js';
import { bytesFromName, nameFromBytes } from '../../../names.js';
import { matchesPattern } from './patterns.js';

/** Bytes of one configuration file at most. */
export const MOST_CONFIG_BYTES = 1024 * 1024;

/** Files that one `Include` may name at most. */
const MOST_GLOB_MATCHES = 1024;

/**
 * Text of a configuration file, or undefined where it is missing. DENIED where it cannot be read or, with `checkOwner`,
 * where somebody else may write to it; USAGE where it is too large.
 */
export async function readConfigFile(path: string, checkOwner: boolean): Promise<string | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(bytesFromName(path), 'r');
    const stats = await handle.stat();
    if (stats.isDirectory()) throw new XferError('USAGE', `ssh configuration ${path}: is a directory`);
    if (checkOwner && process.platform !== 'win32') checkMode(path, stats.uid, stats.mode);
    return nameFromBytes(await readAtMost(handle, MOST_CONFIG_BYTES, `ssh configuration ${path}`));
  } catch (error) {
    const failed = toXferError(error, `ssh configuration ${path}`);
    if (failed.code === 'NOT_FOUND') return undefined;
    throw failed;
  } finally {
    await handle?.close();
  }
}

function checkMode(path: string, uid: number, mode: number): void {
  if ((uid === 0 || uid === process.getuid?.()) && (mode & 0o022) === 0) return;
  throw new XferError('DENIED', `ssh configuration ${path}: bad owner or permissions; others may write to it`, {
    hint: `chmod 600 ${path}`,
  });
}

/** Paths that match an absolute glob (`*`, `?`, `[...]`), in byte order. What is not there or not readable matches nothing. */
export async function expandGlob(pattern: string): Promise<string[]> {
  const [root, ...parts] = pattern.split('/');
  let found = [root as string];
  for (const part of parts) {
    const next: string[] = [];
    for (const folder of found) next.push(...(await step(folder, part)));
    if (next.length > MOST_GLOB_MATCHES) {
      throw new XferError('USAGE', `Include ${pattern}: matches more than ${MOST_GLOB_MATCHES} files`);
    }
    found = next;
  }
  return found;
}

async function step(folder: string, part: string): Promise<string[]> {
  if (!/[*?[]/.test(part)) {
    const path = `${folder}/${part}`;
    return part === ''
      ? [path]
      : lstat(bytesFromName(path)).then(
          () => [path],
          () => [],
        );
  }
  const wanted = part.includes('[') ? globExpression(part) : undefined;
  const names = await readdir(bytesFromName(`${folder}/`), 'buffer').catch(() => []);
  return names
    .sort(Buffer.compare)
    .map(nameFromBytes)
    .filter(
      (name) => (wanted?.test(name) ?? matchesPattern(name, part)) && (!name.startsWith('.') || part.startsWith('.')),
    )
    .map((name) => `${folder}/${name}`);
}

/** glob(7) for one part of a path. Runs of stars are one star, so that a match stays cheap. */
function globExpression(part: string): RegExp {
  const source = part.replace(/\*+|\?|\[(!?)([^\]/]+)\]|[^*?]/gs, (piece, negated: string, set: string | undefined) => {
    if (piece.startsWith('*')) return '.*';
    if (piece === '?') return '.';
    if (set !== undefined) return `[${negated ? '^' : ''}${set.replace(/[\\^[\]]/g, '\\$&')}]`;
    return piece.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  });
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    return /^(?!)/;
  }
}
