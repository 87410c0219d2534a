/** Chapter: directories and links that a sink makes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import { patternBytes } from '../support/fixtures.js';
import { chapter, freeScope, type SinkRig, TEST, withSink } from './rig.js';

export function directoriesChapter(rig: SinkRig): void {
  if (!rig.supports.tree) return;
  chapter('directories', () => {
    test('a directory is made, and left as it is the second time', TEST, () => makesDirectories(rig));
    test('a file in the place of a directory is EXISTS', TEST, () => fileInTheWay(rig));
    test('a directory in the place of a file is EXISTS, and stays', TEST, () => directoryInTheWay(rig));
    test('finish sets mode and mtime of a directory', TEST, () => finishes(rig));
    if (!rig.supports.links) return;
    test('a link is made as it is stated', TEST, () => makesLinks(rig));
    if (rig.supports.confined) test('a link out of the root is never written through', TEST, () => writesThrough(rig));
  });
}

const isExists = (error: unknown) => error instanceof XferError && error.code === 'EXISTS';

async function makesDirectories(rig: SinkRig): Promise<void> {
  await withSink(rig, [{ path: 'old/kept', bytes: patternBytes(3) }], async ({ sink, list }) => {
    for (const path of ['new', 'new/inner', 'new', 'old', '']) {
      await sink.create({ path, kind: 'directory' }, freeScope());
    }
    assert.deepEqual((await list()).sort(), ['new', 'new/inner', 'old', 'old/kept']);
    if (sink.capabilities.blind) return;
    assert.equal((await sink.stat('new/inner', freeScope()))?.kind, 'directory');
    assert.equal(await sink.stat('missing', freeScope()), undefined);
    assert.equal(await sink.stat('old/kept/below', freeScope()), undefined);
  });
}

async function fileInTheWay(rig: SinkRig): Promise<void> {
  const bytes = patternBytes(3);
  await withSink(rig, [{ path: 'taken', bytes }], async ({ sink, read }) => {
    await assert.rejects(sink.create({ path: 'taken', kind: 'directory' }, freeScope()), isExists);
    assert.deepEqual(await read('taken'), bytes);
  });
}

async function directoryInTheWay(rig: SinkRig): Promise<void> {
  await withSink(rig, [{ path: 'taken/inside', bytes: patternBytes(3) }], async ({ sink, list }) => {
    const entry = { path: 'taken', kind: 'file', size: 0, version: 'v1' } as const;
    const replace = async () => {
      const draft = await sink.draft(entry, freeScope());
      await draft.commit(entry, freeScope()).catch(async (error: unknown) => {
        await draft.discard();
        throw error;
      });
    };
    await assert.rejects(replace(), isExists);
    assert.deepEqual((await list()).sort(), ['taken', 'taken/inside']);
  });
}

async function finishes(rig: SinkRig): Promise<void> {
  const directory = { path: 'd', kind: 'directory', mode: 0o750, mtimeMs: Date.UTC(2018, 2, 3, 4, 5, 6) } as const;
  await withSink(rig, [], async ({ sink }) => {
    if (!sink.finish || sink.capabilities.blind) return;
    await sink.create(directory, freeScope());
    await sink.finish(directory, freeScope());
    const there = await sink.stat('d', freeScope());
    assert.deepEqual([there?.mode, there?.mtimeMs], [directory.mode, directory.mtimeMs]);
  });
}

async function makesLinks(rig: SinkRig): Promise<void> {
  await withSink(rig, [{ path: 'real', bytes: patternBytes(3) }], async ({ sink, list, read }) => {
    for (const [path, target] of [
      ['link', 'real'],
      ['dangling', 'nowhere/at all'],
    ] as const) {
      await sink.create({ path, kind: 'symlink', target }, freeScope());
    }
    assert.deepEqual((await list()).sort(), ['dangling', 'link', 'real']);
    assert.deepEqual(await read('link'), patternBytes(3));
    await assert.rejects(sink.create({ path: 'real', kind: 'symlink', target: 'x' }, freeScope()), isExists);
  });
}

async function writesThrough(rig: SinkRig): Promise<void> {
  await withSink(rig, [{ path: 'out', kind: 'symlink', target: '..' }], async ({ sink, list, outside }) => {
    const beside = await outside?.();
    const entry = { path: 'out/escaped', kind: 'file', size: 0, version: 'v1' } as const;
    await assert.rejects(sink.draft(entry, freeScope()), (error) => {
      assert.ok(error instanceof XferError && error.code === 'UNSAFE_PATH', String(error));
      return true;
    });
    await assert.rejects(sink.create({ path: 'out/made', kind: 'directory' }, freeScope()), XferError);
    assert.deepEqual(await outside?.(), beside);
    assert.deepEqual(await list(), ['out']);
  });
}
