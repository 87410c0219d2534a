/** Proof that the far copy is the source. */
import { XferError } from '../errors.js';
import { streamDigest } from '../streams/digest.js';
import type { Digest, Draft, Entry, Scope, Source } from '../transport.js';

export interface Proof {
  readonly draft: Draft;
  readonly source: Source;
  readonly entry: Entry;
  /** Digest of all bytes, where they passed in order; else the source is asked or read again. */
  readonly passed: string | undefined;
  readonly label: string;
}

/** Compares SHA-256 of source and draft; resolves with the draft's. CORRUPT where they differ, UNSUPPORTED where the far side has no way to tell. */
export async function verifyDigest(proof: Proof, scope: Scope): Promise<Digest> {
  const { draft, source, entry, label } = proof;
  if (draft.expect) {
    const hex = proof.passed ?? (await sourceDigest(source, entry, scope));
    await draft.expect('sha256', hex);
    return { hex, readBack: false };
  }
  if (!draft.digest) {
    throw new XferError('UNSUPPORTED', `verify ${label}: the other end cannot give a digest`, {
      hint: 'leave out --verify; the length is checked in any case',
    });
  }
  const [expected, actual] = await Promise.all([
    proof.passed ?? sourceDigest(source, entry, scope),
    draft.digest('sha256', scope),
  ]);
  if (expected === actual.hex) return actual;
  throw new XferError('CORRUPT', `verify ${label}: the copy's SHA-256 is ${actual.hex}, the source's ${expected}`, {
    hint: 'run the command again',
  });
}

/** The source's own, or of its bytes read again where it states none: a server may for one file and not for another. */
async function sourceDigest(source: Source, entry: Entry, scope: Scope): Promise<string> {
  try {
    if (source.digest) return await source.digest(entry, 'sha256', scope);
  } catch (error) {
    if (!(error instanceof XferError && error.code === 'UNSUPPORTED')) throw error;
  }
  return streamDigest(await source.read(entry, { start: 0 }, scope), 'sha256', scope);
}
