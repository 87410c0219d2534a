/** A small file that comes in one frame: `put` in FRAMES.md. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { XferError } from '../../../../errors.js';
import type { Entry } from '../../../../transport.js';
import type { BodyReader } from '../body.js';
import { readEntry } from '../messages.js';

export interface PutBody {
  /** It gets the mode and the times that it is said to have. */
  readonly exact: boolean;
  /** SHA-256 of `bytes`, as the sender says. */
  readonly digest: Buffer;
  readonly entry: Entry;
  readonly bytes: Buffer;
}

/** PROTOCOL where it is cut short. */
export function readPut(body: BodyReader): PutBody {
  const exact = body.u8() === 1;
  const digest = body.raw(32);
  const entry = readEntry(body);
  return { exact, digest, entry, bytes: body.rest() };
}

/** PROTOCOL where the bytes are not as many as announced, CORRUPT where they are not those of the digest. */
export function checkPut({ entry, bytes, digest }: PutBody): void {
  if (entry.size !== bytes.length) {
    throw new XferError('PROTOCOL', `write ${entry.path}: ${bytes.length} bytes came, not the ${entry.size} announced`);
  }
  if (timingSafeEqual(createHash('sha256').update(bytes).digest(), digest)) return;
  throw new XferError('CORRUPT', `write ${entry.path}: its bytes are not those that were sent`, {
    hint: 'send it again',
  });
}
