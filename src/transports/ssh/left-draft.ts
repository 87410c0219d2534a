/** Whether the file that has a draft's name is one that we left there: the name can be guessed. */
import { randomBytes } from 'node:crypto';
import { XferError } from '../../errors.js';
import { nameFromBytes } from '../../names.js';
import type { Scope } from '../../transport.js';
import { joinBytes, splitPath } from './paths.js';
import { type Attributes, kindOf } from './sftp/attributes.js';
import type { SftpClient } from './sftp/client.js';
import { OPEN } from './sftp/codec.js';

/**
 * What the open file is, by its handle, so that nothing can be put in its place between. UNSAFE_PATH where it belongs to
 * another than who makes files there by this login, and than the owner of the file that it will replace, to whom it may have
 * been given. A server that names no owners is believed.
 */
export async function ownLeft(
  client: SftpClient,
  { handle, temporary, target }: { handle: Buffer; temporary: Buffer; target: Attributes | undefined },
  scope: Scope,
): Promise<Attributes> {
  const what = `write ${nameFromBytes(temporary)}`;
  const left = await client.fstat(handle, what, scope);
  const uid = left.owner?.uid;
  const isFile = kindOf(left) === 'file';
  if (isFile && (uid === undefined || uid === target?.owner?.uid)) return left;
  if (isFile && uid === (await uidOfNewFiles(client, temporary, scope))) return left;
  throw new XferError('UNSAFE_PATH', `${what}: somebody else's file has the name of the draft`, { hint: 'remove it' });
}

/** Known by making a file, as no request of the protocol tells it. */
async function uidOfNewFiles(client: SftpClient, beside: Buffer, scope: Scope): Promise<number | undefined> {
  const probe = joinBytes(splitPath(beside).directory, Buffer.from(`.xfer-${randomBytes(6).toString('hex')}`));
  const handle = await client.open(probe, OPEN.WRITE | OPEN.CREAT | OPEN.EXCL, { permissions: 0o600 }, scope);
  try {
    return (await client.fstat(handle, 'look at a new file', scope)).owner?.uid;
  } finally {
    client.close(handle).catch(() => undefined);
    await client.remove(probe).catch(() => undefined);
  }
}
