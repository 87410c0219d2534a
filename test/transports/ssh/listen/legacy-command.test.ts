/** The commands that clients of the old protocol start, and those that are no such thing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLegacyCommand } from '#xfer/transports/ssh/listen/legacy-command.js';

const plain = { recursive: false, preserve: false, intoDirectory: false };
const send = { ...plain, role: 'send' };
const receive = { ...plain, role: 'receive' };

const COMMANDS: readonly [string, object][] = [
  ['scp -t /srv/in', { ...receive, paths: ['/srv/in'] }],
  ['scp -v -r -p -d -t in', { role: 'receive', recursive: true, preserve: true, intoDirectory: true, paths: ['in'] }],
  ['scp -rpt -- -in', { ...receive, recursive: true, preserve: true, paths: ['-in'] }],
  ['/usr/bin/scp -f a b', { ...send, paths: ['a', 'b'] }],
  ['scp -f ""', { ...send, paths: ['.'] }],
  ["scp -f 'a b'\\''c'", { ...send, paths: ["a b'c"] }],
  ['scp -f "a \\"b\\" \\\\ \\n"', { ...send, paths: ['a "b" \\\\ \\\\n'] }],
  ['scp -f a\\ b', { ...send, paths: ['a b'] }],
  ['scp -f *.txt', { ...send, paths: ['*.txt'] }],
  ["scp -f '*'.t[x]t\\?", { ...send, paths: ['\\*.t[x]t\\?'] }],
  ['scp  -f   ~/x#y ', { ...send, paths: ['~/x#y'] }],
  ["scp -t '$(touch x)'", { ...receive, paths: ['$(touch x)'] }],
  ['scp -f é\u00a0x', { ...send, paths: ['é\u00a0x'] }],
];

for (const [line, wanted] of COMMANDS) {
  test(`${line} is taken`, () => assert.deepEqual(parseLegacyCommand(line), wanted));
}

const REFUSED = [
  '',
  'scp',
  'scp -t',
  'scp -f',
  'scp a b',
  'scp -t a b',
  'scp -t -f a',
  'scp -x -f a',
  'scp -S prog -f a',
  'scp -o ProxyCommand=x -f a',
  'scp --help -f a',
  'scp2 -f a',
  'bin/scp -f a',
  '/bin/../x/scp -f a; id',
  'sh -c id',
  'ls',
  'rsync --server . .',
  'scp -f a; id',
  'scp -f a && id',
  'scp -f a | id',
  'scp -f a > x',
  'scp -f < x',
  'scp -f $(id)',
  'scp -f `id`',
  'scp -f $HOME',
  'scp -f "$(id)"',
  'scp -f "`id`"',
  'scp -f "a',
  "scp -f 'a",
  'scp -f a\\',
  'scp -f a\nid',
  'scp -f a #x',
  'scp -f (id)',
  `scp -f ${'a'.repeat(40_000)}`,
];

for (const line of REFUSED) {
  test(`${line.slice(0, 40)} is not`, () => assert.equal(parseLegacyCommand(line), undefined));
}
