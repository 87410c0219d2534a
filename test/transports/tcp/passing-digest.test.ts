import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { PassingDigest } from '#xfer/transports/tcp/passing-digest.js';

const piece = Buffer.alloc(16 * 1024 * 1024, 'xfer');
const limit = { timeout: 20_000 };

test('a short file is always digested, also by a thread that does nothing else', limit, () => {
  const digest = new PassingDigest(false);
  digest.update(piece.subarray(1));
  assert.equal(digest.hex(), createHash('sha256').update(piece.subarray(1)).digest('hex'));
});

test('it gives up where the thread is busy all the time, unless it is needed', limit, async () => {
  // The loop must have begun, or nothing is known of it.
  await wait(5);
  const [free, needed] = [new PassingDigest(false), new PassingDigest(true)];
  const expected = createHash('sha256');
  for (let count = 0; count < 3; count += 1) {
    free.update(piece);
    needed.update(piece);
    expected.update(piece);
  }
  assert.equal(free.hex(), undefined);
  assert.equal(needed.hex(), expected.digest('hex'));
});

test('it goes on where the thread waits for the line', limit, async () => {
  await wait(5);
  const digest = new PassingDigest(false);
  const expected = createHash('sha256');
  for (let at = 0; at < 3 * piece.length; at += 1024 * 1024) {
    digest.update(piece.subarray(0, 1024 * 1024));
    expected.update(piece.subarray(0, 1024 * 1024));
    await wait(8);
  }
  assert.equal(digest.hex(), expected.digest('hex'));
});

test('it gives up where bytes come as fast as from this machine, though the thread is not busy', limit, async (t) => {
  await wait(5);
  let nowMs = 0;
  t.mock.method(performance, 'now', () => nowMs);
  const [fast, line] = [new PassingDigest(false), new PassingDigest(false)];
  for (const [digest, elapsedMs] of [
    [fast, 40],
    [line, 60],
  ] as const) {
    for (let at = 0; at < 16; at += 1) {
      digest.update(piece.subarray(0, 1024 * 1024));
      nowMs += elapsedMs / 15;
      await wait(4);
    }
  }
  assert.equal(fast.hex(), undefined);
  assert.notEqual(line.hex(), undefined);
});
