/** Owner and group of a file that is replaced, for the one that takes its place. */
import { type BigIntStats, fchownSync, fstatSync } from 'node:fs';
import type { Owner } from '../../transport.js';

/** What the open file lacks of `replaced`; undefined where it has both, or the system keeps none. */
export function ownerToKeep(descriptor: number, replaced: BigIntStats): Owner | undefined {
  if (process.platform === 'win32') return undefined;
  const { uid, gid } = fstatSync(descriptor);
  const owner = { uid: Number(replaced.uid), gid: Number(replaced.gid) };
  return owner.uid === uid && owner.gid === gid ? undefined : owner;
}

/** Whether the system lets this process give a file of its own away: chown(2). */
export function mayGive({ uid, gid }: Owner): boolean {
  const own = process.geteuid?.();
  return own === 0 || (own === uid && process.getgroups?.().includes(gid) === true);
}

/** False where the system refuses that. */
export function give(descriptor: number, { uid, gid }: Owner): boolean {
  try {
    fchownSync(descriptor, uid, gid);
    return true;
  } catch {
    return false;
  }
}
