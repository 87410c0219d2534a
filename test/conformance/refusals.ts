/** Chapter: what a transport says it cannot do is refused, never done halfway without a word. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import type { Source } from '#xfer/transport.js';
import { collect, patternBytes, rootEntry } from '../support/fixtures.js';
import { chapter, filePath, freeScope, type SinkRig, type SourceRig, TEST, withSink, withSource } from './rig.js';

export function sourceRefusalsChapter(rig: SourceRig): void {
  chapter('refusals of a source', () => {
    test('it can do what the rig says, no more and no less', TEST, () =>
      withRoot(rig, async ({ capabilities }) => assert.deepEqual({ ...capabilities }, rig.capabilities)),
    );
    test('without ranges, a start inside the file is refused', TEST, () =>
      withRoot(rig, async (source, read) => {
        if (!source.capabilities.ranges) await assert.rejects(read(1), XferError);
      }),
    );
    test('without replay, a second read is refused', TEST, () =>
      withRoot(rig, async (source, read) => {
        if (source.capabilities.replay) return;
        await read(0);
        await assert.rejects(read(0), XferError);
      }),
    );
    test('a read of what is not there is NOT_FOUND', TEST, () => missing(rig));
  });
}

export function sinkRefusalsChapter(rig: SinkRig): void {
  chapter('refusals of a sink', () => {
    test('it can do what the rig says, no more and no less', TEST, () =>
      withSink(rig, [], async ({ sink }) => assert.deepEqual({ ...sink.capabilities }, rig.capabilities)),
    );
    test('without offsets, a write elsewhere is refused', TEST, () => elsewhere(rig));
    test('without resume, a draft holds nothing', TEST, () => nothingHeld(rig));
    test('without directories or links, create is refused', TEST, () => noCreate(rig));
  });
}

type Run = (source: Source, read: (start: number) => Promise<Buffer>) => Promise<void>;

async function withRoot(rig: SourceRig, run: Run): Promise<void> {
  await withSource(rig, [{ path: '', bytes: patternBytes(1000) }], async ({ source }) => {
    const entry = await rootEntry(source, freeScope());
    await run(source, async (start) => collect(await source.read(entry, { start }, freeScope())));
  });
}

async function missing(rig: SourceRig): Promise<void> {
  if (!rig.supports.tree) return;
  await withSource(rig, [{ path: 'here', bytes: patternBytes(3) }], async ({ source }) => {
    const read = async () => collect(await source.read({ path: 'gone', kind: 'file' }, { start: 0 }, freeScope()));
    await assert.rejects(read(), (error) => error instanceof XferError && error.code === 'NOT_FOUND');
  });
}

async function elsewhere(rig: SinkRig): Promise<void> {
  await withSink(rig, [], async ({ sink }) => {
    const draft = await sink.draft({ path: filePath(rig), kind: 'file', size: 10, version: 'v' }, freeScope());
    if (!sink.capabilities.offsets) await assert.rejects(draft.write(5, freeScope()), XferError);
    await draft.discard();
  });
}

async function nothingHeld(rig: SinkRig): Promise<void> {
  const entry = { path: filePath(rig), kind: 'file', size: 10, version: 'v' } as const;
  await withSink(rig, [], async ({ sink, reopen }) => {
    if (sink.capabilities.resume) return;
    await (await sink.draft(entry, freeScope())).suspend();
    await sink.close();
    const again = await (await reopen()).draft(entry, freeScope());
    assert.deepEqual(again.held, []);
    await again.discard();
  });
}

async function noCreate(rig: SinkRig): Promise<void> {
  await withSink(rig, [], async ({ sink, list }) => {
    const before = rig.supports.tree ? await list() : [];
    if (!rig.supports.tree) await assert.rejects(sink.create({ path: 'd', kind: 'directory' }, freeScope()), XferError);
    const link = { path: 'l', kind: 'symlink', target: 'x' } as const;
    if (!rig.supports.links) await assert.rejects(sink.create(link, freeScope()), XferError);
    if (rig.supports.tree) assert.deepEqual(await list(), before);
  });
}
