/** Digests, and what is said of them. Types only. */
import type { Scope } from './transport.js';

export type DigestAlgorithm = 'sha256' | 'sha512';

/** What somebody says the digest of a file is. */
export interface StatedDigest {
  readonly algorithm: DigestAlgorithm;
  /** Who says so, for messages, as in `SHA256SUMS`. */
  readonly by: string;
  /** In lower-case hex, once all bytes were read; undefined where it was not said after all. */
  hex(scope: Scope): Promise<string | undefined>;
}

export interface Digest {
  /** In lower case. */
  readonly hex: string;
  /** All bytes were read back to compute it; else the far side did that by itself. */
  readonly readBack: boolean;
}
