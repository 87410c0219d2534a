/** The digests that a client gives of what it sends (RFC 9530). */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { DigestAlgorithm } from '../../../../transport.js';
import { DIGEST_FIELDS, reprDigest } from '../../validator.js';
import { refusals } from './refusal.js';
import type { PartCheck } from './upload.js';

export interface ExpectedDigest {
  readonly algorithm: DigestAlgorithm;
  /** In lower case. */
  readonly hex: string;
}

/** The strongest known digest of a field; undefined where it has none. A Refusal where one that we know is malformed. */
export function digestOf(field: string | string[] | undefined): ExpectedDigest | undefined {
  if (field === undefined) return undefined;
  for (const algorithm of ['sha512', 'sha256'] as const) {
    const hex = reprDigest(field, algorithm);
    if (hex !== undefined) return { algorithm, hex };
    if (String(field).includes(`${DIGEST_FIELDS[algorithm].field}=`)) throw refusals.digestField();
  }
  return undefined;
}

/** Those of a file that is sent in one piece: without a coding, the content is the representation. */
export function wholeDigests(fields: IncomingHttpHeaders): ExpectedDigest[] {
  const given = [digestOf(fields['repr-digest']), digestOf(fields['content-digest'])];
  return given.filter((digest) => digest !== undefined);
}

/** That the bytes of a request have the digest of its content; undefined where `known` says the same of all of them. */
export function contentCheck(fields: IncomingHttpHeaders, known?: ExpectedDigest): PartCheck | undefined {
  const expected = digestOf(fields['content-digest']);
  if (!expected || (expected.algorithm === known?.algorithm && expected.hex === known.hex)) return undefined;
  const hash = createHash(expected.algorithm);
  const check = (): void => {
    if (hash.digest('hex') !== expected.hex) throw refusals.digest();
  };
  return { hash, check };
}
