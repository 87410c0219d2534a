/**
 * xfer receives, listening and connecting, from every program that sends: what we call whole is whole, but for a sender
 * that is killed, whose end is as clean as any. With `--size` that is told too.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PLAIN_PEERS } from '../plain-peers.js';
import { PAYLOAD_BYTES, type Role } from './pairing.js';
import { AT_ONCE, casesOf, judge, pairingOptions, printTable } from './tally.js';

const ROLES: readonly Role[] = ['recv', 'pipe in'];
const SIZE = ['--size', String(PAYLOAD_BYTES)];

printTable(ROLES);

const cases = casesOf(ROLES, 'send');

describe('in order', AT_ONCE, () => {
  for (const { name, peer, pairing } of cases) {
    const { program, waitsForFin } = peer;
    const isRecv = pairing.role === 'recv';
    const ways = isRecv ? (waitsForFin ? [SIZE, ['--finish-idle', '1']] : [SIZE, []]) : [[]];
    for (const words of ways) {
      const title = `${pairing.role} ${words.join(' ')}: ${name} ${pairing.peerDoes}s`;
      test(title, pairingOptions(program), async () => {
        const of = { ...pairing, program, stdin: 'null', ending: 'in order', words } as const;
        await judge(of, ({ verdict, said }) => assert.equal(verdict, 'whole', said));
      });
    }
    if (isRecv) continue;
    test(`pipe in with its stdin open: ${name} ${pairing.peerDoes}s`, pairingOptions(program), async () => {
      const words = waitsForFin ? ['--idle-timeout', '3'] : [];
      const of = { ...pairing, program, stdin: 'open', ending: 'in order', words } as const;
      await judge(of, ({ verdict, isWhole, exit, said }) => {
        // Neither end has anything to tell the other that it is done.
        if (waitsForFin) assert.deepEqual([exit, isWhole], [5, true], said);
        else assert.equal(verdict, 'whole', said);
      });
    });
  }
});

describe('badly', AT_ONCE, () => {
  for (const { name, peer, pairing } of cases) {
    const { program } = peer;
    const title = (ending: string) => `${pairing.role}: ${name} ${pairing.peerDoes}s, ${ending}`;

    test(title('reset'), pairingOptions(program), async () => {
      await judge({ ...pairing, program, stdin: 'null', ending: 'reset' }, ({ verdict, exit, isAbsent, said }) => {
        assert.deepEqual([verdict, exit, isAbsent], ['said so', 5, true], said);
      });
    });

    test(title('our disk full'), pairingOptions(program), async () => {
      await judge({ ...pairing, program, stdin: 'null', ending: 'disk full' }, ({ verdict, exit, said }) => {
        assert.deepEqual([verdict, exit], ['said so', 8], said);
      });
    });

    if (pairing.role !== 'recv') continue;
    test(title('kill, and --size'), pairingOptions(program), async () => {
      const of = { ...pairing, program, stdin: 'null', ending: 'kill', words: SIZE } as const;
      await judge(of, ({ verdict, exit, isAbsent, said }) => {
        assert.deepEqual([verdict, exit, isAbsent], ['said so', 5, true], said);
      });
    });
  }

  // What no receiver can know: it is said to be unverified.
  test('recv: a killed sender without --size', pairingOptions('socat'), async () => {
    const args = PLAIN_PEERS['socat -u']?.send?.connect as (port: string) => string[];
    const of = { role: 'recv', peerDoes: 'connect', args, program: 'socat', stdin: 'null', ending: 'kill' } as const;
    await judge(of, ({ exit, isWhole, said }) => {
      assert.deepEqual([exit, isWhole], [0, false]);
      assert.match(said, /^received \d+ bytes, sha256 [0-9a-f]{64}, unverified: plain TCP$/m);
    });
  });
});
