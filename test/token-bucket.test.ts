import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenBucket } from '#xfer/token-bucket.js';

test('what is taken is paid for in time, and a tenth of a second is saved up at most', () => {
  const bucket = new TokenBucket(1000);
  assert.equal(bucket.take(100, 10_000), 0);
  assert.equal(bucket.owes(10_000), false);
  assert.equal(bucket.isFull(10_000), false);
  assert.equal(bucket.take(500, 10_000), 500);
  assert.equal(bucket.owes(10_499), true);
  assert.equal(bucket.owes(10_500), false);
  assert.equal(bucket.isFull(10_600), true);
  assert.equal(bucket.take(600, 60_000), 500);
});
