/** Owner and group of a file that is replaced, for the one that takes its place. */
import type { Attributes } from './sftp/attributes.js';
import type { SftpClient } from './sftp/client.js';

/**
 * Gives the open file what `replaced` has, in one round trip. By its handle, so that no link that is put in its place can
 * have another file given away. False where the server then says that it is still another's; true where it says nothing.
 */
export async function keepOwner(
  client: SftpClient,
  handle: Buffer,
  replaced: Attributes | undefined,
  what: string,
): Promise<boolean> {
  const owner = replaced?.owner;
  if (!owner) return true;
  const setting = client.fsetstat(handle, { owner }, what).catch(() => undefined);
  const looking = client.fstat(handle, what).catch(() => undefined);
  await setting;
  const now = (await looking)?.owner;
  return now === undefined || (now.uid === owner.uid && now.gid === owner.gid);
}
