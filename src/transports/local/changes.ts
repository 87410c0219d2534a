/**
 * What a client of a file server changes by name. Each is one look and one call with nothing awaited between them, so that
 * no other client can put a link in the way.
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
import { holdPlace } from './confined.js';
import { type FsPath, fsPath, placeNow, targetNow } from './root.js';
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
    const place = fsPath(follow ? targetNow(root, path) : placeNow(root, path));
    if (lstatSync(place).isSymbolicLink()) changeLink(place, path, change);
    else changeThing(place, path, change);
  } catch (error) {
    throw toXferError(error, `change ${path || root}`);
  }
}

function changeThing(place: FsPath, path: string, { size, mode, mtimeMs, atimeMs }: Change): void {
  if (size !== undefined) cut(place, path, size);
  if (mode !== undefined) chmodSync(place, mode);
  if (mtimeMs !== undefined) utimesSync(place, systemTime(atimeMs ?? mtimeMs), systemTime(mtimeMs));
}

function changeLink(place: FsPath, path: string, { size, mode, mtimeMs, atimeMs }: Change): void {
  if (size !== undefined || mode !== undefined) {
    throw new XferError('UNSUPPORTED', `change ${path}: a link has a time only`);
  }
  if (mtimeMs !== undefined) lutimesSync(place, systemTime(atimeMs ?? mtimeMs), systemTime(mtimeMs));
}

/** A pipe would hold up the open. */
function cut(place: FsPath, path: string, size: number): void {
  if (!lstatSync(place).isFile()) throw new XferError('UNSUPPORTED', `change ${path}: not a regular file`);
  const descriptor = openSync(place, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    ftruncateSync(descriptor, size);
  } finally {
    closeSync(descriptor);
  }
}
