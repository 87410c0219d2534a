/** Chapter: an aborted signal rejects with its own reason, at any moment, and frees what was held. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import type { Entry } from '#xfer/transport.js';
import { collect, collectEntries, feed, patternBytes, whenClosed } from '../support/fixtures.js';
import { chapter, filePath, freeScope, type SinkRig, type SourceRig, TEST, withSink, withSource } from './rig.js';

const SIZE = 4_000_000;

interface Stopper {
  /** Aborts, and destroys a stream as the engine's pump does, for which the owner of a stream is its reader. */
  stop(stream?: Readable | Writable): void;
  readonly signal: AbortSignal;
  isReason(error: unknown): boolean;
}

/** A stop that is told apart from every other error. */
function stopper(): Stopper {
  const controller = new AbortController();
  const reason = new Error('stopped by the test');
  return {
    stop(stream) {
      controller.abort(reason);
      stream?.destroy(reason);
    },
    signal: controller.signal,
    isReason(error) {
      assert.equal(error, reason);
      return true;
    },
  };
}

export function sourceAbortChapter(rig: SourceRig): void {
  chapter('abort of a source', () => {
    test('before anything: entries and read reject', TEST, () => beforeReading(rig));
    test('after the first byte', TEST, () => whileReading(rig, 1));
    test('in the middle', TEST, () => whileReading(rig, SIZE >> 1));
    test('while nobody reads', TEST, () => whileNobodyReads(rig));
    test('twice, and after the end, does nothing more', TEST, () => afterReading(rig));
  });
}

export function sinkAbortChapter(rig: SinkRig): void {
  chapter('abort of a sink', () => {
    test('before anything: stat, create and draft reject', TEST, () => beforeWriting(rig));
    test('before the first byte of a write', TEST, () => whileWriting(rig, 0));
    test('after the first byte', TEST, () => whileWriting(rig, 1));
    test('in the middle, twice', TEST, () => whileWriting(rig, SIZE >> 1));
    test('before commit: rejects, and the name is absent', TEST, () => beforeCommit(rig));
    test('while committing: whole or absent', TEST, () => whileCommitting(rig));
  });
}

async function rootEntry(source: { entries: Parameters<typeof collectEntries>[0]['entries'] }): Promise<Entry> {
  for await (const entry of source.entries(freeScope())) return entry;
  throw new Error('the source has no entry');
}

async function beforeReading(rig: SourceRig): Promise<void> {
  await withSource(rig, [{ path: '', bytes: patternBytes(1000) }], async ({ source }) => {
    const entry = await rootEntry(source);
    const { stop, signal, isReason } = stopper();
    stop();
    await assert.rejects(collectEntries(source, { signal }), isReason, 'entries');
    await assert.rejects(source.read(entry, { start: 0 }, { signal }), isReason, 'read');
    if (source.stat) await assert.rejects(source.stat('', { signal }), isReason, 'stat');
    if (source.open) await assert.rejects(source.open('', { signal }), isReason, 'open');
    if (source.digest) await assert.rejects(source.digest(entry, 'sha256', { signal }), isReason, 'digest');
  });
}

async function whileReading(rig: SourceRig, after: number): Promise<void> {
  const bytes = patternBytes(SIZE);
  await withSource(rig, [{ path: '', bytes }], async ({ source }) => {
    const { stop, signal, isReason } = stopper();
    const stream = await source.read(await rootEntry(source), { start: 0 }, { signal });
    let got = 0;
    const reading = (async () => {
      for await (const chunk of stream) {
        assert.ok(bytes.subarray(got, got + chunk.length).equals(chunk as Buffer), 'the prefix is right');
        got += chunk.length;
        if (got >= after) stop(stream);
      }
    })();
    await assert.rejects(reading, isReason);
    assert.ok(got < SIZE || after >= SIZE, 'not all came');
    assert.ok(stream.destroyed);
    if (!source.capabilities.replay) return;
    const again = await source.read(await rootEntry(source), { start: 0 }, freeScope());
    assert.ok(bytes.equals(await collect(again)), 'the source is still of use');
  });
}

async function whileNobodyReads(rig: SourceRig): Promise<void> {
  await withSource(rig, [{ path: '', bytes: patternBytes(SIZE) }], async ({ source }) => {
    const { stop, signal, isReason } = stopper();
    const stream: Readable = await source.read(await rootEntry(source), { start: 0 }, { signal });
    const closed = whenClosed(stream);
    stop(stream);
    await assert.rejects(closed, isReason);
  });
}

async function afterReading(rig: SourceRig): Promise<void> {
  const bytes = patternBytes(1000);
  await withSource(rig, [{ path: '', bytes }], async ({ source }) => {
    const { stop, signal } = stopper();
    const stream = await source.read(await rootEntry(source), { start: 0 }, { signal });
    assert.ok(bytes.equals(await collect(stream)));
    if (!stream.closed) await once(stream, 'close');
    stop(stream);
    stop();
    assert.equal(stream.errored, null);
  });
}

function entryFor(rig: SinkRig): Entry {
  return { path: filePath(rig), kind: 'file', size: SIZE, version: 'v1' };
}

async function beforeWriting(rig: SinkRig): Promise<void> {
  await withSink(rig, [], async ({ sink, list }) => {
    const { stop, signal, isReason } = stopper();
    stop();
    await assert.rejects(sink.draft(entryFor(rig), { signal }), isReason, 'draft');
    if (!rig.supports.tree) return;
    await assert.rejects(sink.stat(filePath(rig), { signal }), isReason, 'stat');
    await assert.rejects(sink.create({ path: 'd', kind: 'directory' }, { signal }), isReason, 'create');
    assert.deepEqual(await list(), []);
  });
}

async function whileWriting(rig: SinkRig, after: number): Promise<void> {
  const bytes = patternBytes(SIZE);
  await withSink(rig, [], async ({ sink, list, read }) => {
    const { stop, signal, isReason } = stopper();
    const draft = await sink.draft(entryFor(rig), freeScope());
    const stream = await draft.write(0, { signal });
    const closed = whenClosed(stream);
    if (after > 0) stream.write(bytes.subarray(0, after));
    stop(stream);
    stop(stream);
    await assert.rejects(closed, isReason);
    await assert.rejects(draft.write(0, { signal }), isReason, 'another write');
    await draft.discard();
    if (!sink.capabilities.atomic) return;
    assert.equal(await read(filePath(rig)), undefined);
    if (rig.supports.tree) assert.deepEqual(await list(), []);
  });
}

async function beforeCommit(rig: SinkRig): Promise<void> {
  await withSink(rig, [], async ({ sink, read }) => {
    const { stop, signal, isReason } = stopper();
    const draft = await sink.draft(entryFor(rig), freeScope());
    await feed(await draft.write(0, freeScope()), patternBytes(SIZE));
    stop();
    await assert.rejects(draft.commit(entryFor(rig), { signal }), isReason);
    if (sink.capabilities.atomic) assert.equal(await read(filePath(rig)), undefined);
    await draft.discard();
  });
}

async function whileCommitting(rig: SinkRig): Promise<void> {
  const bytes = patternBytes(SIZE);
  await withSink(rig, [], async ({ sink, read, list }) => {
    const { stop, signal, isReason } = stopper();
    const draft = await sink.draft(entryFor(rig), freeScope());
    await feed(await draft.write(0, freeScope()), bytes);
    const committing = draft.commit(entryFor(rig), { signal });
    stop();
    const failed = await committing.then(
      () => false,
      (error: unknown) => isReason(error),
    );
    if (failed) await draft.discard();
    const there = await read(filePath(rig));
    if (!sink.capabilities.atomic) return;
    assert.ok(there === undefined ? failed : bytes.equals(there), 'whole or absent');
    if (rig.supports.tree) assert.deepEqual(await list(), there ? [filePath(rig)] : []);
  });
}
