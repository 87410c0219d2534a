/**
 * xfer sends, connecting and listening, to every program that receives: what we call sent was received, whatever the
 * program does.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Ending, Role } from './pairing.js';
import { AT_ONCE, type Case, casesOf, judge, pairingOptions, printTable } from './tally.js';

const ROLES: readonly Role[] = ['send', 'pipe out'];
const BAD_ENDINGS: readonly Ending[] = ['kill', 'reset', 'disk full'];
/** So that what never ends by itself does in the test. */
const PATIENCE = ['--idle-timeout', '3'];

printTable(ROLES);

const cases = casesOf(ROLES, 'receive');

/** Such a client ends with its input only, whatever we do: nothing confirms the bytes. */
function waitsForInput({ peer, pairing }: Case, stdin: 'open' | 'null'): boolean {
  return peer.stays === true && pairing.peerDoes === 'connect' && stdin === 'open';
}

describe('in order', AT_ONCE, () => {
  for (const each of cases) {
    const { name, peer, pairing } = each;
    for (const stdin of ['open', 'null'] as const) {
      const title = `${pairing.role}: ${name} ${pairing.peerDoes}s, its stdin ${stdin}`;
      test(title, pairingOptions(peer.program), async () => {
        const waits = waitsForInput(each, stdin);
        const words = waits && pairing.role === 'pipe out' ? PATIENCE : [];
        const of = { ...pairing, program: peer.program, stdin, ending: 'in order', words } as const;
        await judge(of, ({ verdict, exit, isWhole, said }) => {
          if (waits) assert.deepEqual([verdict, exit, isWhole], ['said so', 5, true], said);
          // It ends half a second after its input, whatever still comes, and then we say so.
          else if (peer.endsWithStdin && stdin === 'null') assert.match(verdict, /^(whole|said so)$/, said);
          else assert.equal(verdict, 'whole', said);
        });
      });
    }
  }
});

describe('badly', AT_ONCE, () => {
  for (const { name, peer, pairing } of cases) {
    for (const ending of BAD_ENDINGS) {
      test(`${pairing.role}: ${name} ${pairing.peerDoes}s, ${ending}`, pairingOptions(peer.program), async () => {
        // OpenBSD's nc says nothing of a full disk, and neither reads on nor ends.
        const hangs = peer.program === 'nc.openbsd' && ending === 'disk full';
        const words = hangs ? PATIENCE : [];
        await judge({ ...pairing, program: peer.program, stdin: 'null', ending, words }, ({ verdict, exit, said }) => {
          assert.deepEqual([verdict, exit], ['said so', 5], said);
        });
      });
    }
  }
});
