/** What the far shell is given, and what it may bring. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { expectedNames, isFarPattern, quoteFarPath, scpCommand } from '#xfer/transports/ssh/legacy/far-path.js';
import { failsWith } from '../../../support/fails-with.js';
import { findProgram } from '../../../support/peers.js';
import { runProgram } from '../../../support/run-xfer.js';

const HOSTILE = [
  '`touch pwned`',
  '$(touch pwned)',
  'a;touch pwned',
  'a&touch pwned',
  'a|touch pwned',
  'a\ntouch pwned',
  '\n',
  '>pwned',
  '<pwned',
  '"$(touch pwned)"',
  "'`touch pwned`'",
  '\\$(touch pwned)',
  '#a',
  '-a',
  '--',
  '!touch',
  '=touch',
  '~+',
  '~$(touch pwned)/x',
  'a~b',
  'tab\ta',
  'cr\ra',
  '^a^b',
  '(touch pwned)',
  '$HOME',
  'é ü 👩',
  '{touch,pwned}x;',
];

const shells = ['dash', 'bash', 'zsh', 'ksh', 'busybox'].filter((shell) => findProgram(shell));

for (const shell of shells) {
  test(`${shell} gets every path as one word that starts nothing`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'xfer-quote-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const literal = HOSTILE.filter((path) => !path.startsWith('{'));
    // Words that hold a line feed and the like are told apart by NUL bytes.
    const script = `printf '%s\\0' ${HOSTILE.map((path) => quoteFarPath(path, false)).join(' ')}`;
    const args = shell === 'busybox' ? ['sh', '-c', script] : ['-c', script];
    const { stdout, stderr } = await runProgram(findProgram(shell) as string, args, { cwd: folder });
    assert.equal(stderr, '');
    const words = stdout.toString().split('\0').slice(0, literal.length);
    assert.deepEqual(
      words,
      literal.map((path) => `./${path}`),
    );
    assert.deepEqual(readdirSync(folder), []);
  });
}

test('patterns, braces and a home directory mean what they always did', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-quote-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'sub dir'));
  for (const name of ['a1', 'a2', 'b1', 'sub dir/c', 'x[1]', '*']) writeFileSync(join(folder, name), '');
  const words = async (path: string) => {
    const script = `printf '%s\\0' ${quoteFarPath(path, true)}`;
    const { stdout } = await runProgram('/bin/sh', ['-c', script], { cwd: folder, env: { HOME: '/home/me' } });
    return stdout.toString().split('\0').slice(0, -1);
  };
  assert.deepEqual(await words('a?'), ['./a1', './a2']);
  assert.deepEqual(await words('[!a*]1'), ['./b1']);
  assert.deepEqual(await words('sub dir/*'), ['./sub dir/c']);
  assert.deepEqual(await words('x[1]'), ['./x[1]']);
  assert.deepEqual(await words('\\*'), ['./*']);
  assert.deepEqual(await words('sub\\ dir'), ['./sub dir']);
  assert.deepEqual(await words('~/a b'), ['/home/me/a b']);
  assert.deepEqual(await words('~'), ['/home/me']);
  assert.equal(quoteFarPath('~anna/x', true), '~anna/x');
  assert.equal(quoteFarPath('{a,b c}', true), "./{a,'b c'}");
});

test('the command is the one that scp itself starts', () => {
  const flags = { recursive: false, preserve: false };
  assert.equal(scpCommand('t', '/srv/in', flags), 'scp -t /srv/in');
  assert.equal(scpCommand('f', '', { recursive: true, preserve: true }), 'scp -r -p -f ./.');
  assert.equal(scpCommand('t', 'in', { ...flags, intoDirectory: true }), 'scp -d -t ./in');
  assert.equal(scpCommand('f', '-x', flags), 'scp -f ./-x');
});

test('what cannot be said to a shell is refused', () => {
  assert.throws(() => quoteFarPath('a\0b', true), failsWith('USAGE', /NUL/));
  assert.throws(() => quoteFarPath('a\udcff', true), failsWith('UNSUPPORTED', /a\\xff/));
});

const EXPECTED: readonly [string, readonly string[], readonly string[]][] = [
  ['/srv/a.txt', ['a.txt'], ['b.txt', 'a.txtx', 'srv', 'xa.txt']],
  ['dir/', ['dir'], ['', 'di']],
  ['*.txt', ['a.txt', '.txt'], ['a.tx', 'atxt']],
  ['x[1]', ['x1', 'x[1]'], ['x2', 'x']],
  ['a\\ b', ['a b'], ['a\\c b', 'a']],
  ['a\\*', ['a*'], ['ab']],
  ['{a,b/c,d*}', ['a', 'c', 'dd', 'd'], ['b', 'x']],
  ['x{1,{2,3}}y', ['x1y', 'x2y', 'x3y'], ['x4y', 'xy']],
  ['{a}{b,c}', ['{a}b', '{a}c'], ['ab', 'a']],
  ['.', ['.', 'home'], []],
  ['dir/..', ['..', 'home'], []],
  ['~', ['root', 'anna'], []],
  ['~anna/', ['anna', 'home'], []],
  ['~anna/x', ['x'], ['anna']],
];

for (const [typed, wanted, others] of EXPECTED) {
  test(`of ${typed} only what was asked for is expected`, () => {
    const expects = expectedNames(typed);
    assert.deepEqual(
      [...wanted, ...others].filter((name) => expects(name)),
      wanted,
    );
  });
}

test('braces that would stand for too much are refused', () => {
  assert.throws(() => expectedNames('{a,b}'.repeat(20)), failsWith('USAGE', /more than 1000/));
});

test('a pattern is more than a name', () => {
  const patterns = ['*', 'a?', 'x[1]', '{a,b}', 'dir/{a,b}/c'];
  const names = ['a', 'a\\*', '{a}', 'a,b', '~/x', ''];
  assert.deepEqual([...patterns, ...names].filter(isFarPattern), patterns);
});
