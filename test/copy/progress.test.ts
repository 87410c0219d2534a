/** What is said of files that grow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CopyEvent } from '#xfer/copy/events.js';
import { Progress } from '#xfer/copy/progress.js';

test('a file is told of when it begins, and at most ten times a second while it grows', () => {
  const events: CopyEvent[] = [];
  const progress = new Progress<number>((event) => events.push(event));
  progress.start(1, 'a', 1000, 100);
  for (let piece = 0; piece < 50; piece += 1) progress.add(1, 10);
  assert.deepEqual(events[0], { type: 'start', path: 'a', heldBytes: 100, size: 1000 });
  assert.deepEqual(events[1], { type: 'progress', path: 'a', bytes: 110, size: 1000 });
  assert.ok(events.length < 10, `${events.length} events`);
  assert.equal(progress.bytes, 600);
});

test('a file that begins again goes back to what is held; one that ended is not counted', () => {
  const events: CopyEvent[] = [];
  const progress = new Progress<string>((event) => events.push(event));
  progress.start('x', 'a', undefined, 0);
  progress.add('x', 70);
  progress.start('x', 'a', undefined, 20);
  progress.start('y', 'b', undefined, 5);
  assert.equal(progress.bytes, 25);
  progress.end('x');
  progress.add('x', 1);
  assert.equal(progress.bytes, 5);
  assert.deepEqual(
    events.map((event) => ('bytes' in event ? event.bytes : event.type)),
    ['start', 70, 20, 'start'],
  );
});
