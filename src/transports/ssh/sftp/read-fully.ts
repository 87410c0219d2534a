import { XferError } from '../../../errors.js';
import type { SftpClient } from './client.js';
import { broken } from './codec.js';

/** The first `size` bytes of an open file, by READs that leave together. TRUNCATED where it ends before, PROTOCOL. */
export async function readFully(client: SftpClient, handle: Buffer, size: number, what: string): Promise<Buffer> {
  const step = client.limits.readBytes;
  if (size <= step) return readPart(client, handle, { start: 0, end: size }, what);
  const parts: Promise<Buffer>[] = [];
  for (let start = 0; start < size; start += step) {
    parts.push(readPart(client, handle, { start, end: Math.min(start + step, size) }, what));
  }
  return Buffer.concat(await Promise.all(parts), size);
}

/** A server may send less than was asked for, and is then asked for the rest. */
async function readPart(
  client: SftpClient,
  handle: Buffer,
  { start, end }: { readonly start: number; readonly end: number },
  what: string,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let at = start;
  let emptyAnswers = 0;
  while (at < end) {
    const bytes = await client.read(handle, at, end - at, what);
    if (!bytes) throw new XferError('TRUNCATED', `${what}: the file ends at ${at}, not at ${end}`);
    if (bytes.length === 0 && ++emptyAnswers > 1) throw broken(`${what}: it sends no bytes`);
    if (bytes.length === end - start) return bytes;
    pieces.push(bytes);
    at += bytes.length;
  }
  return Buffer.concat(pieces);
}
