/** Chapter: what a draft holds survives the process that wrote it, for the same version only. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ByteRange, Draft, Entry, Sink } from '#xfer/transport.js';
import { feed, patternBytes } from '../support/fixtures.js';
import { chapter, filePath, freeScope, type SinkRig, TEST, withSink } from './rig.js';

const SIZE = 131_073;
const CUTS: readonly number[] = [0, 1, SIZE >> 1, SIZE - 1, SIZE];

export function resumeChapter(rig: SinkRig): void {
  chapter('resume', () => {
    for (const cut of CUTS) {
      test(`${cut} of ${SIZE} bytes held, the same version`, TEST, () => sameVersion(rig, cut));
      test(`${cut} of ${SIZE} bytes held, another version`, TEST, () => otherVersion(rig, cut));
      test(`${cut} of ${SIZE} bytes held, cut off without a word`, TEST, () => crashed(rig, cut));
    }
    test('without a version nothing is kept', TEST, () => noVersion(rig));
    test('a suspended draft has not got the name', TEST, () => noNameYet(rig));
    test('discard after a resume removes it for good', TEST, () => discardedLater(rig));
  });
}

function entryFor(rig: SinkRig, version: string): Entry {
  return { path: filePath(rig), kind: 'file', size: SIZE, version };
}

async function begin(sink: Sink, entry: Entry, bytes: Buffer): Promise<Draft> {
  const draft = await sink.draft(entry, freeScope());
  if (bytes.length > 0) await feed(await draft.write(0, freeScope()), bytes);
  return draft;
}

/** Number of bytes held; fails where they are not in order, overlap or reach over `most`. */
function heldBytes(held: readonly ByteRange[], most: number): number {
  let total = 0;
  let last = 0;
  for (const { start, end } of held) {
    assert.ok(end !== undefined && start >= last && end >= start && end <= most, JSON.stringify(held));
    total += end - start;
    last = end;
  }
  return total;
}

/** Writes what is not held and commits. */
async function complete(draft: Draft, entry: Entry, bytes: Buffer): Promise<void> {
  let at = 0;
  for (const { start, end } of [...draft.held, { start: bytes.length, end: bytes.length }]) {
    if (start > at) await feed(await draft.write(at, freeScope()), bytes.subarray(at, start));
    at = Math.max(at, end ?? bytes.length);
  }
  await draft.commit(entry, freeScope());
}

async function sameVersion(rig: SinkRig, cut: number): Promise<void> {
  const bytes = patternBytes(SIZE, cut + 1);
  const entry = entryFor(rig, 'v1');
  await withSink(rig, [], async ({ sink, reopen, read, list }) => {
    if (!sink.capabilities.resume) return;
    await (await begin(sink, entry, bytes.subarray(0, cut))).suspend();
    await sink.close();
    const again = await (await reopen()).draft(entry, freeScope());
    assert.equal(heldBytes(again.held, cut), cut, 'what was acknowledged is still held');
    await complete(again, entry, bytes);
    assert.ok(bytes.equals((await read(entry.path)) as Buffer));
    if (rig.supports.tree) assert.deepEqual(await list(), [entry.path]);
  });
}

async function otherVersion(rig: SinkRig, cut: number): Promise<void> {
  const bytes = patternBytes(SIZE, cut + 7);
  const entry = entryFor(rig, 'v2');
  await withSink(rig, [], async ({ sink, reopen, read }) => {
    await (await begin(sink, entryFor(rig, 'v1'), patternBytes(cut, 99))).suspend();
    if (!sink.capabilities.resume) return;
    await sink.close();
    const again = await (await reopen()).draft(entry, freeScope());
    assert.equal(heldBytes(again.held, 0), 0, 'bytes of another version are never held');
    await complete(again, entry, bytes);
    assert.ok(bytes.equals((await read(entry.path)) as Buffer));
  });
}

async function crashed(rig: SinkRig, cut: number): Promise<void> {
  const bytes = patternBytes(SIZE, cut + 3);
  const entry = entryFor(rig, 'v1');
  await withSink(rig, [], async ({ sink, reopen, read }) => {
    if (!sink.capabilities.resume) return;
    const lost = await begin(sink, entry, bytes.subarray(0, cut));
    const again = await (await reopen()).draft(entry, freeScope());
    heldBytes(again.held, cut);
    await complete(again, entry, bytes);
    assert.ok(bytes.equals((await read(entry.path)) as Buffer));
    await lost.suspend().catch(() => {});
  });
}

async function noVersion(rig: SinkRig): Promise<void> {
  const entry: Entry = { path: filePath(rig), kind: 'file', size: SIZE };
  await withSink(rig, [], async ({ sink, reopen, list }) => {
    await (await begin(sink, entry, patternBytes(1000))).suspend();
    if (!sink.capabilities.resume) return;
    if (rig.supports.tree) assert.deepEqual(await list(), []);
    const again = await (await reopen()).draft(entry, freeScope());
    assert.deepEqual(again.held, []);
    await again.discard();
  });
}

async function noNameYet(rig: SinkRig): Promise<void> {
  const entry = entryFor(rig, 'v1');
  await withSink(rig, [], async ({ sink, reopen, read }) => {
    const draft = await begin(sink, entry, patternBytes(SIZE));
    await draft.suspend();
    if (!sink.capabilities.resume) return;
    assert.equal(await read(entry.path), undefined);
    await (await (await reopen()).draft(entry, freeScope())).discard();
  });
}

async function discardedLater(rig: SinkRig): Promise<void> {
  const entry = entryFor(rig, 'v1');
  await withSink(rig, [], async ({ sink, reopen, list }) => {
    await (await begin(sink, entry, patternBytes(1000))).suspend();
    if (!sink.capabilities.resume) return;
    await (await (await reopen()).draft(entry, freeScope())).discard();
    if (rig.supports.tree) assert.deepEqual(await list(), []);
    const again = await sink.draft(entry, freeScope());
    assert.deepEqual(again.held, []);
    await again.discard();
  });
}
