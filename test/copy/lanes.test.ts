import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { sendInLanes } from '#xfer/copy/lanes.js';
import { blocks, type Span, totalBytes } from '#xfer/copy/ranges.js';

const scope = { signal: new AbortController().signal };
const queue = () => blocks([{ start: 0, end: 20 }], 2);

test('every block is sent once, as many at a time as there are lanes', async () => {
  const sent: Span[] = [];
  let underWay = 0;
  let most = 0;
  await sendInLanes(queue(), 3, scope, async (block) => {
    most = Math.max(most, ++underWay);
    await setTimeout(1);
    underWay -= 1;
    sent.push(block);
  });
  assert.equal(most, 3);
  assert.equal(totalBytes(sent), 20);
  assert.equal(new Set(sent.map(({ start }) => start)).size, 10);
});

test('the first failure stops the others and is the one that is told, once none is under way', async () => {
  const first = new Error('first');
  let underWay = 0;
  const failing = sendInLanes(queue(), 3, scope, async ({ start }, { signal }) => {
    underWay += 1;
    try {
      if (start === 2) throw first;
      await setTimeout(10_000, undefined, { signal });
    } finally {
      underWay -= 1;
    }
  });
  await assert.rejects(failing, first);
  assert.equal(underWay, 0);
});

test('a copy that is stopped stops its lanes', async () => {
  const stop = new AbortController();
  const reason = new Error('stopped');
  const sending = sendInLanes(queue(), 2, { signal: stop.signal }, async (_, { signal }) => {
    stop.abort(reason);
    signal.throwIfAborted();
  });
  await assert.rejects(sending, reason);
});
