/** A sink whose bytes cannot be taken back: standard output, and plain TCP. */
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { copy } from '#xfer/copy/index.js';
import { XferError } from '#xfer/errors.js';
import type { Draft, Sink, Source } from '#xfer/transport.js';
import { createMemoryTree, openMemorySource } from '#xfer/transports/memory/index.js';
import { makeFile, putNode } from '#xfer/transports/memory/tree.js';

function sourceOf(bytes: number): Source {
  const tree = createMemoryTree();
  putNode(tree, '', 'f', makeFile(tree, Buffer.alloc(bytes)));
  return openMemorySource(tree, 'f');
}

/** Counts its drafts, each of which breaks once it took some bytes. */
function breakingSink(once: boolean): Sink & { drafts: number } {
  const draft: Draft = {
    held: [],
    write: async () =>
      new Writable({ write: (_chunk, _encoding, done) => done(new XferError('DISCONNECTED', 'write it: broken')) }),
    commit: async () => {},
    suspend: async () => {},
    discard: async () => {},
  };
  const plain = { offsets: false, atomic: false, resume: false, parallel: false, metadata: false };
  return {
    drafts: 0,
    label: 'breaking',
    identity: 'breaking',
    capabilities: once ? { ...plain, once } : plain,
    stat: async () => undefined,
    create: async () => {},
    async draft() {
      this.drafts += 1;
      return draft;
    },
    close: async () => {},
  };
}

const retry = { attempts: 3, firstDelayMs: 1, maxDelayMs: 1 };

test('a file whose first bytes went is not tried again where they cannot be taken back', async () => {
  for (const [once, drafts] of [
    [true, 1],
    [false, 3],
  ] as const) {
    const sink = breakingSink(once);
    await assert.rejects(copy([sourceOf(1000)], sink, { retry }), { code: 'DISCONNECTED', message: /broken/ });
    assert.equal(sink.drafts, drafts);
  }
});

test('a source that fails before a byte went is tried again all the same', async () => {
  const source = sourceOf(1000);
  let reads = 0;
  const read = source.read.bind(source);
  const flaky = Object.assign(source, {
    read: async (...args: Parameters<Source['read']>) => {
      reads += 1;
      if (reads < 3) throw new XferError('TIMED_OUT', 'read it: silent');
      return read(...args);
    },
  });
  const sink = breakingSink(true);
  await assert.rejects(copy([flaky], sink, { retry }), { message: /broken/ });
  assert.deepEqual([reads, sink.drafts], [3, 3]);
});
