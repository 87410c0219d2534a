import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { passingHashes } from '#xfer/copy/passing-hashes.js';
import { patternBytes } from '../support/fixtures.js';

const BYTES = patternBytes(40 << 20, 3);

for (const [where, size, processors] of [
  ['here, where they are few', 1000, 8],
  ['here, where there are two processors', undefined, 2],
  ['on another thread', undefined, 3],
] as const) {
  test(`hashed ${where}, in pieces of any size`, { timeout: 60_000 }, async () => {
    const hashes = passingHashes(['sha512', 'sha256'], size, processors);
    try {
      for (let at = 0, length = 1; at < BYTES.length; at += length, length = (length * 3) % 5_000_011) {
        const wait = hashes.update(BYTES.subarray(at, at + length));
        if (wait) await wait;
      }
      for (const algorithm of ['sha256', 'sha512'] as const) {
        assert.equal(await hashes.digest(algorithm), createHash(algorithm).update(BYTES).digest('hex'));
      }
    } finally {
      hashes.close();
    }
  });
}

test('no bytes have a digest too, and closing early is no failure', { timeout: 20_000 }, async () => {
  const hashes = passingHashes(['sha256'], undefined, 3);
  assert.equal(await hashes.digest('sha256'), createHash('sha256').digest('hex'));
  hashes.close();
  const other = passingHashes(['sha256'], undefined, 3);
  other.update(BYTES.subarray(0, 5));
  other.close();
  await assert.rejects(other.digest('sha256'), { code: 'INTERNAL' });
});
