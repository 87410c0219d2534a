/** Digest of a stream's bytes. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { throwIfAborted } from './errors.js';
import type { DigestAlgorithm, Scope } from './transport.js';

/** In lower-case hex. Rejects with the stream's error or the signal's reason; the stream is destroyed in every case. */
export async function streamDigest(from: Readable, algorithm: DigestAlgorithm, { signal }: Scope): Promise<string> {
  const hash = createHash(algorithm);
  try {
    await pipeline(from, hash, { signal });
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  }
  return hash.digest('hex');
}
