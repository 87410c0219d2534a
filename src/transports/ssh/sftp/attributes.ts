/** File attributes of SFTP version 3 (draft-ietf-secsh-filexfer-02, section 5). */
import type { Entry, EntryKind } from '../../../transport.js';
import { broken, type PacketReader } from './codec.js';

export interface Attributes {
  readonly size?: number;
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Type and permission bits, as `st_mode` has them. */
  readonly permissions?: number;
  /** Seconds since the epoch. */
  readonly times?: { readonly atime: number; readonly mtime: number };
}

const FLAG = { SIZE: 1, UIDGID: 2, PERMISSIONS: 4, ACMODTIME: 8, EXTENDED: 0x80000000 } as const;
const MAX_EXTENDED = 64;

/** PROTOCOL where the fields do not fit. `size` reads that field; as it stands, PROTOCOL for more than a file can have. */
export function readAttributes(reader: PacketReader, size = () => reader.uint64()): Attributes {
  const flags = reader.uint32();
  const attributes: Attributes = {
    ...(flags & FLAG.SIZE ? { size: size() } : {}),
    ...(flags & FLAG.UIDGID ? { owner: { uid: reader.uint32(), gid: reader.uint32() } } : {}),
    ...(flags & FLAG.PERMISSIONS ? { permissions: reader.uint32() } : {}),
    ...(flags & FLAG.ACMODTIME ? { times: { atime: reader.uint32(), mtime: reader.uint32() } } : {}),
  };
  if (flags & FLAG.EXTENDED) {
    const count = reader.uint32();
    if (count > MAX_EXTENDED) throw broken('too many extended attributes');
    for (let at = 0; at < count; at++) {
      reader.string();
      reader.string();
    }
  }
  return attributes;
}

/** The attributes as they go on the wire. */
export function attributeBytes(attributes: Attributes): Buffer {
  const fields: number[] = [];
  let flags = 0;
  if (attributes.size !== undefined) {
    flags |= FLAG.SIZE;
    fields.push(Math.floor(attributes.size / 2 ** 32), attributes.size % 2 ** 32);
  }
  if (attributes.owner) {
    flags |= FLAG.UIDGID;
    fields.push(attributes.owner.uid, attributes.owner.gid);
  }
  if (attributes.permissions !== undefined) {
    flags |= FLAG.PERMISSIONS;
    fields.push(attributes.permissions);
  }
  if (attributes.times) {
    flags |= FLAG.ACMODTIME;
    fields.push(attributes.times.atime, attributes.times.mtime);
  }
  const bytes = Buffer.allocUnsafe(4 + fields.length * 4);
  bytes.writeUInt32BE(flags, 0);
  for (const [at, value] of fields.entries()) bytes.writeUInt32BE(value, 4 + at * 4);
  return bytes;
}

/** The type bits of `st_mode`. */
const KINDS = new Map<number, EntryKind>([
  [0x4000, 'directory'],
  [0x8000, 'file'],
  [0xa000, 'symlink'],
]);

/** Kind by the type bits; 'special' for devices, sockets and pipes; 'unknown' where the server states no permissions. */
export function kindOf(attributes: Attributes): EntryKind | 'special' | 'unknown' {
  if (attributes.permissions === undefined) return 'unknown';
  return KINDS.get(attributes.permissions & 0xf000) ?? 'special';
}

/** An entry's times, which version 3 keeps in whole unsigned 32-bit seconds and always both; none without an mtime. */
export function timesOf({ mtimeMs, atimeMs = mtimeMs }: Pick<Entry, 'mtimeMs' | 'atimeMs'>): Pick<Attributes, 'times'> {
  if (mtimeMs === undefined || atimeMs === undefined) return {};
  const seconds = (timeMs: number): number => Math.min(Math.max(Math.floor(timeMs / 1000), 0), 0xffffffff);
  return { times: { atime: seconds(atimeMs), mtime: seconds(mtimeMs) } };
}

/** The key of a resume, or undefined where the server states no size or time. */
export function versionOf(attributes: Attributes): string | undefined {
  if (attributes.size === undefined || !attributes.times) return undefined;
  return `${attributes.size}:${attributes.times.mtime}`;
}
