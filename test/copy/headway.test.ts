import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Headway } from '#xfer/copy/headway.js';
import { XferError } from '#xfer/errors.js';

const lost = () => new XferError('DISCONNECTED', 'line: lost');

const { signal } = new AbortController();
const policy = { attempts: 5, firstDelayMs: 1, maxDelayMs: 1 };

test('a failure of several is progress where the copy got on since; of one alone it is none', async () => {
  const headway = new Headway();
  const trying: ((error: Error) => void)[] = [];
  const told: number[] = [];
  const work = () => new Promise<void>((_, reject) => trying.push(reject));
  const onRetry = (attempt: number) => told.push(attempt);
  for (const _ of ['a', 'b']) void headway.retry(work, { policy, signal, what: 'try', onRetry });
  const fail = async (...errors: Error[]) => {
    const before = told.length;
    for (const error of errors) {
      while (trying.length === 0) await sleep(1);
      trying.shift()?.(error);
    }
    while (told.length < before + errors.length) await sleep(1);
    return told.slice(before);
  };
  const [first, second] = [lost(), lost()];
  assert.deepEqual(await fail(first, first), [2, 2]);
  assert.deepEqual((await fail(second, second)).sort(), [3, 3], 'nothing got on');
  headway.add(1);
  assert.deepEqual(await fail(lost()), [4], 'it failed alone');
  const third = lost();
  // One after the other, as a line that was lost lets fewer through at once.
  assert.deepEqual((await fail(third, third)).at(-1), 2);
});

test('files that a cut line fails together are tried fewer at once, until they get through', {
  timeout: 10_000,
}, async () => {
  const headway = new Headway();
  let users = 0;
  let line = { error: lost(), isCut: false };
  /** More than ten at once cut the line, and fail all that use it with one error. */
  const work = async () => {
    users += 1;
    const own = line;
    if (users > 10) {
      line.isCut = true;
      line = { error: lost(), isCut: false };
    }
    await sleep(2);
    users -= 1;
    if (own.isCut) throw own.error;
    headway.add(1);
  };
  const file = () => headway.retry(work, { policy, signal, what: 'try', onRetry: () => {} });
  await Promise.all(Array.from({ length: 100 }, file));
});
