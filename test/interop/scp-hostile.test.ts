/** `xfer scp` with an sftp server that lies: nothing outside the target, nothing unasked, no hang, no exit code 0. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { STATUS } from '#xfer/transports/ssh/sftp/codec.js';
import { assertHarmless, digestOf, sandbox, scp } from './hostile-copy.js';

const options = { timeout: 60_000, skip: process.platform === 'win32' ? 'the server is started by a shell' : false };

interface Row {
  readonly row: string;
  readonly lie: readonly [string, string?];
  readonly args: readonly string[];
  readonly exit: number;
  readonly says: RegExp;
  /** All that may be new: below the sandbox. */
  readonly left?: readonly string[];
}

const TREE = ['-r', 'h:/far', '.'];
const GOOD = ['target/far', 'target/far/good'];
const FAR = ['target/far'];
const BIG = ['h:/far/big', 'got'];
const SMALL = ['h:/far/small', 'got'];
const LONG = 'n'.repeat(4000);

/** A name that is a path is named, and the rest arrives. */
const named = (row: string, name: string, says: RegExp, exit = 9): Row => ({
  row: `${row}: READDIR gives ${JSON.stringify(name).slice(0, 40)}`,
  lie: ['name', name],
  args: TREE,
  exit,
  says,
  left: GOOD,
});

const ROWS: readonly Row[] = [
  named('CVE-2019-6111', '../../x', /list \.\.\/\.\.\/x: .*a name that is a path/),
  named('suspect path', '/etc/x', /\/etc\/x.*a name that is a path/),
  named('suspect path', 'a/b', /a\/b.*a name that is a path/),
  named('suspect path', '', /a name that is a path/),
  named('suspect path', LONG, /longer than 255 bytes|name too long/),
  { row: 'bz3871: READDIR gives ..', lie: ['name', '..'], args: TREE, exit: 0, says: /1 file,/, left: GOOD },
  { row: 'bz3871: READDIR gives .', lie: ['name', '.'], args: TREE, exit: 0, says: /1 file,/, left: GOOD },
  { row: 'bz3871: a pattern matches ..', lie: ['name', '..'], args: ['h:/far/.*', '.'], exit: 3, says: /no such file/ },
  {
    row: 'CVE-2019-6111: a pattern gets a name that it does not match',
    lie: ['name', 'authorized_keys'],
    args: ['h:/far/g*', '.'],
    exit: 0,
    says: /1 file,/,
    left: ['target/good'],
  },
  {
    row: 'CVE-2019-6111: a pattern gets a path',
    lie: ['name', 'g/../../x'],
    args: ['h:/far/g*', '.'],
    exit: 8,
    says: /the server sent g\/\.\.\/\.\.\/x/,
  },
  {
    row: '1b39f3965: the server says where ~user is, not what the file is called here',
    lie: ['home', '/etc/authorized_keys'],
    args: ['h:~bob/report', '.'],
    exit: 0,
    says: /1 file,/,
    left: ['target/report'],
  },
  { row: 'c1cebbc7c: DATA of no bytes for ever', lie: ['empty data'], args: SMALL, exit: 6, says: /it sends no bytes/ },
  { row: 'c1cebbc7c: the same, large', lie: ['empty data'], args: BIG, exit: 6, says: /it sends no bytes/ },
  { row: 'more data than asked', lie: ['more data'], args: SMALL, exit: 6, says: /5 bytes where 4 were asked for/ },
  {
    row: 'more data than asked, large',
    lie: ['more data'],
    args: BIG,
    exit: 6,
    says: /bytes where \d+ were asked for/,
  },
  { row: 'a file that shrinks', lie: ['shrinks'], args: SMALL, exit: 5, says: /ends at 0, not at 4/ },
  { row: 'a file that grows', lie: ['grows'], args: SMALL, exit: 7, says: /changed since it was listed/ },
  { row: 'a file that grows, large', lie: ['grows'], args: BIG, exit: 7, says: /changed since it was listed/ },
  {
    row: '2c504a74e: a failed WRITE',
    lie: ['fails write', '1'],
    args: ['up', 'h:/far/new'],
    exit: 4,
    says: /far\/new/,
  },
  {
    row: '2c504a74e: a failed WRITE, hidden by later ones',
    lie: ['fails write', '7'],
    args: ['up-big', 'h:/far/new'],
    exit: 4,
    says: /far\/new/,
  },
  {
    row: 'symlink race: a link, then a directory of the same name',
    lie: ['link then directory', 'OUTSIDE'],
    args: ['-p', '--links', 'keep', ...TREE],
    exit: 9,
    says: /far\/d\/x: .*a link leads out/,
    left: ['target/far', 'target/far/d'],
  },
  {
    row: 'symlink race: a link, then a file of the same name, which counts once',
    lie: ['link then file', 'OUTSIDE/secret'],
    args: ['--links', 'keep', ...TREE],
    exit: 0,
    says: /0 files, 1 link,/,
    left: ['target/far', 'target/far/d'],
  },
  ...[[], ['-p']].map((args) => ({
    row: `CVE-2026-35385: mode 7755 from the server, ${args.join('') || 'without -p'}`,
    lie: ['setuid'] as const,
    args: [...args, ...TREE],
    exit: 0,
    says: /1 file,/,
    left: GOOD,
  })),
  { row: 'a server that dies', lie: ['hangs up', '1'], args: SMALL, exit: 5, says: /./ },
  {
    row: 'a server that dies under an upload',
    lie: ['hangs up', '3'],
    args: ['up-big', 'h:/far/new'],
    exit: 5,
    says: /./,
  },
  {
    row: 'exhaustion: NAME claims 2^32 names',
    lie: ['huge count'],
    args: TREE,
    exit: 6,
    says: /claims more names/,
    left: FAR,
  },
  {
    row: 'exhaustion: a packet of 2 GiB',
    lie: ['huge packet'],
    args: TREE,
    exit: 6,
    says: /claims 2147483647 bytes/,
    left: FAR,
  },
  {
    row: 'exhaustion: answers to nothing',
    lie: ['unasked packets'],
    args: TREE,
    exit: 6,
    says: /what was not asked/,
    left: FAR,
  },
  {
    row: 'exhaustion: READDIR without names',
    lie: ['endless nothing'],
    args: TREE,
    exit: 6,
    says: /does not end/,
    left: FAR,
  },
  {
    row: 'exhaustion: READDIR of . and .. for ever',
    lie: ['endless dots'],
    args: TREE,
    exit: 6,
    says: /does not end/,
    left: FAR,
  },
  {
    row: 'exhaustion: READDIR of sockets for ever',
    lie: ['endless sockets'],
    args: TREE,
    exit: 9,
    says: /stopped after 50000/,
    left: FAR,
  },
  {
    row: 'exhaustion: READDIR of paths for ever',
    lie: ['endless paths'],
    args: TREE,
    exit: 9,
    says: /stopped after 50000/,
    left: FAR,
  },
];

describe('a hostile sftp server', { ...options, concurrency: 3 }, () => {
  for (const { row, lie, args, exit, says, left = [] } of ROWS) {
    test(row, options, async (t) => {
      const box = sandbox(t);
      const [name, word = ''] = lie;
      const outcome = await scp(box, [name, word.replace('OUTSIDE', box.outside)], ...args);
      assertHarmless(outcome, exit, left);
      assert.match(outcome.output, says);
      for (const path of Object.keys(outcome.far)) assert.doesNotMatch(path, /new|part/);
    });
  }

  for (const [status, exit] of [
    [STATUS.FAILURE, 4],
    [STATUS.PERMISSION_DENIED, 4],
    [77, 6],
  ] as const) {
    test(`CVE-2019-6109, CVE-2019-6110: names, status ${status} and standard error with control characters`, async (t) => {
      for (const shown of ['-v', '--json']) {
        const outcome = await scp(sandbox(t), ['says text', String(status)], shown, ...TREE);
        assertHarmless(outcome, exit, FAR);
        assert.match(outcome.output, /evil/);
        assert.doesNotMatch(outcome.output.replaceAll('\\n', ''), /evil\n/);
      }
    });
  }

  test('aacfd6767: answers in the wrong order, over a longer old target', options, async (t) => {
    const box = sandbox(t);
    const up = await scp(box, ['backwards'], 'up-big', 'h:/far/big');
    assertHarmless(up, 0, []);
    assert.equal(up.far['/far/big'], digestOf(join(box.target, 'up-big')));
    writeFileSync(join(box.target, 'down'), Buffer.alloc(5_000_000, 'o'));
    const down = await scp(box, ['backwards'], 'h:/far/big', 'down');
    assertHarmless(down, 0, ['target/down']);
    assert.ok(readFileSync(join(box.target, 'down')).equals(Buffer.alloc(3_000_000, 'b')));
  });

  test('2c504a74e: a failed WRITE leaves the old target as it was', options, async (t) => {
    for (const file of ['up', 'up-big']) {
      const outcome = await scp(sandbox(t), ['fails write', '1'], file, 'h:/far/good');
      assertHarmless(outcome, 4, []);
      assert.equal(outcome.far['/far/good'], createHash('sha256').update('evil').digest('hex'));
      assert.deepEqual(Object.keys(outcome.far).sort(), ['/far/big', '/far/good', '/far/small']);
    }
  });

  test('exhaustion: directories without end, one in the other', options, async (t) => {
    const outcome = await scp(sandbox(t), ['endless depth'], ...TREE);
    const deep = Array.from({ length: 65 }, (_, depth) => `target/far${'/d'.repeat(depth)}`);
    assertHarmless(outcome, 8, deep);
    assert.match(outcome.output, /more than 64 directories deep/);
  });
});
