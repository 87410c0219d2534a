/** The digests that a client gives of what it sends (RFC 9530). */
import type { IncomingHttpHeaders } from 'node:http';
import type { DigestAlgorithm } from '../../../../transport.js';
import { DIGEST_FIELDS, reprDigest } from '../../validator.js';
import { refusals } from './refusal.js';

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

/** That of all bytes of a file which is sent in one piece: without a coding, the content is the representation. */
export function wholeDigest(fields: IncomingHttpHeaders): ExpectedDigest | undefined {
  return digestOf(fields['repr-digest']) ?? digestOf(fields['content-digest']);
}
