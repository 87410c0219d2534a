import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesGlob } from '#xfer/copy/glob.js';

const TABLE: [pattern: string, text: string, matches: boolean][] = [
  ['*.log', 'a.log', true],
  ['*.log', 'a.log.gz', false],
  ['*', 'a/b', false],
  ['**', 'a/b', true],
  ['a/**/z', 'a/b/c/z', true],
  ['?', 'é', true],
  ['?', '😀', true],
  ['[a-c]x', 'bx', true],
  ['[!a-c]x', 'bx', false],
  ['[]]', ']', true],
  ['[abc', '[abc', true],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['', '', true],
  ['a*b*c', 'aXbYc', true],
];

for (const [pattern, text, matches] of TABLE) {
  test(`${pattern} ${matches ? 'matches' : 'does not match'} ${text}`, () => {
    assert.equal(matchesGlob(pattern, text), matches);
  });
}

test('a pattern made to be slow is not', { timeout: 2000 }, () => {
  assert.equal(matchesGlob(`${'*a'.repeat(50)}b`, 'a'.repeat(2000)), false);
});
