/** Chapter: a draft that is written in pieces, in any order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { patternBytes } from '../support/fixtures.js';
import { entryFor, rejectsWith, SIZE, withDraft, write } from './draft.js';
import { chapter, freeScope, type SinkRig, TEST } from './rig.js';

export function offsetsChapter(rig: SinkRig): void {
  chapter('offsets of a draft', () => {
    test('ranges may be written in any order where offsets are promised', TEST, () => anyOrder(rig));
    test('a hole is never committed', TEST, () => hole(rig));
    test('several writes at once where that is promised', TEST, () => parallelWrites(rig));
  });
}

async function anyOrder(rig: SinkRig): Promise<void> {
  const bytes = patternBytes(SIZE);
  const entry = entryFor(rig, SIZE);
  await withDraft(rig, entry, [], async (draft, { sink, read }) => {
    if (!sink.capabilities.offsets) return draft.discard();
    await write(draft, 100_000, bytes.subarray(100_000));
    await write(draft, 50_000, bytes.subarray(50_000, 100_000));
    await write(draft, 0, bytes.subarray(0, 50_000));
    await draft.commit(entry, freeScope());
    assert.ok(bytes.equals((await read(entry.path)) as Buffer));
  });
}

async function hole(rig: SinkRig): Promise<void> {
  const bytes = patternBytes(SIZE);
  const entry = entryFor(rig, SIZE);
  await withDraft(rig, entry, [], async (draft, { sink, read }) => {
    if (!sink.capabilities.offsets) return draft.discard();
    await write(draft, 0, bytes.subarray(0, 10));
    await write(draft, 20, bytes.subarray(20, 30));
    await assert.rejects(draft.commit(entry, freeScope()), rejectsWith('TRUNCATED'));
    if (sink.capabilities.atomic) assert.equal(await read(entry.path), undefined);
    await draft.discard();
  });
}

async function parallelWrites(rig: SinkRig): Promise<void> {
  const bytes = patternBytes(SIZE);
  const entry = entryFor(rig, SIZE);
  await withDraft(rig, entry, [], async (draft, { sink, read }) => {
    if (!sink.capabilities.offsets || !sink.capabilities.parallel) return draft.discard();
    const starts = [100_000, 0, 50_000];
    await Promise.all(
      starts.map((start) => write(draft, start, bytes.subarray(start, Math.min(start + 50_000, SIZE)))),
    );
    await write(draft, 150_000, bytes.subarray(150_000));
    await draft.commit(entry, freeScope());
    assert.ok(bytes.equals((await read(entry.path)) as Buffer));
  });
}
