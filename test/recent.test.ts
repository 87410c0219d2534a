import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Recent } from '#xfer/recent.js';

test('what was not used for longest goes first', () => {
  const dropped: string[] = [];
  const recent = new Recent<string, number>({ most: 3, onDrop: (key, value) => dropped.push(`${key}=${value}`) });
  for (const [at, key] of ['a', 'b', 'c'].entries()) recent.set(key, at);
  assert.equal(recent.get('a'), 0);
  recent.set('d', 3);
  assert.equal(recent.get('b'), undefined);
  recent.set('c', 20);
  recent.set('e', 4);
  assert.deepEqual(dropped, ['b=1', 'a=0']);
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'e'].map((key) => recent.get(key)),
    [undefined, undefined, 20, 3, 4],
  );
});

test('what weighs too much together goes, and what does by itself is not kept', () => {
  const recent = new Recent<string, string>({ most: 100, mostWeight: 10, weightOf: (text) => text.length });
  recent.set('a', 'four');
  recent.set('b', 'four');
  recent.set('a', '6 long');
  assert.equal(recent.get('b'), 'four', 'the weight of what was replaced is free again');
  recent.set('c', 'x');
  assert.equal(recent.get('a'), undefined);
  assert.equal(recent.get('b'), 'four');
  recent.set('d', 'longer than all may be');
  assert.deepEqual(
    ['b', 'c', 'd'].map((key) => recent.get(key)),
    [undefined, undefined, undefined],
  );
  assert.equal(recent.delete('b'), false);
  recent.set('e', '10 letters');
  assert.equal(recent.get('e'), '10 letters', 'nothing weighs that is not there');
  assert.equal(recent.delete('e'), true);
});
