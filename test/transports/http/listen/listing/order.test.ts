import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  foldCase,
  type Sort,
  type Sortable,
  sorted,
  sortFromQuery,
} from '#xfer/transports/http/listen/listing/order.js';
import { Dice, pickSeed } from '../../../../support/random.js';

const BY_NAME: Sort = { by: 'name', descending: false };

function row(name: string, fields: Partial<Sortable> = {}): Sortable {
  return { name, folder: false, size: 0, timeMs: 0, ...fields };
}

function names(rows: readonly Sortable[], sort: Sort = BY_NAME): string[] {
  return sorted(rows, sort, (each) => each).map(({ name }) => name);
}

test('numbers in names compare by their value, and case and accents count last', () => {
  const inOrder = ['a', 'A1', 'a2', 'a10', 'a010', 'a10b', 'a100', 'a12345678901234567890', 'Äb', 'ac', 'b', 'éa', 'f'];
  assert.deepEqual(names([...inOrder].reverse().map((name) => row(name))), [
    'a',
    'A1',
    'a2',
    'a010',
    'a10',
    'a10b',
    'a100',
    'a12345678901234567890',
    'Äb',
    'ac',
    'b',
    'éa',
    'f',
  ]);
});

test('folders come first in either direction; a column is followed by the name', () => {
  const rows = [
    row('b', { size: 2 }),
    row('a', { size: 1 }),
    row('c', { size: 2 }),
    row('z', { folder: true, size: -1 }),
  ];
  assert.deepEqual(names(rows, { by: 'size', descending: true }), ['z', 'b', 'c', 'a']);
  assert.deepEqual(names(rows, { by: 'size', descending: false }), ['z', 'a', 'b', 'c']);
  assert.deepEqual(names(rows, { by: 'name', descending: true }), ['z', 'c', 'b', 'a']);
});

test('the same names have one order, however they come', () => {
  const seed = pickSeed();
  const dice = new Dice(seed);
  const parts = ['a', 'A', 'ä', '1', '01', '001', '10', '9', '0', ' ', '\udce9', '日', '-'];
  const all = new Set<string>();
  while (all.size < 400) all.add(Array.from({ length: 1 + dice.below(5) }, () => dice.of(parts)).join(''));
  const expected = names([...all].map((name) => row(name)));
  for (let round = 0; round < 5; round += 1) {
    const shuffled = [...all].map((name) => ({ name, at: dice.below(1 << 20) })).sort((a, b) => a.at - b.at);
    assert.deepEqual(names(shuffled.map(({ name }) => row(name))), expected, `XFER_SEED=${seed}`);
  }
});

test('a query asks for an order, or for the usual one', () => {
  assert.deepEqual(sortFromQuery('?sort=time&order=desc'), { by: 'time', descending: true });
  for (const query of ['', '?', '?sort=__proto__', '?sort=name&sort=size', '?order=', `?${'sort&'.repeat(4000)}`]) {
    assert.deepEqual(sortFromQuery(query), BY_NAME, query);
  }
});

test('text is folded to its letters', () => {
  assert.equal(foldCase('ÉCOLE Straße'), 'ecole straße');
  assert.equal(foldCase('PLAIN 1'), 'plain 1');
});
