/** What a far shell makes of our words, as sh says. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { shellPath, shellWord } from '#xfer/transports/ssh/shell-words.js';

const posix = process.platform === 'win32' ? { skip: 'there is no sh on Windows' } : {};
const ODD = [
  '',
  'plain',
  "it's",
  '$(touch pwned)',
  '`id`',
  'a b',
  'a;b|c&d',
  'new\nline',
  '-rf',
  '~',
  '*',
  '\\',
  '#x',
  '!x',
  '{a,b}',
  'é "q"',
];

function sh(words: string, cwd: string): string[] {
  const text = execFileSync('sh', ['-c', `printf '%s\\0' ${words}`], {
    cwd,
    env: { HOME: '/home/me' },
    encoding: 'utf8',
  });
  return text.split('\0').slice(0, -1);
}

test('a word is taken as it is', posix, () => {
  for (const text of ODD) assert.deepEqual(sh(shellWord(text), '/'), [text], text);
});

test('a path is expanded as a path, and in no other way', posix, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-shell-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['f 1', 'f 2', '-rf', '*', '[x]', 'a b']) writeFileSync(join(folder, name), '');
  mkdirSync(join(folder, 'd'));
  const cases: [string, string[]][] = [
    ['f*', ['./f 1', './f 2']],
    ['f [!1]', ['./f 2']],
    ['f ?', ['./f 1', './f 2']],
    ['[a-b] b', ['./a b']],
    ['\\*', ['./*']],
    ['\\[x\\]', ['./[x]']],
    ['-*', ['./-rf']],
    ['-rf', ['./-rf']],
    ['none*', ['./none*']],
    ['d', ['./d']],
    ['.', ['./.']],
    ['host:x', ['./host:x']],
    ['~', ['/home/me']],
    ['~/a b', ['/home/me/a b']],
    ['~ x', ['./~ x']],
    [`${folder}/f*`, [`${folder}/f 1`, `${folder}/f 2`]],
    ['trailing\\', ['./trailing\\']],
    ...ODD.filter((text) => !/^$|[*~\\]/.test(text)).map((text): [string, string[]] => [text, [`./${text}`]]),
  ];
  for (const [path, expected] of cases) assert.deepEqual(sh(shellPath(path), folder), expected, path);
});
