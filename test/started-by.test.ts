import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toXferError } from '#xfer/errors.js';
import { startedBy } from '#xfer/started-by.js';

test('a program for which no more files may be opened fails with words for that', () => {
  // What execa 9 does with a child without streams.
  const starved = () => startedBy('ssh', () => void [...(undefined as unknown as Iterable<unknown>)]);
  assert.throws(starved, (error) => {
    const { code, message, hint } = toXferError(error, 'start ssh');
    return code === 'NO_SPACE' && /too many open files/.test(message) && /ulimit -n/.test(hint ?? '');
  });
});

test('any other failure stays as it is', () => {
  assert.equal(
    startedBy('ssh', () => 7),
    7,
  );
  const own = new RangeError('own');
  assert.throws(
    () =>
      startedBy('ssh', () => {
        throw own;
      }),
    own,
  );
});
