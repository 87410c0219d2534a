/** Chapter: the methods that let a listener share a source. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import type { Entry, Source } from '#xfer/transport.js';
import { collect, type Fixture, patternBytes } from '../support/fixtures.js';
import { chapter, freeScope, type SourceRig, TEST, withSource } from './rig.js';

const BYTES = patternBytes(100_000);
const TREE: Fixture[] = [
  { path: 'top', bytes: BYTES },
  { path: 'd/inner', bytes: patternBytes(3) },
  { path: 'd/e/deep', bytes: patternBytes(4) },
  { path: 'none', kind: 'directory' },
];

export function listingChapter(rig: SourceRig): void {
  chapter('listing', () => {
    test('list and open are both there, or neither', TEST, () =>
      withSource(rig, [{ path: '', bytes: patternBytes(10) }], async ({ source }) => {
        assert.equal(source.list === undefined, source.open === undefined);
        assert.ok(source.open === undefined || source.stat !== undefined, 'a source that can be shared has stat');
      }),
    );
    if (!rig.supports.tree) return;
    test('list goes one level deep', TEST, () => oneLevel(rig));
    test('list of nothing, and of a file, is NOT_FOUND', TEST, () => notADirectory(rig));
    test('stat tells what is there, and undefined where nothing is', TEST, () => stats(rig));
    test('open gives the entry and any range of one file, as often as asked', TEST, () => opens(rig));
    test('open of nothing is NOT_FOUND, of a directory an error', TEST, () => opensNothing(rig));
    test('closing an open file ends what is read of it', TEST, () => closesWhileReading(rig));
    if (rig.supports.links) test('a link out of the root is not followed', TEST, () => linkOut(rig));
  });
}

const isNotFound = (error: unknown) => error instanceof XferError && error.code === 'NOT_FOUND';

async function listed(source: Source, path: string): Promise<Entry[]> {
  const found: Entry[] = [];
  for await (const entry of source.list?.(path, freeScope()) ?? []) found.push(entry);
  return found;
}

async function oneLevel(rig: SourceRig): Promise<void> {
  await withSource(rig, TREE, async ({ source }) => {
    if (!source.list) return;
    const paths = async (path: string) => (await listed(source, path)).map((entry) => entry.path).sort();
    assert.deepEqual(await paths(''), ['d', 'none', 'top']);
    assert.deepEqual(await paths('d'), ['d/e', 'd/inner']);
    assert.deepEqual(await paths('none'), []);
  });
}

async function notADirectory(rig: SourceRig): Promise<void> {
  await withSource(rig, TREE, async ({ source }) => {
    if (!source.list) return;
    await assert.rejects(listed(source, 'missing'), isNotFound);
    await assert.rejects(listed(source, 'top'), isNotFound);
    await assert.rejects(listed(source, 'top/below'), isNotFound);
  });
}

async function stats(rig: SourceRig): Promise<void> {
  await withSource(rig, TREE, async ({ source }) => {
    if (!source.stat) return;
    assert.equal((await source.stat('', freeScope()))?.kind, 'directory');
    assert.equal((await source.stat('d', freeScope()))?.kind, 'directory');
    const file = await source.stat('top', freeScope());
    assert.deepEqual([file?.path, file?.kind, file?.size], ['top', 'file', BYTES.length]);
    assert.equal(await source.stat('missing', freeScope()), undefined);
    assert.equal(await source.stat('top/below', freeScope()), undefined);
  });
}

async function opens(rig: SourceRig): Promise<void> {
  await withSource(rig, TREE, async ({ source }) => {
    if (!source.open) return;
    const file = await source.open('top', freeScope());
    assert.deepEqual([file.entry.path, file.entry.size], ['top', BYTES.length]);
    for (const range of [{ start: 0 }, { start: 5, end: 70_000 }, { start: BYTES.length }]) {
      assert.ok(BYTES.subarray(range.start, range.end).equals(await collect(file.read(range))), JSON.stringify(range));
    }
    await file.close();
    await file.close();
  });
}

async function opensNothing(rig: SourceRig): Promise<void> {
  await withSource(rig, TREE, async ({ source }) => {
    if (!source.open) return;
    await assert.rejects(source.open('missing', freeScope()), isNotFound);
    await assert.rejects(source.open('d', freeScope()), XferError);
  });
}

async function closesWhileReading(rig: SourceRig): Promise<void> {
  await withSource(rig, TREE, async ({ source }) => {
    if (!source.open) return;
    const file = await source.open('top', freeScope());
    const stream = file.read({ start: 0 });
    stream.on('error', () => {}).resume();
    const closed = new Promise((resolve) => stream.once('close', resolve));
    await file.close();
    await closed;
    assert.ok(stream.destroyed);
  });
}

async function linkOut(rig: SourceRig): Promise<void> {
  const links: Fixture[] = [
    ...TREE,
    { path: 'up', kind: 'symlink', target: '../..' },
    { path: 'etc', kind: 'symlink', target: '/etc/hosts' },
    { path: 'loop', kind: 'symlink', target: 'loop' },
    { path: 'inside', kind: 'symlink', target: 'd/inner' },
  ];
  await withSource(rig, links, async ({ source }) => {
    if (!source.open) return;
    for (const path of ['up', 'etc', 'loop']) await assert.rejects(source.open(path, freeScope()), XferError, path);
    const file = await source.open('inside', freeScope());
    assert.equal((await collect(file.read({ start: 0 }))).length, 3);
    await file.close();
  });
}
