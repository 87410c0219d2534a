import assert from 'node:assert/strict';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { test } from 'node:test';
import { CallPace, pairUp } from '#xfer/concurrency/at-once.js';

const fileEnd = <End extends Readable | Writable>(stream: End) => {
  const end = Object.assign(stream, {
    atOnce: false,
    workAtOnce: () => {
      end.atOnce = true;
    },
  });
  return end;
};

test('a file is written at once, and read at once only for an end that is light', () => {
  const [reader, writer] = [fileEnd(new PassThrough()), fileEnd(new PassThrough())];
  pairUp(reader, new PassThrough());
  pairUp(new PassThrough(), writer);
  assert.deepEqual([reader.atOnce, writer.atOnce], [false, true]);
  pairUp(reader, Object.assign(new PassThrough(), { isLight: true }));
  assert.ok(reader.atOnce);
});

test('of two files neither waits for the other', () => {
  const [reader, writer] = [fileEnd(new PassThrough()), fileEnd(new PassThrough())];
  pairUp(reader, writer);
  assert.deepEqual([reader.atOnce, writer.atOnce], [false, false]);
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
