/** The one place that joins a name from outside to a local path, and the rules for what such a name may be. */
import { realpathSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, dirname, join, posix, resolve, win32 } from 'node:path';
import { systemCode, XferError } from '../../errors.js';
import { nameFault } from '../../name-fault.js';
import { bytesFromName, isText, nameFromBytes, pathParts } from '../../names.js';

/** What fs takes for a path: text, or bytes where the name is not UTF-8. */
export type FsPath = string | Buffer;

/** A path as fs takes it. UNSAFE_PATH on Windows for names that are not text. */
export function fsPath(path: string, platform: NodeJS.Platform = process.platform): FsPath {
  if (isText(path)) return path;
  if (platform === 'win32') throw new XferError('UNSAFE_PATH', `name ${path}: not valid text, which Windows needs`);
  return bytesFromName(path);
}

/**
 * The local path of `name`, a path below `root` in the contract's form. UNSAFE_PATH where it is not in that form or a part
 * may not be a name here. Says nothing of links: `checkInside` does.
 */
export function joinRoot(root: string, name: string, platform: NodeJS.Platform = process.platform): string {
  const parts = pathParts(name);
  if (!parts) throw new XferError('UNSAFE_PATH', `name ${name}: leaves its directory`);
  for (const part of parts) {
    const fault = nameFault(part, platform);
    if (fault) throw new XferError('UNSAFE_PATH', `name ${name}: ${fault}`);
  }
  if (parts.length === 0) return root;
  const { sep } = platform === 'win32' ? win32 : posix;
  return (root.endsWith(sep) ? root : root + sep) + parts.join(sep);
}

/**
 * The local path of a name that was just read from the local directory `directory`, so that it holds no separator. On
 * Windows such a name can still mean another file, or a device: UNSAFE_PATH then.
 */
export function childPlace(directory: string, name: string, platform: NodeJS.Platform = process.platform): string {
  if (platform === 'win32') return joinRoot(directory, name, platform);
  return directory.endsWith('/') ? directory + name : `${directory}/${name}`;
}

/** Whether `path` is `root` or below it; both real paths. */
export function isInside(root: string, path: string, platform: NodeJS.Platform = process.platform): boolean {
  const { sep } = platform === 'win32' ? win32 : posix;
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

/**
 * A typed path as an absolute one. Where it holds `..` the links before it are followed, as the system follows them;
 * undefined where what it then lies in is not there.
 */
export async function placeOf(path: string, platform: NodeJS.Platform = process.platform): Promise<string | undefined> {
  if (platform === 'win32' || !path.split('/').includes('..')) return resolve(path);
  const absolute = (path.startsWith('/') ? path : `${process.cwd()}/${path}`).replace(/\/+$/, '');
  const slash = absolute.lastIndexOf('/');
  const last = absolute.slice(slash + 1);
  if (last === '..') return realPath(absolute);
  const parent = await realPath(absolute.slice(0, slash) || '/');
  return parent === undefined ? undefined : posix.join(parent, last);
}

/** The real path with its bytes kept, or undefined where nothing is there. */
export async function realPath(path: string): Promise<string | undefined> {
  try {
    const given = fsPath(path);
    if (typeof given === 'string') return await realpath(given);
    return nameFromBytes(await realpath(given, { encoding: 'buffer' }));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** The path without links of what may not be there yet. */
export async function realTarget(path: string): Promise<string> {
  const parent = await realPath(dirname(path));
  return (await realPath(path)) ?? (parent === undefined ? path : join(parent, basename(path)));
}

/** `realPath` at once: nothing else that this process does can come between the answer and its use. */
export function realPathNow(path: string): string | undefined {
  try {
    return nameFromBytes(realpathSync.native(fsPath(path), { encoding: 'buffer' }));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** A root and what a name in it leads to, both without links. */
export interface RealPlace {
  readonly realRoot: string;
  readonly real: string;
}

/**
 * Where `name` leads, links followed, which was inside the root a moment ago: to be used before anything is waited for.
 * NOT_FOUND where nothing is there, UNSAFE_PATH where a link leads out.
 */
export function realPlaceNow(root: string, name: string): RealPlace {
  const [realRoot, real] = [realPathNow(root), realPathNow(joinRoot(root, name))];
  if (realRoot === undefined || real === undefined) {
    throw new XferError('NOT_FOUND', `path ${name || root}: no such file or directory`);
  }
  if (!isInside(realRoot, real)) throw new XferError('UNSAFE_PATH', `path ${name}: a link out of ${root}`);
  return { realRoot, real };
}

/** The path of `realPlaceNow`, with its errors. */
export function targetNow(root: string, name: string): string {
  return realPlaceNow(root, name).real;
}
