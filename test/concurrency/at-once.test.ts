import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallPace, pairUp } from '#xfer/concurrency/at-once.js';

const fileEnd = () => {
  const end = {
    atOnce: false,
    workAtOnce: () => {
      end.atOnce = true;
    },
  };
  return end;
};

test('an end works at once only where the other is light', () => {
  const [reader, writer] = [fileEnd(), fileEnd()];
  pairUp(reader, writer);
  assert.deepEqual([reader.atOnce, writer.atOnce], [false, false]);
  pairUp(reader, { isLight: true });
  pairUp({ isLight: true }, writer);
  assert.deepEqual([reader.atOnce, writer.atOnce], [true, true]);
});

test('after a slow call a thread does the next ones, and then it is tried again', () => {
  const pace = new CallPace();
  assert.ok(pace.nextIsQuick());
  const busyMs = (ms: number) => {
    const until = performance.now() + ms;
    while (performance.now() < until);
    return ms;
  };
  assert.equal(
    pace.measured(() => busyMs(30)),
    30,
  );
  let inThread = 0;
  while (!pace.nextIsQuick()) inThread += 1;
  assert.equal(inThread, 64);
});

test('a call that fails slowly is slow too', () => {
  const pace = new CallPace();
  const until = performance.now() + 30;
  const fail = () => {
    while (performance.now() < until);
    throw new Error('full');
  };
  assert.throws(() => pace.measured(fail), /full/);
  assert.ok(!pace.nextIsQuick());
});
