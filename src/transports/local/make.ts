/** Directories, links and drafts of a local sink, as the system makes them. */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { systemCode, XferError } from '../../errors.js';
import { nameFromBytes } from '../../names.js';
import type { Entry } from '../../transport.js';
import { holdPlace } from './confined.js';
import { fsPath } from './root.js';

const DEFAULT_DIRECTORY_MODE = 0o777;

/** Makes a link, or leaves the same one that is there. The system's errors. */
export function makeLink(place: string, { path, target }: Entry): void {
  if (target === undefined) throw new XferError('INTERNAL', `create ${path}: the link has no target`);
  try {
    symlinkSync(fsPath(target), fsPath(place));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST' || linkTarget(place) !== target) throw error;
  }
}

function linkTarget(place: string): string | undefined {
  try {
    return nameFromBytes(readlinkSync(fsPath(place), 'buffer'));
  } catch (error) {
    if (systemCode(error) === 'EINVAL') return undefined;
    throw error;
  }
}

/** Makes a directory, or leaves the one that is there as it is. The system's errors. */
export function makeDirectory(place: string, { mode }: Entry): void {
  try {
    mkdirSync(fsPath(place), { mode: (mode ?? DEFAULT_DIRECTORY_MODE) & 0o777 });
  } catch (error) {
    const there = systemCode(error) === 'EEXIST' ? statSync(fsPath(place), { throwIfNoEntry: false }) : undefined;
    if (!there?.isDirectory()) throw error;
  }
}

/** Makes a directory or a link below a root, in a parent that is held meanwhile. */
export function makeHeld(root: string, entry: Entry): void {
  const held = holdPlace(root, entry.path);
  try {
    if (entry.kind === 'directory') makeDirectory(held.place, entry);
    else makeLink(held.place, entry);
  } finally {
    held.close();
  }
}

/** What opens neither for writing nor as itself: a directory, and a link with O_NOFOLLOW (EMLINK on FreeBSD). */
const NO_FILE: ReadonlySet<string | undefined> = new Set(['EISDIR', 'ELOOP', 'EMLINK']);

/** Opens a draft with these flags. UNSAFE_PATH where a directory, a link or another's file has its name; else the system's errors. */
export function openDraft(path: string, flags: number, mode: number): number {
  try {
    return openSync(fsPath(path), flags, mode);
  } catch (error) {
    const code = systemCode(error);
    const isTaken = NO_FILE.has(code) || (code === 'EACCES' && isThere(path));
    throw isTaken ? notOurs(path) : error;
  }
}

function isThere(path: string): boolean {
  try {
    return lstatSync(fsPath(path), { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/**
 * Length of a draft that may have been there before, cut to `size`. Its name can be guessed: in a directory that others may
 * write, it must be a file of our own that has no other name, or they could change the copy later. UNSAFE_PATH, closed, where
 * it is not.
 */
export function ownBytes(descriptor: number, path: string, size = Number.POSITIVE_INFINITY): number {
  try {
    const stats = fstatSync(descriptor);
    const own = process.getuid === undefined || stats.uid === process.getuid();
    if (!own || stats.nlink !== 1 || !stats.isFile()) throw notOurs(path);
    if (stats.size > size) ftruncateSync(descriptor, size);
    return Math.min(stats.size, size);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function notOurs(path: string): XferError {
  return new XferError('UNSAFE_PATH', `write ${path}: something else has the name of the draft`, { hint: 'remove it' });
}
