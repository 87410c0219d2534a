import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Limiter } from '#xfer/copy/limiter.js';
import { TokenBucket } from '#xfer/streams/token-bucket.js';
import { FairLimit } from '#xfer/transports/http/listen/limit/fair-limit.js';
import { failsWith } from '../support/fails-with.js';

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

test('a rate that is not above 0 is USAGE, whoever is told it', () => {
  for (const rate of [0, -1, Number.NaN]) {
    assert.throws(() => new Limiter(rate), failsWith('USAGE', /^rate .*: not a number of bytes a second above 0$/));
    assert.throws(() => new FairLimit({ bytesPerSecond: rate }), failsWith('USAGE', /rate/));
    assert.throws(() => new FairLimit({ clientBytesPerSecond: rate }), failsWith('USAGE', /rate/));
  }
});

test('a wait that is longer than a timer can be is waited for', { timeout: 5000 }, async () => {
  const limiter = new Limiter(0.001);
  await assert.rejects(limiter.take(1e7, AbortSignal.timeout(50)), { name: 'TimeoutError' });
});
