import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool, recyclerOf } from '#xfer/streams/buffer-pool.js';

test('what is given back, by any view of it, is lent again, and only once', () => {
  const pool = new BufferPool(100, 2);
  const first = pool.take();
  assert.equal(first.length, 100);
  pool.give(first.subarray(10, 20));
  pool.give(first);
  const again = pool.take();
  assert.equal(again.buffer, first.buffer);
  assert.equal(again.length, 100);
  assert.notEqual(pool.take().buffer, first.buffer, 'given twice, it is not lent twice');
});

test('what was not lent is not taken, and no more is kept than may be', () => {
  const pool = new BufferPool(100, 1);
  const foreign = Buffer.allocUnsafeSlow(100);
  pool.give(foreign);
  assert.notEqual(pool.take().buffer, foreign.buffer);
  const [one, other] = [pool.take(), pool.take()];
  pool.give(one);
  pool.give(other);
  assert.equal(pool.take().buffer, one.buffer);
  assert.notEqual(pool.take().buffer, other.buffer);
});

test('only a stream that takes chunks back has a recycler', () => {
  const given: Buffer[] = [];
  recyclerOf({ recycle: (chunk: Buffer) => given.push(chunk) })?.(Buffer.from('a'));
  assert.deepEqual(given, [Buffer.from('a')]);
  assert.equal(recyclerOf({}), undefined);
});
