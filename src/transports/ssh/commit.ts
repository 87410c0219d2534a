/** What gives a written file its mode, its time and its name, and says why it could not be written. */
import { MAKE_ROOM, XferError } from '../../errors.js';
import { nameFromBytes, printable } from '../../names.js';
import type { Entry, OpenOptions, Scope } from '../../transport.js';
import { type Attributes, timesOf } from './sftp/attributes.js';
import type { SftpClient } from './sftp/client.js';
import { statusOf } from './sftp/status.js';

export function attributesOf(entry: Entry): Attributes {
  return {
    ...(entry.mode === undefined ? {} : { permissions: entry.mode & 0o777 }),
    ...timesOf(entry),
  };
}

/** Renames over what is there. Without posix-rename@openssh.com nothing has the name for a moment. */
export async function renameOver(client: SftpClient, from: Buffer, to: Buffer, scope: Scope): Promise<void> {
  if (client.extensions.has('posix-rename@openssh.com')) return client.posixRename(from, to, scope);
  try {
    await client.rename(from, to, scope);
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
    await client.lstat(to, scope);
    await client.remove(to, scope);
    await client.rename(from, to, scope);
  }
}

/** A server may refuse to set mode and time: the file is whole, so that is said and not failed. */
export function noticeAttributes(error: unknown, path: Buffer, onNotice: OpenOptions['onNotice']): void {
  if (!onNotice || statusOf(error) === undefined) throw error;
  onNotice(`${printable(nameFromBytes(path))}: the server did not take its mode and time`);
}

/**
 * OpenSSH says only "Failure" where the disk is full. `place` is on the file system that is written to, which is full where
 * it has no room for `bytes`.
 */
export async function explainWrite(
  client: SftpClient,
  place: Buffer,
  what: string,
  error: unknown,
  bytes = 1,
): Promise<Error> {
  const plain = error instanceof Error ? error : new Error(String(error));
  if (statusOf(error) === undefined) return plain;
  const full = await client.isFull(place, bytes).catch(() => false);
  if (!full) return plain;
  return new XferError('NO_SPACE', `${what}: no space left on the server`, { hint: MAKE_ROOM, cause: error });
}
