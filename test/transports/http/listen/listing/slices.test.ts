import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inSlices } from '#xfer/transports/http/listen/listing/slices.js';

test('between two slices the event loop turns, and nothing is lost', async () => {
  let turns = 0;
  let handle = setImmediate(function turn() {
    turns += 1;
    handle = setImmediate(turn);
  });
  const numbers = Array.from({ length: 5001 }, (_, index) => index);
  const slices = inSlices(
    (async function* () {
      yield* numbers;
    })(),
    (number) => number,
  );
  const found: number[] = [];
  let count = 0;
  for (;;) {
    const { value, done } = await slices.next();
    found.push(...value);
    count += 1;
    if (done) break;
  }
  clearImmediate(handle);
  assert.deepEqual(found, numbers);
  assert.ok(count >= 11, `${count} slices`);
  assert.ok(turns >= count - 1, `${turns} turns for ${count} slices`);
});

test('a short directory is one last slice', async () => {
  const slices = inSlices(
    (async function* () {
      yield* ['left out', 'only'];
    })(),
    async (name) => (name === 'only' ? name : undefined),
  );
  assert.deepEqual(await slices.next(), { done: true, value: ['only'] });
});
