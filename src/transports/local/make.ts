/** Directories and links of a local sink. */
import { mkdirSync, readlinkSync, statSync, symlinkSync } from 'node:fs';
import { systemCode, XferError } from '../../errors.js';
import { nameFromBytes } from '../../names.js';
import type { Entry } from '../../transport.js';
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
