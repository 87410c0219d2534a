/** Entries as a client of the listener sees them, and what it asks to change of them. */
import { XferError } from '../../../errors.js';
import { bytesFromName } from '../../../names.js';
import type { Change, Entry, EntryKind } from '../../../transport.js';
import { type Attributes, timesOf } from '../sftp/attributes.js';

/** Type bits of `st_mode`, the letter that `ls -l` shows, and the mode where the source knows none. */
const KINDS: Record<EntryKind, { readonly bits: number; readonly letter: string; readonly mode: number }> = {
  directory: { bits: 0x4000, letter: 'd', mode: 0o755 },
  file: { bits: 0x8000, letter: '-', mode: 0o644 },
  symlink: { bits: 0xa000, letter: 'l', mode: 0o777 },
};

export function attributesOf(entry: Entry): Attributes {
  const { bits, mode } = KINDS[entry.kind];
  const size = entry.kind === 'symlink' ? bytesFromName(entry.target ?? '').length : entry.size;
  return {
    ...(size === undefined ? {} : { size }),
    ...(entry.owner === undefined ? {} : { owner: entry.owner }),
    permissions: bits | (entry.mode ?? mode),
    ...timesOf(entry),
  };
}

/** What is to be changed, but for an owner. NO_SPACE for a size that no file has; the bits above 0o777 are not taken. */
export function changeOf({ size, permissions, times }: Attributes): Change {
  if (size === Number.POSITIVE_INFINITY) throw new XferError('NO_SPACE', 'change: larger than a file can be');
  return {
    ...(size === undefined ? {} : { size }),
    ...(permissions === undefined ? {} : { mode: permissions & 0o777 }),
    ...(times === undefined ? {} : { mtimeMs: times.mtime * 1000, atimeMs: times.atime * 1000 }),
  };
}

/** What chown(2) takes for a user or a group that stays: -1. */
const STAYS = 0xffffffff;

/**
 * DENIED for another owner than that of `now`, which stays; `cp -a` and `mv` into a mounted folder name the one that is there.
 * To be asked when the rest was changed: OpenSSH's server does all that it can too, and answers with the failure
 * (sftp-server.c, process_setstat).
 */
export function checkOwnerStays({ owner }: Attributes, now: Entry): void {
  if (!owner) return;
  const uidStays = owner.uid === STAYS || owner.uid === now.owner?.uid;
  const gidStays = owner.gid === STAYS || owner.gid === now.owner?.gid;
  if (!uidStays || !gidStays) throw new XferError('DENIED', 'change: the owner stays as it is');
}

/** A line of a listing as `ls -l` writes it, which the draft recommends (section 7, SSH_FXP_NAME). */
export function longName(entry: Entry, name: string, nowMs = Date.now()): Buffer {
  const { letter, mode } = KINDS[entry.kind];
  const size = String(attributesOf(entry).size ?? 0).padStart(8);
  const time = listedTime(entry.mtimeMs ?? 0, nowMs);
  return bytesFromName(`${letter}${modeLetters(entry.mode ?? mode)}    1 owner    group    ${size} ${time} ${name}`);
}

function modeLetters(mode: number): string {
  return [6, 3, 0]
    .map((shift) => {
      const bits = (mode >> shift) & 7;
      return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${bits & 1 ? 'x' : '-'}`;
    })
    .join('');
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const HALF_YEAR_MS = 182 * 86_400_000;

function listedTime(mtimeMs: number, nowMs: number): string {
  const time = new Date(mtimeMs);
  const day = `${MONTHS[time.getMonth()] ?? 'Jan'} ${String(time.getDate()).padStart(2)}`;
  const recent = mtimeMs <= nowMs && nowMs - mtimeMs < HALF_YEAR_MS;
  const clock = [time.getHours(), time.getMinutes()].map((part) => String(part).padStart(2, '0')).join(':');
  return `${day} ${recent ? clock : String(time.getFullYear()).padStart(5)}`;
}
