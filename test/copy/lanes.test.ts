import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
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
  await sendInLanes(queue(), 3, scope, {
    async send(block) {
      most = Math.max(most, ++underWay);
      await setTimeout(1);
      underWay -= 1;
      sent.push(block);
    },
  });
  assert.equal(most, 3);
  assert.equal(totalBytes(sent), 20);
  assert.equal(new Set(sent.map(({ start }) => start)).size, 10);
});

test('the first failure stops the others and is the one that is told, once none is under way', async () => {
  const first = new Error('first');
  let underWay = 0;
  const failing = sendInLanes(queue(), 3, scope, {
    async send({ start }, { signal }) {
      underWay += 1;
      try {
        if (start === 2) throw first;
        await setTimeout(10_000, undefined, { signal });
      } finally {
        underWay -= 1;
      }
    },
  });
  await assert.rejects(failing, first);
  assert.equal(underWay, 0);
});

test('a copy that is stopped stops its lanes', async () => {
  const stop = new AbortController();
  const reason = new Error('stopped');
  const sending = sendInLanes(
    queue(),
    2,
    { signal: stop.signal },
    {
      async send(_, { signal }) {
        stop.abort(reason);
        signal.throwIfAborted();
      },
    },
  );
  await assert.rejects(sending, reason);
});

test('a lane opens its next block once little is left of the one that it sends', async () => {
  const told: string[] = [];
  const blocksOf16 = blocks([{ start: 0, end: 48 << 20 }], 16 << 20);
  await sendInLanes(blocksOf16, 1, scope, {
    async open({ start }) {
      told.push(`open ${start >> 20}`);
      return Readable.from([]);
    },
    async send({ start }, _, opened, onRest) {
      told.push(`send ${start >> 20}${(await opened) ? ' opened' : ''}`);
      onRest(5 << 20);
      await setTimeout(1);
      told.push('little left');
      onRest(4 << 20);
      onRest(0);
    },
  });
  const [first, ...others] = ['send 0', 'send 16 opened', 'send 32 opened'];
  assert.deepEqual(told, [
    first,
    'little left',
    'open 16',
    others[0],
    'little left',
    'open 32',
    others[1],
    'little left',
  ]);
});

test('what was opened ahead is destroyed where a lane fails, and its own failure is the one that is told', async () => {
  const opened: Readable[] = [];
  const open = async () => {
    const stream = new Readable({ read: () => undefined });
    opened.push(stream);
    return stream;
  };
  const failing = sendInLanes(queue(), 1, scope, {
    open,
    async send(_, __, ___, onRest) {
      onRest(1);
      await setTimeout(1);
      opened[0]?.destroy(new Error('of the one ahead'));
      await setTimeout(1);
      throw new Error('of the one that is sent');
    },
  });
  await assert.rejects(failing, /that is sent/);
  assert.deepEqual(
    opened.map(({ destroyed }) => destroyed),
    [true],
  );
  const early = sendInLanes(queue(), 1, scope, {
    open: () => Promise.reject(new Error('cannot be opened')),
    async send(_, __, ahead, onRest) {
      onRest(1);
      await setTimeout(1);
      await ahead;
    },
  });
  await assert.rejects(early, /cannot be opened/);
});
