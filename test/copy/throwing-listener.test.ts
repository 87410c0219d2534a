/** A program's `onEvent` that throws. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CopyEvent, copy } from '#xfer/copy/index.js';
import { createMemoryTree, openMemorySink, openMemorySource } from '#xfer/transports/memory/index.js';
import { makeDirectory, makeFile, putNode } from '#xfer/transports/memory/tree.js';

function folderOfThree() {
  const tree = createMemoryTree();
  putNode(tree, '', 'folder', makeDirectory());
  for (const name of ['a', 'b', 'c']) putNode(tree, 'folder', name, makeFile(tree, Buffer.alloc(3)));
  return openMemorySource(tree, 'folder');
}

for (const type of ['plan', 'start', 'finish', 'done'] as const) {
  test(`what onEvent throws at ${type} ends the copy, and is no file's failure`, { timeout: 10_000 }, async () => {
    const own = new Error('of the program');
    const told: CopyEvent[] = [];
    const onEvent = (event: CopyEvent) => {
      told.push(event);
      if (event.type === type) throw own;
    };
    const copying = copy([folderOfThree()], openMemorySink(createMemoryTree(), 'to'), { recursive: true, onEvent });
    await assert.rejects(copying, (error) => error === own);
    assert.equal(told.at(-1)?.type, type);
    assert.equal(told.filter((event) => event.type === type).length, 1);
    assert.ok(told.every((event) => event.type !== 'fail'));
  });
}
