/** Chapter: every name that a tree can hold arrives as it is, and no path leaves the root. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import { printable } from '#xfer/names.js';
import { collect, feed, patternBytes } from '../support/fixtures.js';
import { FINE_NAMES, type FineName, HOSTILE_PATHS } from '../support/hostile-names.js';
import {
  chapter,
  freeScope,
  type NamesCarried,
  type OpenedSink,
  type SinkRig,
  type SourceRig,
  TEST,
  withSink,
  withSource,
} from './rig.js';

export function sourceNamesChapter(rig: SourceRig): void {
  if (!rig.supports.tree) return;
  chapter('names of a source', () => {
    test('every name comes as it is, with its own bytes', TEST, () => sourceNames(rig));
    test('a path that leaves the root reads nothing', TEST, () => hostileReads(rig));
  });
}

export function sinkNamesChapter(rig: SinkRig): void {
  if (!rig.supports.tree) return;
  chapter('names of a sink', () => {
    test('every name arrives as it is, with its own bytes', TEST, () => sinkNames(rig));
    test('a name of 256 bytes is refused, and nothing is made', TEST, () => tooLong(rig));
    for (const path of HOSTILE_PATHS) {
      test(`${printable(path)} is refused, and nothing is made`, TEST, () => hostileWrite(rig, path));
    }
  });
}

function carried({ names, lineFeeds }: { names: NamesCarried; lineFeeds?: boolean }): readonly FineName[] {
  return FINE_NAMES.filter((fine) => names === 'bytes' || (names === 'text' && fine.needs === 'text')).filter(
    ({ name }) => lineFeeds !== false || !name.includes('\n'),
  );
}

function bytesFor(at: number): Buffer {
  return patternBytes(20 + at, at + 1);
}

async function sourceNames(rig: SourceRig): Promise<void> {
  const names = carried(rig.supports);
  const files = names.map(({ name }, at) => ({ path: `in ${at % 2}/${name}`, bytes: bytesFor(at) }));
  await withSource(rig, files, async ({ source }) => {
    const found = new Map<string, Buffer>();
    // Some sources can be read only as their entries come.
    for await (const entry of source.entries(freeScope())) {
      if (entry.kind !== 'file') continue;
      found.set(entry.path, await collect(await source.read(entry, { start: 0 }, freeScope())));
    }
    for (const { path, bytes } of files) {
      assert.deepEqual(
        found.get(path),
        bytes,
        `${printable(path)} is among ${printable([...found.keys()].join(', '))}`,
      );
    }
    assert.equal(found.size, files.length);
  });
}

async function hostileReads(rig: SourceRig): Promise<void> {
  await withSource(rig, [{ path: 'a/inside', bytes: patternBytes(5) }], async ({ source }) => {
    for (const path of HOSTILE_PATHS) {
      const read = async () => collect(await source.read({ path, kind: 'file' }, { start: 0 }, freeScope()));
      await assert.rejects(read(), XferError, printable(path));
      if (source.open) await assert.rejects(source.open(path, freeScope()), XferError, printable(path));
      const found = await source.stat?.(path, freeScope()).catch((error: unknown) => {
        assert.ok(error instanceof XferError, String(error));
        return undefined;
      });
      assert.equal(found, undefined, printable(path));
    }
  });
}

async function sinkNames(rig: SinkRig): Promise<void> {
  await withSink(rig, [], async ({ sink, list, read }) => {
    const names = carried(rig.supports);
    await sink.create({ path: 'in', kind: 'directory' }, freeScope());
    for (const [at, { name }] of names.entries()) {
      const bytes = bytesFor(at);
      await writeWhole(sink, `in/${name}`, bytes);
      assert.deepEqual(await read(`in/${name}`), bytes, printable(name));
      if (sink.capabilities.blind) continue;
      assert.equal((await sink.stat(`in/${name}`, freeScope()))?.kind, 'file', printable(name));
    }
    const expected = ['in', ...names.map(({ name }) => `in/${name}`)].sort();
    assert.deepEqual((await list()).sort(), expected);
  });
}

async function writeWhole(sink: OpenedSink['sink'], path: string, bytes: Buffer): Promise<void> {
  const entry = { path, kind: 'file', size: bytes.length, version: 'one' } as const;
  const draft = await sink.draft(entry, freeScope());
  await feed(await draft.write(0, freeScope()), bytes);
  await draft.commit(entry, freeScope());
}

async function tooLong(rig: SinkRig): Promise<void> {
  await withSink(rig, [], async ({ sink, list }) => {
    await assert.rejects(writeWhole(sink, 'x'.repeat(256), Buffer.from('abc')), XferError);
    assert.deepEqual(await list(), []);
  });
}

async function hostileWrite(rig: SinkRig, path: string): Promise<void> {
  await withSink(rig, [{ path: 'a/inside', bytes: patternBytes(5) }], async ({ sink, list, outside }) => {
    const before = (await list()).sort();
    const beside = await outside?.();
    const scope = freeScope();
    await assert.rejects(sink.draft({ path, kind: 'file', size: 1, version: 'one' }, scope), refused, 'draft');
    await assert.rejects(sink.create({ path, kind: 'directory' }, scope), refused, 'create');
    await assert.rejects(sink.create({ path, kind: 'symlink', target: 'a' }, scope), XferError, 'create a link');
    assert.deepEqual((await list()).sort(), before);
    assert.deepEqual(await outside?.(), beside);
  });
}

function refused(error: unknown): boolean {
  assert.ok(error instanceof XferError, String(error));
  assert.ok(error.code === 'UNSAFE_PATH' || error.code === 'USAGE', `${error.code}: ${error.message}`);
  return true;
}
