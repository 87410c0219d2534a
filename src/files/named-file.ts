/** Files that a person named: read whole, but never without end. */
import { type FileHandle, open } from 'node:fs/promises';
import { toXferError, XferError } from '../errors.js';

/** Text of a file that a person named. USAGE where it is longer than `most` bytes, NOT_FOUND, DENIED. */
export async function readNamedFile(file: string, most: number, what: string): Promise<string> {
  try {
    const handle = await open(file, 'r');
    try {
      return (await readAtMost(handle, most, `${what} ${file}`)).toString('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw toXferError(error, `read ${file}`);
  }
}

/** All bytes of an open file; USAGE where there are more than `most`. The file stays open. */
export async function readAtMost(handle: FileHandle, most: number, what: string): Promise<Buffer> {
  const bytes = await readUpTo(handle, most);
  if (!bytes) throw new XferError('USAGE', `${what}: larger than ${most} bytes`);
  return bytes;
}

/** All bytes of an open file, also of one that says no length; undefined where there are more than `most`. It stays open. */
export async function readUpTo(handle: FileHandle, most: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let total = 0;
  for (;;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(64 * 1024), 0, 64 * 1024, null);
    if (bytesRead === 0) return Buffer.concat(parts, total);
    total += bytesRead;
    if (total > most) return undefined;
    parts.push(buffer.subarray(0, bytesRead));
  }
}
