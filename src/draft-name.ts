/** What a file is called while it is on its way in, on every transport that has names. */
import { createHash, randomBytes } from 'node:crypto';
import { bytesFromName, nameFromBytes } from './names.js';
import type { Entry } from './transport.js';

const SUFFIX = '.xfer-part';
const NAME_BYTES = 255;

/**
 * A name for one run of a copy. It is in the names of its drafts that nobody is to find by their version, so that the next
 * run of the copy finds those of one that was killed.
 */
export function newDraftRun(): string {
  return randomBytes(6).toString('hex');
}

/** In the names of drafts that are no copy's. */
const OTHER_RUN = newDraftRun();
let count = 0;

/** Whether a name is that of a file on its way in, whoever makes it. */
export function isDraftName(name: string): boolean {
  return name.startsWith('.') && /\.[0-9a-f]{12}(?:-[0-9a-z]+)?\.xfer-part$/.test(name);
}

/** Whether a name is that of a draft which one of these runs made for itself. */
export function isDraftOfRuns(name: string, runs: readonly string[]): boolean {
  const run = /\.([0-9a-f]{12})-[0-9a-z]+\.xfer-part$/.exec(name)?.[1];
  return run !== undefined && name.startsWith('.') && runs.includes(run);
}

/**
 * Name of an entry's draft beside a target of that name: hidden, at most 255 bytes, the same for the same version and size
 * so that a later run finds it, and one that nobody else has where the entry has no version.
 */
export function draftName(name: string, { version, size, run }: Entry): string {
  const key = version === undefined ? freshKey(run ?? OTHER_RUN) : keyOf(`${version}\0${size}`);
  const tail = `.${key}${SUFFIX}`;
  const bytes = bytesFromName(name);
  let end = Math.min(bytes.length, NAME_BYTES - 1 - tail.length);
  // Cut between characters, since some systems take only whole ones.
  while (end > 0 && end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return `.${nameFromBytes(bytes.subarray(0, end))}${tail}`;
}

function freshKey(run: string): string {
  count += 1;
  return `${run}-${count.toString(36)}`;
}

function keyOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
