/** A copy that is stopped while an end answers no more. */
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { copy } from '#xfer/copy/index.js';
import type { Draft, Sink } from '#xfer/transport.js';
import { createMemoryTree, openMemorySink, openMemorySource } from '#xfer/transports/memory/index.js';
import { makeFile, putNode } from '#xfer/transports/memory/tree.js';

const never = new Promise<never>(() => undefined);

/** The first byte stays on the way, and so does every request after it. */
function deadSink(inner: Sink, puts: boolean, onStalled: () => void): Sink {
  const draft: Draft = {
    held: [],
    write: async () => new Writable({ write: onStalled }),
    commit: () => never,
    suspend: () => never,
    discard: () => never,
  };
  const put = () => {
    onStalled();
    return never;
  };
  const dead = { stat: async () => undefined, draft: async () => draft, put: puts ? put : undefined };
  return Object.assign(Object.create(inner), dead) as Sink;
}

for (const [how, puts] of [
  ['by a draft', false],
  ['in one piece', true],
] as const) {
  test(`a stop does not wait until the line counts as lost: ${how}`, { timeout: 20_000 }, async (t) => {
    const tree = createMemoryTree();
    const stop = new AbortController();
    const reason = new Error('enough');
    // What never ends would not hold the process.
    const held = setInterval(() => undefined, 1000);
    t.after(() => clearInterval(held));
    putNode(tree, '', 'from', makeFile(tree, Buffer.from('abc')));
    const from = openMemorySource(tree, 'from');
    const to = deadSink(openMemorySink(tree, 'to'), puts, () => stop.abort(reason));
    await assert.rejects(copy([from], to, { signal: stop.signal }), (error) => error === reason);
  });
}
