/** Sinks that prove what `put` takes, and drafts of files that are there already. */
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { copy } from '#xfer/copy/index.js';
import type { Digest, Draft, Sink, Source } from '#xfer/transport.js';
import { createMemoryTree, openMemorySource } from '#xfer/transports/memory/index.js';
import { makeFile, putNode } from '#xfer/transports/memory/tree.js';
import { failsWith } from '../support/fails-with.js';
import { hexDigest, patternBytes } from '../support/fixtures.js';

function sourceOf(bytes: Buffer): Source {
  const tree = createMemoryTree();
  putNode(tree, '', 'f', makeFile(tree, bytes));
  return Object.assign(openMemorySource(tree, 'f'), { readWhole: async () => bytes });
}

const capabilities = { offsets: true, atomic: true, resume: true, parallel: true, metadata: true };

function sinkOf(parts: Partial<Sink>): Sink {
  return {
    label: 'proving',
    identity: 'proving',
    capabilities,
    stat: async () => undefined,
    create: async () => {},
    draft: async () => assert.fail('no draft is wanted'),
    close: async () => {},
    ...parts,
  };
}

test('what a proving sink takes whole counts as verified, by the digest that it gives', async () => {
  const bytes = patternBytes(1000);
  const sink = sinkOf({
    capabilities: { ...capabilities, provesWhole: true },
    put: async (_entry, all) => hexDigest(all),
  });
  const result = await copy([sourceOf(bytes)], sink, { verify: 'sha256' });
  assert.equal(result.verified, 'sha256');
  assert.deepEqual([...result.digests.values()], [hexDigest(bytes)]);
});

test('one that does not prove is not given a file whole that must be verified', async () => {
  let drafts = 0;
  const sink = sinkOf({
    put: async () => assert.fail('not put'),
    draft: async () => {
      drafts += 1;
      return thereDraft(hexDigest(patternBytes(1000)));
    },
  });
  await copy([sourceOf(patternBytes(1000))], sink, { verify: 'sha256' });
  assert.equal(drafts, 1);
});

/** A draft of a file that is there, with this digest. */
function thereDraft(hex: string, calls: string[] = []): Draft {
  return {
    held: [],
    there: true,
    write: async () => {
      calls.push('write');
      return new Writable({ write: (_chunk, _encoding, done) => done() });
    },
    digest: async (): Promise<Digest> => ({ hex, readBack: true }),
    commit: async () => void calls.push('commit'),
    suspend: async () => void calls.push('suspend'),
    discard: async () => void calls.push('discard'),
  };
}

test('the very file that is there already is not sent, and has arrived', async () => {
  const bytes = patternBytes(50_000);
  const calls: string[] = [];
  const sink = sinkOf({ draft: async () => thereDraft(hexDigest(bytes), calls) });
  const result = await copy([sourceOf(bytes)], sink, {});
  assert.deepEqual(calls, ['commit']);
  assert.equal(result.files, 1);
  assert.equal(result.resumedBytes, bytes.length);
  assert.equal(result.verified, 'sha256');
  assert.equal(result.readBack, true);
});

test('another file of the same length that is there is EXISTS, and nothing is written', async () => {
  const calls: string[] = [];
  const sink = sinkOf({ draft: async () => thereDraft('00'.repeat(32), calls) });
  await assert.rejects(
    copy([sourceOf(patternBytes(50_000))], sink, {}),
    failsWith('EXISTS', /another file has that name/),
  );
  assert.ok(!calls.includes('write') && !calls.includes('commit'), calls.join());
});
