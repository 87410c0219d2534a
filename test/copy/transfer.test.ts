import assert from 'node:assert/strict';
import { Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { copy } from '#xfer/copy/index.js';
import { XferError } from '#xfer/errors.js';
import type { Draft, Sink, Source } from '#xfer/transport.js';
import { createMemoryTree, openMemorySource } from '#xfer/transports/memory/index.js';
import { makeFile, putNode } from '#xfer/transports/memory/tree.js';

/** Its bytes break off as soon as they were asked for. */
function breakingSource(): Source {
  const tree = createMemoryTree();
  putNode(tree, '', 'f', makeFile(tree, Buffer.alloc(1000)));
  const source = openMemorySource(tree, 'f');
  return Object.assign(source, {
    read: async () => {
      const stream = new Readable({ read: () => undefined });
      setImmediate(() => stream.destroy(new XferError('DISCONNECTED', 'read it: broken')));
      return stream;
    },
  });
}

/** It takes a while until it can be written to. */
function slowSink(commit: () => Promise<void>): Sink {
  const draft: Draft = {
    held: [],
    async write() {
      await setTimeout(20);
      return new Writable({ write: (_chunk, _encoding, done) => done() });
    },
    commit,
    suspend: async () => {},
    discard: async () => {},
  };
  return {
    label: 'slow',
    identity: 'slow',
    capabilities: { offsets: false, atomic: false, resume: false, parallel: false, metadata: false },
    stat: async () => undefined,
    create: async () => {},
    draft: async () => draft,
    close: async () => {},
  };
}

test('bytes that break off before the target can take them fail the file, and nothing else', async () => {
  let committed = false;
  const sink = slowSink(async () => {
    committed = true;
  });
  const copying = copy([breakingSource()], sink, { retry: { attempts: 1, firstDelayMs: 1, maxDelayMs: 1 } });
  await assert.rejects(copying, { code: 'DISCONNECTED', message: /broken/ });
  assert.equal(committed, false);
});
