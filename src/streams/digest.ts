/** Digest of a stream's bytes. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { throwIfAborted } from '../errors.js';
import type { DigestAlgorithm, Scope } from '../transport.js';
import { recyclerOf } from './buffer-pool.js';

/** In lower-case hex. Rejects with the stream's error or the signal's reason; the stream is destroyed in every case. */
export async function streamDigest(from: Readable, algorithm: DigestAlgorithm, { signal }: Scope): Promise<string> {
  const hash = createHash(algorithm);
  try {
    const recycle = recyclerOf(from);
    const take = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
      for await (const chunk of chunks) {
        hash.update(chunk);
        recycle?.(chunk);
      }
    };
    await pipeline(from, take, { signal });
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  }
  return hash.digest('hex');
}
