/** What a file is called while it is on its way in, on every transport that has names. */
import { createHash, randomBytes } from 'node:crypto';
import { bytesFromName, nameFromBytes } from './names.js';
import type { Entry } from './transport.js';

const SUFFIX = '.xfer-part';
const NAME_BYTES = 255;

const ofThisProcess = randomBytes(6).toString('hex');
let count = 0;

/**
 * Name of an entry's draft beside a target of that name: hidden, at most 255 bytes, the same for the same version and size
 * so that a later run finds it, and one that nobody else has where the entry has no version.
 */
export function draftName(name: string, { version, size }: Entry): string {
  const key = version === undefined ? freshKey() : keyOf(`${version}\0${size}`);
  const tail = `.${key}${SUFFIX}`;
  const bytes = bytesFromName(name);
  let end = Math.min(bytes.length, NAME_BYTES - 1 - tail.length);
  // Cut between characters, since some systems take only whole ones.
  while (end > 0 && end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return `.${nameFromBytes(bytes.subarray(0, end))}${tail}`;
}

function freshKey(): string {
  count += 1;
  return `${ofThisProcess}-${count.toString(36)}`;
}

function keyOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
