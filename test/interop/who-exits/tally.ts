/** What the pairings of one file came to, in the columns of the README's table. */
import { after } from 'node:test';
import { needs } from '../../support/peers.js';
import { type Ending, type Pairing, pair, type Role, type Verdict, verdictOf } from './pairing.js';

/** At once: each is a program and a copy, and most of them wait. */
export const AT_ONCE = { concurrency: 6 };

/** Options of one pairing's test: bounded, and skipped where the program is missing. */
export function pairingOptions(program: string): { timeout: number; skip?: string } {
  return { ...needs(program), timeout: 30_000 };
}

const counts = new Map<string, number>();

/** The pairing's outcome, counted. */
export async function tallied(pairing: Pairing) {
  const outcome = await pair(pairing);
  const verdict = verdictOf(outcome);
  const key = `${pairing.role}|${pairing.ending}|${verdict}`;
  counts.set(key, (counts.get(key) ?? 0) + 1);
  return { ...outcome, verdict };
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
    process.stdout.write(`${lines.map((line) => `# ${line}`).join('\n')}\n`);
  });
}
