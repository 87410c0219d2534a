/** Chapter: what a source says is there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '#xfer/transport.js';
import { collectEntries, type Fixture, patternBytes } from '../support/fixtures.js';
import { chapter, freeScope, type SourceRig, TEST, withSource } from './rig.js';

const TREE: Fixture[] = [
  { path: 'empty', kind: 'directory' },
  { path: 'top.txt', bytes: patternBytes(10) },
  { path: 'a/b/deep.bin', bytes: patternBytes(1000) },
  { path: 'a/zero', bytes: Buffer.alloc(0) },
];

export function entriesChapter(rig: SourceRig): void {
  chapter('entries', () => {
    test('a file as the root is one entry without a path', TEST, () => oneFile(rig));
    test('a version stays while the file does', TEST, () => versions(rig));
    if (!rig.supports.tree) return;
    test('a tree comes whole, a directory before what is in it', TEST, () => wholeTree(rig));
    test('mode and mtime come where they are promised', TEST, () => metadata(rig));
    test('an empty directory is one entry', TEST, () =>
      withSource(rig, [{ path: '', kind: 'directory' }], async ({ source }) => {
        const found = await collectEntries(source, freeScope());
        assert.deepEqual([...found.values()].map(pathAndKind), [['', 'directory']]);
      }),
    );
  });
}

function pathAndKind(entry: Entry): [string, string] {
  return [entry.path, entry.kind];
}

async function oneFile(rig: SourceRig): Promise<void> {
  const bytes = patternBytes(1234);
  await withSource(rig, [{ path: '', bytes }], async ({ source }) => {
    const found = await collectEntries(source, freeScope());
    assert.deepEqual([...found.values()].map(pathAndKind), [['', 'file']]);
    assert.equal(found.get('')?.size, rig.supports.size ? bytes.length : undefined);
    assert.ok(source.name !== '' && !source.name.includes('/'), 'the name is one part');
    assert.ok(source.label !== '' && source.identity !== '');
  });
}

async function wholeTree(rig: SourceRig): Promise<void> {
  await withSource(rig, TREE, async ({ source }) => {
    const found = await collectEntries(source, freeScope());
    const order = [...found.keys()];
    assert.deepEqual([...order].sort(), ['', 'a', 'a/b', 'a/b/deep.bin', 'a/zero', 'empty', 'top.txt']);
    for (const path of order) {
      const above = path === '' ? undefined : path.slice(0, Math.max(0, path.lastIndexOf('/')));
      assert.ok(above === undefined || order.indexOf(above) < order.indexOf(path), `${above} comes before ${path}`);
    }
    assert.equal(found.get('a')?.kind, 'directory');
    assert.equal(found.get('a/zero')?.kind, 'file');
    if (rig.supports.size) assert.equal(found.get('a/b/deep.bin')?.size, 1000);
  });
}

async function versions(rig: SourceRig): Promise<void> {
  await withSource(rig, [{ path: '', bytes: patternBytes(500, 1) }], async ({ source }) => {
    const first = (await collectEntries(source, freeScope())).get('')?.version;
    if (!source.capabilities.replay || first === undefined) return;
    assert.equal((await collectEntries(source, freeScope())).get('')?.version, first);
  });
}

async function metadata(rig: SourceRig): Promise<void> {
  const mtimeMs = Date.UTC(2020, 1, 29, 12, 30, 15);
  const file = { path: 'f', bytes: patternBytes(5), mode: 0o640, mtimeMs };
  await withSource(rig, [file], async ({ source }) => {
    if (!source.capabilities.metadata) return;
    const entry = (await collectEntries(source, freeScope())).get('f');
    assert.equal(entry?.mode, 0o640);
    assert.equal(entry?.mtimeMs, mtimeMs);
  });
}
