/**
 * A small file at once: five calls that each wait for a thread cost ten times what the bytes do. The walk has just looked
 * at the file, so the system has it at hand.
 */
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { toXferError, XferError } from '../../errors.js';
import type { Entry } from '../../transport.js';
import { versionOf } from './attributes.js';
import type { FsPath } from './root.js';

/** SOURCE_CHANGED where the file is not the entry's version. */
export function checkVersion(entry: Entry, stats: BigIntStats, label: string): void {
  if (entry.version === undefined || versionOf(stats) === entry.version) return;
  throw new XferError('SOURCE_CHANGED', `read ${label}: it changed while it was copied`, {
    hint: 'run the command again',
  });
}

/** All bytes of a file. TRUNCATED, SOURCE_CHANGED, NOT_FOUND, DENIED. */
export function readSmall(path: FsPath, entry: Entry, label: string): Buffer {
  try {
    const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const bytes = readAll(descriptor, entry.size as number, label);
      checkVersion(entry, fstatSync(descriptor, { bigint: true }), label);
      return bytes;
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw toXferError(error, `read ${label}`);
  }
}

function readAll(descriptor: number, size: number, label: string): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0; at < size; ) {
    const got = readSync(descriptor, bytes, at, size - at, at);
    if (got === 0)
      throw new XferError('TRUNCATED', `read ${label}: the file ends at byte ${at}, ${size - at} too early`);
    at += got;
  }
  return bytes;
}

/** Writes all bytes to a file, from `at` on. */
export function writeAtOnce(descriptor: number, bytes: Buffer, at: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, at + done);
  }
}
