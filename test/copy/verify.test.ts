import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copy } from '#xfer/copy/index.js';
import { XferError } from '#xfer/errors.js';
import type { Sink, Source } from '#xfer/transport.js';
import { createMemoryTree, openMemorySink, openMemorySource } from '#xfer/transports/memory/index.js';
import { collectEntries } from '../support/fixtures.js';

const SIZE = 100_000;

async function filled(bytes: Buffer): Promise<Source> {
  const tree = createMemoryTree();
  const draft = await openMemorySink(tree, 'f').draft({ path: '', kind: 'file' }, free);
  await new Promise<void>((resolve, reject) => {
    draft.write(0, free).then((stream) => stream.on('error', reject).once('close', resolve).end(bytes), reject);
  });
  await draft.commit({ path: '', kind: 'file', size: bytes.length }, free);
  return openMemorySource(tree, 'f');
}

const free = { signal: new AbortController().signal };
const sink = (): Sink => openMemorySink(createMemoryTree(), 'copy');
/** In lanes the bytes do not pass in order, so that the source has to be asked or read again. */
const inLanes = { verify: 'sha256', blockBytes: SIZE / 4, lanes: 2 } as const;

for (const [how, options] of Object.entries({ 'in one piece': { verify: 'sha256' }, 'in lanes': inLanes } as const)) {
  test(`${how}: the result holds the digest that both ends have`, async () => {
    const source = await filled(Buffer.alloc(SIZE, 7));
    const result = await copy([source], sink(), options);
    assert.equal(result.verified, 'sha256');
    const entry = (await collectEntries(source, free)).get('');
    assert.ok(entry && source.digest);
    assert.deepEqual([...result.digests.values()], [await source.digest(entry, 'sha256', free)]);
  });
}

test('a source whose digest is another is CORRUPT, and nothing has the name', async () => {
  const source = await filled(Buffer.alloc(SIZE, 7));
  source.digest = async () => '0'.repeat(64);
  const to = sink();
  await assert.rejects(copy([source], to, inLanes), { code: 'CORRUPT' });
  assert.equal(await to.stat('', free), undefined);
});

test('a source that states no digest of its own for this file is read again', async () => {
  const source = await filled(Buffer.alloc(SIZE, 7));
  source.digest = async () => {
    throw new XferError('UNSUPPORTED', 'digest f: the server states none');
  };
  assert.equal((await copy([source], sink(), inLanes)).verified, 'sha256');
});

test('a sink that cannot tell is refused', async () => {
  const to = sink();
  const draft = to.draft.bind(to);
  to.draft = async (entry, scope) => Object.defineProperty(await draft(entry, scope), 'digest', { value: undefined });
  const source = await filled(Buffer.alloc(SIZE, 7));
  await assert.rejects(copy([source], to, { verify: 'sha256' }), { code: 'UNSUPPORTED' });
});
