import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Headway } from '#xfer/copy/headway.js';
import { retry } from '#xfer/copy/retry.js';
import { XferError } from '#xfer/errors.js';

const lost = () => new XferError('DISCONNECTED', 'line: lost');

test('a failure of several is progress where the copy got on since; of one alone it is none', async () => {
  const headway = new Headway();
  let error = lost();
  const fail = () => Promise.reject(error);
  const [a, b] = [headway.watch(fail), headway.watch(fail)];
  const start = a.progress();
  await Promise.allSettled([a.attempt(), b.attempt()]);
  assert.deepEqual([a.progress(), b.progress()], [start, start], 'nothing got on');
  headway.add(1);
  error = lost();
  await assert.rejects(a.attempt(), error);
  assert.equal(a.progress(), start, 'it failed alone');
  error = lost();
  // One after the other, as a line that was lost lets fewer through at once.
  await Promise.allSettled([a.attempt(), b.attempt(), a.attempt()]);
  assert.ok(a.progress() > start);
});

test('files that a cut line fails together are tried fewer at once, until they get through', {
  timeout: 10_000,
}, async () => {
  const headway = new Headway();
  const { signal } = new AbortController();
  const policy = { attempts: 5, firstDelayMs: 1, maxDelayMs: 1 };
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
  const file = () => {
    const { attempt, progress } = headway.watch(work);
    return retry(attempt, { policy, signal, what: 'try', progress, onRetry: () => {} });
  };
  await Promise.all(Array.from({ length: 100 }, file));
});
