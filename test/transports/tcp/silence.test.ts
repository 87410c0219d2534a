import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { watchSilence } from '#xfer/transports/tcp/silence.js';

const limit = { timeout: 5000 };

test('silence calls back once, and again only after something was heard', limit, async () => {
  let calls = 0;
  const silence = watchSilence(10, () => {
    calls += 1;
  });
  await wait(60);
  assert.equal(calls, 1);
  silence.heard();
  await wait(60);
  assert.equal(calls, 2);
  silence.stop();
  silence.heard();
  await wait(40);
  assert.equal(calls, 2);
});

test('what came while the process was held up counts as heard', limit, async () => {
  let calls = 0;
  const silence = watchSilence(10, () => {
    calls += 1;
  });
  // Of the same length, so that it runs right after the watch's own timer.
  setTimeout(() => {
    silence.heard();
    setImmediate(() => silence.stop());
  }, 10);
  const until = Date.now() + 30;
  while (Date.now() < until);
  await wait(40);
  assert.equal(calls, 0);
});
