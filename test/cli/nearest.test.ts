import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editDistance, nearest } from '#xfer/cli/nearest.js';

test('the distance counts changes and swapped neighbours', () => {
  const cases: [string, string, number][] = [
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['kitten', 'sitting', 3],
    ['prot', 'port', 1],
    ['quiet', 'quiet', 0],
  ];
  for (const [from, to, distance] of cases) assert.equal(editDistance(from, to), distance, `${from} ${to}`);
});

test('a near word is named, a far one is not', () => {
  const words = ['scp', 'serve', 'get', 'recursive', 'port'];
  assert.equal(nearest('srv', words), 'serve');
  assert.equal(nearest('recusrive', words), 'recursive');
  assert.equal(nearest('prot', words), 'port');
  assert.equal(nearest('teleport-everything', words), undefined);
  assert.equal(nearest('z', words), undefined);
  assert.equal(nearest('r'.repeat(100_000), words), undefined);
});
