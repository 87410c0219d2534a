/** A small file in three round trips. */
import { throwIfAborted } from '../../errors.js';
import { nameFromBytes } from '../../names.js';
import type { Scope } from '../../transport.js';
import { attributesOf, explainWrite, noticeAttributes, renameOver } from './commit.js';
import { type DraftOptions, modeOf, temporaryPath } from './draft-start.js';
import { keepOwner } from './keep-owner.js';
import { type Attributes, kindOf } from './sftp/attributes.js';
import type { SftpClient } from './sftp/client.js';
import { OPEN } from './sftp/codec.js';
import { statusOf } from './sftp/status.js';

/**
 * Makes the file, whole or not at all; false, with nothing left behind, where a link, a directory, an owner who would be
 * lost or a refusal is in the way: a draft knows what to do then. `exact`: mode and time are set, else a file that is replaced keeps its mode.
 * NO_SPACE, DENIED, DISCONNECTED.
 */
export async function putFile(options: DraftOptions, bytes: Buffer, exact: boolean, scope: Scope): Promise<boolean> {
  const { client, path, entry } = options;
  const { version: _, ...unversioned } = entry;
  const temporary = temporaryPath(path, unversioned);
  const looking = options.inNewDirectory ? undefined : client.find('lstat', path);
  looking?.catch(() => undefined);
  const handle = await openNew(client, temporary, modeOf(entry));
  if (!handle) return false;
  try {
    const target = await looking;
    throwIfAborted(scope.signal);
    const kind = target && kindOf(target);
    if (kind === undefined || kind === 'file' || kind === 'unknown') {
      const owned = await fill({ ...options, target }, handle, bytes, exact);
      throwIfAborted(scope.signal);
      if (owned) {
        await renameOver(client, temporary, path, scope);
        return true;
      }
    } else await client.close(handle).catch(() => undefined);
  } catch (error) {
    // Before the file goes, and with it the room that it takes.
    const clear = await explainWrite(client, temporary, `write ${nameFromBytes(path)}`, error, bytes.length);
    if (!client.channel.ended) await client.remove(temporary).catch(() => undefined);
    throw clear;
  }
  await client.remove(temporary).catch(() => undefined);
  return false;
}

async function openNew(client: SftpClient, path: Buffer, attributes: Attributes): Promise<Buffer | undefined> {
  try {
    return await client.open(path, OPEN.WRITE | OPEN.CREAT | OPEN.EXCL, attributes);
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
    return undefined;
  }
}

/** All in one round trip; the file is closed in any case. False where it is not the owner's whose file it replaces. */
async function fill(options: FillOptions, handle: Buffer, bytes: Buffer, exact: boolean): Promise<boolean> {
  const { client, path, entry, target, onNotice } = options;
  const what = `write ${nameFromBytes(path)}`;
  const owning = keepOwner(client, handle, target, what);
  // Before the bytes, so that those of a private file are not shown.
  const kept = exact || target?.permissions === undefined ? {} : { permissions: target.permissions & 0o777 };
  const keeping = set(client, handle, kept, what);
  const asked: Promise<void>[] = [];
  const step = client.limits.writeBytes;
  for (let at = 0; at < bytes.length; at += step) {
    asked.push(client.write(handle, at, bytes.subarray(at, at + step), what));
  }
  // After them, since a write sets the time.
  const setting = set(client, handle, exact ? attributesOf(entry) : {}, what);
  asked.push(client.close(handle));
  for (const result of await Promise.allSettled(asked)) if (result.status === 'rejected') throw result.reason;
  if (!(await owning)) return false;
  for (const error of [await keeping, await setting]) if (error) noticeAttributes(error, path, onNotice);
  return true;
}

interface FillOptions extends DraftOptions {
  readonly target: Attributes | undefined;
}

/** Resolves with what went wrong. */
async function set(client: SftpClient, handle: Buffer, attributes: Attributes, what: string): Promise<unknown> {
  if (Object.keys(attributes).length === 0) return undefined;
  return client.fsetstat(handle, attributes, what).then(
    () => undefined,
    (error: unknown) => error,
  );
}
