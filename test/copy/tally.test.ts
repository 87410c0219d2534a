import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALREADY_WHOLE, EXCLUDED } from '#xfer/copy/skip-reasons.js';
import { Tally } from '#xfer/copy/tally.js';
import { XferError } from '#xfer/errors.js';
import { NOT_A_FILE } from '#xfer/other-kind.js';

const failure = (path: string) => ({
  path,
  error: new XferError('DENIED', `read ${path}: not allowed`, { hint: 'ask' }),
});

test('adds up what arrived, by the weakest proof among it', () => {
  const tally = new Tally();
  tally.file('a', { bytes: 3, resumedBytes: 1, verified: 'sha512', digest: 'aa', statedBy: 'SHA512SUMS' });
  tally.file('b', { bytes: 4, resumedBytes: 0, verified: 'sha256', readBack: true });
  tally.directory();
  tally.symlink();
  for (const reason of [ALREADY_WHOLE, EXCLUDED, 'dry run']) tally.skip(reason);
  tally.fail(failure('c'));
  const { elapsedMs, failures, digests, ...rest } = tally.result();
  assert.ok(elapsedMs >= 0);
  assert.deepEqual([failures.map(({ path }) => path), [...digests]], [['c'], [['a', 'aa']]]);
  assert.deepEqual(rest, {
    ...{ files: 2, directories: 1, symlinks: 1, skipped: 3, excluded: 1, alreadyWhole: 1 },
    ...{ bytes: 7, resumedBytes: 1, verified: 'sha256', statedBy: 'SHA512SUMS', readBack: true },
  });
});

test('nothing but failures is the first of them, with how many more there were', () => {
  const tally = new Tally();
  assert.equal(tally.result().verified, 'none');
  tally.fail(failure('a'));
  assert.throws(() => tally.result(), failure('a').error);
  tally.fail(failure('b'));
  assert.throws(() => tally.result(), {
    code: 'DENIED',
    message: 'read a: not allowed (and 1 more failed)',
    hint: 'ask',
  });
});

test('failures without end, or things without end that are no files, end the copy', () => {
  for (const one of [(tally: Tally) => tally.fail(failure('a')), (tally: Tally) => tally.skip(NOT_A_FILE)]) {
    const tally = new Tally();
    for (let count = 0; count < 50_000; count += 1) one(tally);
    tally.checkHope();
    one(tally);
    assert.throws(() => tally.checkHope(), { code: 'PARTIAL' });
  }
});
