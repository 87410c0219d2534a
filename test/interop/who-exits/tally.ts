/** What the pairings of one file came to, in the columns of the README's table. */
import { after } from 'node:test';
import { needs } from '../../support/peers.js';
import { type PeerProgram, PLAIN_PEERS } from '../plain-peers.js';
import { type Ending, type Outcome, type Pairing, pair, type Role, type Verdict, verdictOf } from './pairing.js';

/** At once: each is a program and a copy, and most of them wait. */
export const AT_ONCE = { concurrency: 4 };

/** A program, and what it and xfer do. */
export interface Case {
  readonly name: string;
  readonly peer: PeerProgram;
  readonly pairing: Omit<Pairing, 'ending' | 'stdin' | 'program'>;
}

/** Each program that can do its part, connecting and listening, with xfer in each of the roles. */
export function casesOf(roles: readonly Role[], peerPart: 'send' | 'receive'): Case[] {
  return Object.entries(PLAIN_PEERS).flatMap(([name, peer]) =>
    roles.flatMap((role) =>
      (['connect', 'listen'] as const).flatMap((peerDoes) => {
        const args = peer[peerPart]?.[peerDoes];
        return args ? [{ name, peer, pairing: { role, peerDoes, args } }] : [];
      }),
    ),
  );
}

/** Options of one pairing's test: bounded, and skipped where the program is missing. */
export function pairingOptions(program: string): { timeout: number; skip?: string } {
  return { ...needs(program), timeout: 120_000 };
}

const counts = new Map<string, number>();
/** That xfer took for any pairing, of the time that it was given. */
let longestMs = 0;

/** Longer than any pairing takes that ends by itself, on a machine that has the time for it. */
const STARVED_MS = 5000;
const TRIES = 3;

/**
 * Checks the pairing's outcome, and counts it. Where programs and kernel had to wait for the machine, which shows in the
 * time, what came of it says nothing, and it is looked at again.
 */
export async function judge(
  pairing: Pairing,
  check: (outcome: Outcome & { readonly verdict: Verdict }) => void,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const startMs = performance.now();
    const outcome = await pair(pairing);
    const isStarved = performance.now() - startMs > STARVED_MS && tries < TRIES;
    const verdict = verdictOf(outcome);
    longestMs = Math.max(longestMs, outcome.ownMs);
    try {
      check({ ...outcome, verdict });
    } catch (error) {
      if (isStarved) continue;
      count(pairing, verdict);
      throw error;
    }
    count(pairing, verdict);
    return;
  }
}

function count({ role, ending }: Pairing, verdict: Verdict): void {
  const key = `${role}|${ending}|${verdict}`;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

const VERDICTS: readonly Verdict[] = ['whole', 'said so', 'silent loss', 'hangs'];
const ENDINGS: readonly Ending[] = ['in order', 'kill', 'reset', 'disk full'];

/** Prints the table of some roles once all tests of a file are over. */
export function printTable(roles: readonly Role[]): void {
  after(() => {
    const lines = [`| role, ending | ${VERDICTS.join(' | ')} |`];
    for (const role of roles) {
      for (const ending of ENDINGS) {
        const cells = VERDICTS.map((verdict) => counts.get(`${role}|${ending}|${verdict}`) ?? 0);
        if (cells.some((count) => count > 0)) lines.push(`| ${role}, ${ending} | ${cells.join(' | ')} |`);
      }
    }
    lines.push('', `The longest took ${(longestMs / 1000).toFixed(1)} s.`);
    process.stdout.write(`${lines.map((line) => `# ${line}`).join('\n')}\n`);
  });
}
