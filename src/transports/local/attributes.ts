/** What the file system says of a file, as an entry. */
import type { BigIntStats } from 'node:fs';
import type { Entry, EntryKind } from '../../transport.js';
import { isMadeWhenRead } from './made-when-read.js';

/** undefined for what is none of the three: a socket, a pipe, a device. */
export function kindOf(stats: BigIntStats): EntryKind | undefined {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : undefined;
}

/** Size, time of change to the nanosecond and inode: what `version` promises to tell apart. */
export function versionOf(stats: BigIntStats): string {
  return `${stats.size}-${stats.mtimeNs}-${stats.ino}`;
}

/** The same for the same thing under any name. */
export function identityOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}`;
}

export function entryFrom(path: string, kind: EntryKind, stats: BigIntStats): Entry {
  const mtimeMs = Number(stats.mtimeNs) / 1e6;
  const atimeMs = Number(stats.atimeNs) / 1e6;
  const known: Entry = { path, kind, mode: Number(stats.mode) & 0o7777, mtimeMs, atimeMs, ...ownerOf(stats) };
  if (kind === 'directory') return { ...known, identity: identityOf(stats) };
  if (kind !== 'file' || isMadeWhenRead(stats)) return known;
  return { ...known, size: Number(stats.size), version: versionOf(stats) };
}

/** Windows keeps none of these numbers, and says 0. */
export function ownerOf({ uid, gid }: BigIntStats, platform = process.platform): Pick<Entry, 'owner'> {
  return platform === 'win32' ? {} : { owner: { uid: Number(uid), gid: Number(gid) } };
}
