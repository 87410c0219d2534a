/** What to do with a file whose name is taken by one that may be a part of it, or the whole. */
import { throwIfAborted } from '../errors.js';
import type { Entry, Scope, Sink, Source } from '../transport.js';
import type { CopyOptions } from './options.js';
import { prove, statedDigests } from './proof.js';
import { ALREADY_WHOLE } from './skip-reasons.js';

export interface Outcome {
  /** Why it is left out. */
  readonly skip?: string;
  /** Of what is there, which this replaces, nobody knows whether it is a part of it. */
  readonly unknownPart?: true;
}

/** The things beside each other: what is to be copied, and what is `there` at `path` of the sink. */
export interface Pair {
  readonly source: Source;
  readonly entry: Entry;
  readonly sink: Sink;
  readonly path: string;
  readonly there: Entry;
}

/**
 * A shorter one is replaced; one that is whole, or another file, is left. Whole is what has the digest where a proof is
 * wanted, else the size and the time; what has these and not the digest is replaced.
 */
export async function beside(pair: Pair, options: CopyOptions, scope: Scope): Promise<Outcome> {
  const { source, there } = pair;
  const length = there.size ?? 0;
  const entry = await sized(pair, scope);
  const { size, mtimeMs } = entry;
  if (size === undefined || length < size) return { unknownPart: true };
  const another = { skip: 'already there, and another file' };
  if (length > size) return another;
  const looksAgain = options.verify === 'sha256' && entry === pair.entry && source.examine !== undefined;
  const isProven = await compare({ ...pair, entry }, looksAgain, options, scope);
  const sameTime = mtimeMs !== undefined && Math.floor(mtimeMs / 1000) === Math.floor((there.mtimeMs ?? 0) / 1000);
  if (isProven ?? sameTime) return { skip: ALREADY_WHOLE };
  return sameTime ? {} : another;
}

/** A listing may say nothing of the size. */
async function sized({ source, entry }: Pair, scope: Scope): Promise<Entry> {
  return entry.size === undefined && source.examine ? source.examine(entry, scope) : entry;
}

/**
 * Whether what is there has the digests that were stated. Undefined where no proof is wanted, or of this file none was
 * stated though it may be left out. `looksAgain`: only an examined file has a digest to state. A copy asks again for what
 * could not be told here, and says why.
 */
async function compare(
  { source, entry, sink, path, there }: Pair,
  looksAgain: boolean,
  options: CopyOptions,
  scope: Scope,
): Promise<boolean | undefined> {
  const mustProve = options.verify === 'sha256';
  if (!mustProve && !options.expected) return undefined;
  try {
    const known = looksAgain ? ((await source.examine?.(entry, scope)) ?? entry) : entry;
    const stated = await statedDigests(source, known, options, scope);
    if (stated.length === 0) return mustProve ? false : undefined;
    if (!sink.digest || there.kind !== 'file') return false;
    const digestOf = sink.digest.bind(sink, path);
    const proven = await prove(stated, (algorithm) => digestOf(algorithm, scope), entry.path || source.name, scope);
    return proven || mustProve ? proven !== undefined : undefined;
  } catch {
    throwIfAborted(scope.signal);
    return false;
  }
}
