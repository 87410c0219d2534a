/**
 * What a client of a file server changes by name. What is looked at is held until it is changed, so that neither another
 * client nor another process can put a link in the way.
 */
import {
  chmodSync,
  closeSync,
  constants,
  ftruncateSync,
  lstatSync,
  lutimesSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  utimesSync,
} from 'node:fs';
import { toXferError, XferError } from '../../errors.js';
import type { Change } from '../../transport.js';
import { type HeldTarget, holdPlace, holdTarget } from './confined.js';
import { type FsPath, fsPath } from './root.js';
import { systemTime } from './system-time.js';

/** As `Sink.rename` says. */
export function renameNow(root: string, from: string, to: string, replace: boolean): void {
  try {
    checkBelow('rename', from);
    checkBelow('rename', to);
    withPlace(root, from, (source) =>
      withPlace(root, to, (target) => {
        if (!replace && lstatSync(target, { throwIfNoEntry: false })) {
          throw new XferError('EXISTS', `rename ${from}: ${to} already exists`);
        }
        renameSync(source, target);
      }),
    );
  } catch (error) {
    throw toXferError(error, `rename ${from}`);
  }
}

/** As `Sink.remove` says. */
export function removeNow(root: string, path: string, kind: 'file' | 'directory'): void {
  try {
    checkBelow('remove', path);
    withPlace(root, path, (place) => {
      if (kind === 'directory') rmdirSync(place);
      else if (lstatSync(place).isDirectory()) throw new XferError('EXISTS', `remove ${path}: is a directory`);
      else unlinkSync(place);
    });
  } catch (error) {
    throw toXferError(error, `remove ${path}`);
  }
}

/** Where a thing is, in a directory that is held meanwhile, so that no other process can lead it elsewhere. */
function withPlace(root: string, path: string, act: (place: FsPath) => void): void {
  const held = holdPlace(root, path);
  try {
    act(fsPath(held.place));
  } finally {
    held.close();
  }
}

function checkBelow(what: string, path: string): void {
  if (path === '') throw new XferError('DENIED', `${what}: the shared directory itself stays as it is`);
}

/** As `Sink.change` says. */
export function changeNow(root: string, path: string, change: Change, follow: boolean): void {
  try {
    if (!follow && path !== '' && changedLink(root, path, change)) return;
    const held = holdTarget(root, path);
    try {
      changeThing(held, path, change);
    } finally {
      held.close();
    }
  } catch (error) {
    throw toXferError(error, `change ${path || root}`);
  }
}

function changeThing(held: HeldTarget, path: string, { size, mode, mtimeMs, atimeMs }: Change): void {
  const place = fsPath(held.place);
  if (held.stats.isSymbolicLink()) throw new XferError('NOT_FOUND', `change ${path}: it was replaced by a link`);
  if (size !== undefined) cut(held, path, size);
  if (mode !== undefined) chmodSync(place, mode);
  if (mtimeMs !== undefined) utimesSync(place, systemTime(atimeMs ?? mtimeMs), systemTime(mtimeMs));
}

/** Whether it is a link, which is then changed itself. */
function changedLink(root: string, path: string, { size, mode, mtimeMs, atimeMs }: Change): boolean {
  let isLink = false;
  withPlace(root, path, (place) => {
    isLink = lstatSync(place).isSymbolicLink();
    if (!isLink) return;
    if (size !== undefined || mode !== undefined) {
      throw new XferError('UNSUPPORTED', `change ${path}: a link has a time only`);
    }
    if (mtimeMs !== undefined) lutimesSync(place, systemTime(atimeMs ?? mtimeMs), systemTime(mtimeMs));
  });
  return isLink;
}

/** A pipe would hold up the open. */
function cut({ place, stats, openFlags }: HeldTarget, path: string, size: number): void {
  if (!stats.isFile()) throw new XferError('UNSUPPORTED', `change ${path}: not a regular file`);
  const descriptor = openSync(fsPath(place), constants.O_WRONLY | (constants.O_NONBLOCK ?? 0) | openFlags);
  try {
    ftruncateSync(descriptor, size);
  } finally {
    closeSync(descriptor);
  }
}
