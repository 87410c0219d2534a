import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Pool } from '#xfer/copy/pool.js';

/** Works that end when they are told to. */
class Works {
  readonly begun: number[] = [];
  readonly #ends = new Map<number, () => void>();

  work(number: number): () => Promise<void> {
    return () => {
      this.begun.push(number);
      return new Promise((resolve) => this.#ends.set(number, resolve));
    };
  }

  async end(number: number): Promise<void> {
    this.#ends.get(number)?.();
    await nextTurn();
  }
}

/** Whether it resolves without anything else happening. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await nextTurn();
  return done;
}

test('no more than its size is under way, and whoever starts more waits for a turn', async () => {
  const [pool, works] = [new Pool(2), new Works()];
  assert.ok(await isDone(pool.start(works.work(1))));
  assert.ok(await isDone(pool.start(works.work(2))));
  const third = pool.start(works.work(3));
  assert.ok(!(await isDone(third)));
  assert.deepEqual(works.begun, [1, 2]);
  await works.end(2);
  assert.ok(await isDone(third));
  assert.deepEqual(works.begun, [1, 2, 3]);
});

test('so many may wait for their turn while whoever starts them goes on, and all of them are drained', async () => {
  const [pool, works] = [new Pool(1, Number.POSITIVE_INFINITY, 2), new Works()];
  for (const number of [1, 2, 3]) assert.ok(await isDone(pool.start(works.work(number))), `${number}`);
  const fourth = pool.start(works.work(4));
  assert.ok(!(await isDone(fourth)));
  assert.deepEqual(works.begun, [1]);
  const drained = pool.drained();
  for (const number of [1, 2, 3]) {
    await works.end(number);
    assert.deepEqual(
      works.begun,
      Array.from({ length: number + 1 }, (_, at) => at + 1),
    );
    assert.ok(await isDone(fourth), 'there is room for it to wait');
    assert.ok(!(await isDone(drained)));
  }
  await works.end(4);
  assert.ok(await isDone(drained));
});

test('what weighs too much waits, and what is heavier than all goes alone', async () => {
  const [pool, works] = [new Pool(9, 10), new Works()];
  await pool.start(works.work(1), 6);
  const second = pool.start(works.work(2), 5);
  assert.ok(!(await isDone(second)));
  await works.end(1);
  assert.ok(await isDone(second));
  const heavy = pool.start(works.work(3), 100);
  assert.ok(!(await isDone(heavy)));
  await works.end(2);
  assert.ok(await isDone(heavy));
});
