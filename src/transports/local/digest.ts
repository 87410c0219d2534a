/** Digest of a stream, in lower-case hex. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { DigestAlgorithm, Scope } from '../../transport.js';

export async function fileDigest(from: Readable, algorithm: DigestAlgorithm, scope: Scope): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(from, hash, { signal: scope.signal });
  return hash.digest('hex');
}
