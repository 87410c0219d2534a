/** Proof that what came is what somebody said the file is. */
import { XferError } from '../errors.js';
import type { DigestAlgorithm, Draft, Entry, Scope, Source, StatedDigest } from '../transport.js';
import type { CopyResult } from './events.js';
import type { CopyOptions } from './options.js';
import type { PassingHashes } from './passing-hashes.js';

export interface Proven {
  readonly algorithm: DigestAlgorithm;
  readonly hex: string;
  readonly statedBy: string;
}

/** What the file must be, by its source and by the options. */
export async function statedDigests(
  source: Source,
  entry: Entry,
  { expected }: CopyOptions,
  scope: Scope,
): Promise<readonly StatedDigest[]> {
  return [...((await expected?.(source, entry, scope)) ?? []), ...(source.stated?.(entry) ?? [])];
}

/**
 * Compares what was stated with the digests that `digestOf` gives. Undefined where nothing was stated after all; CORRUPT
 * where one differs.
 */
export async function prove(
  stated: readonly StatedDigest[],
  digestOf: (algorithm: DigestAlgorithm) => string | Promise<string>,
  label: string,
  scope: Scope,
): Promise<Proven | undefined> {
  let proven: Proven | undefined;
  for (const { algorithm, by, hex } of stated) {
    const expected = await hex(scope);
    if (expected === undefined) continue;
    const actual = await digestOf(algorithm);
    if (actual !== expected) {
      throw new XferError('CORRUPT', `verify ${label}: its ${algorithm} is ${actual}, and ${by} says ${expected}`, {
        hint: 'what came was thrown away; where it is the same another time, ask whoever keeps the file',
      });
    }
    if (proven?.algorithm !== 'sha512') proven = { algorithm, hex: actual, statedBy: proven?.statedBy ?? by };
  }
  return proven;
}

/** Digests of all that passed; of what the draft holds where it did not pass in order. */
export function digestsOf(hashes: PassingHashes | undefined, draft: Draft, label: string, scope: Scope) {
  const done = new Map<DigestAlgorithm, Promise<string>>();
  const compute = async (algorithm: DigestAlgorithm): Promise<string> => {
    if (hashes) return hashes.digest(algorithm);
    if (draft.digest) return (await draft.digest(algorithm, scope)).hex;
    throw new XferError('UNSUPPORTED', `verify ${label}: the other end cannot give a digest`);
  };
  return (algorithm: DigestAlgorithm): Promise<string> => {
    const digest = done.get(algorithm) ?? compute(algorithm);
    done.set(algorithm, digest);
    return digest;
  };
}

const STRENGTH = ['none', 'size', 'sha256', 'sha512'] as const;

/** Of two proofs the one that says less. */
export function weaker(a: CopyResult['verified'], b: CopyResult['verified']): CopyResult['verified'] {
  return STRENGTH.indexOf(a) < STRENGTH.indexOf(b) ? a : b;
}
