import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileGlob, hasGlob, matchesGlob, withoutEscapes } from '#xfer/glob.js';

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
  ['[]a]x', 'ax', true],
  ['[!]a]', 'b', true],
  ['[!]a]', ']', false],
  ['[\\]x]', ']', true],
  ['[\\]x]', '\\', false],
  ['[a-]', '-', true],
  ['[-a]', '-', true],
  ['[[:digit:]x]', '7', true],
  ['[[:digit:]x]', 'y', false],
  ['[![:upper:]]', 'a', true],
  ['[[:nonsense:]]', 'n', true],
  ['[^a]', 'b', true],
  ['a/[!x]', 'a/b', true],
  ['a[/]b', 'a/b', false],
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

test("scp's classes are negated by ! alone", () => {
  assert.equal(compileGlob('[^a]', '!')('^'), true);
  assert.equal(compileGlob('[^a]', '!')('b'), false);
  assert.equal(compileGlob('[!a]', '!')('b'), true);
});

test('a pattern is told from a name', () => {
  for (const text of ['*', 'a?', '[a]', 'x[1', 'a\\\\*']) assert.equal(hasGlob(text), true, text);
  for (const text of ['', 'a', 'a]', '\\*', 'a\\?b\\[c', '~x', '{a,b}']) assert.equal(hasGlob(text), false, text);
  assert.equal(withoutEscapes('a\\*b\\\\c\\'), 'a*b\\c\\');
});

test('a class that is never closed is read in no time, whatever is in it', { timeout: 5000 }, () => {
  for (const piece of ['\\*', '\\\\', '[:x', '[:a:']) {
    const pattern = `[${piece.repeat(500)}`;
    assert.equal(matchesGlob(pattern, withoutEscapes(pattern)), true, piece);
  }
});
