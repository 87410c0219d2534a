/** Chapter: a file on its way in has no name until it is whole. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import type { Draft, Entry } from '#xfer/transport.js';
import { type Fixture, feed, hexDigest, patternBytes } from '../support/fixtures.js';
import { chapter, filePath, freeScope, type OpenedSink, type SinkRig, TEST, withSink } from './rig.js';

export const SIZE = 150_001;

export function draftChapter(rig: SinkRig): void {
  chapter('draft', () => {
    test('a file arrives byte for byte, and nothing beside it', TEST, () => arrives(rig, patternBytes(SIZE)));
    test('a small file put at once is whole, alone, and keeps the mode of the one it replaces', TEST, () => puts(rig));
    test('a small file is not put over a directory, and leaves nothing', TEST, () => putsNotOverDirectory(rig));
    test('an empty file arrives, with a write or without', TEST, () => emptyFiles(rig));
    test('the name is absent, or the old file whole, until commit', TEST, () => absentBeforeCommit(rig));
    test('a longer file that was there is replaced whole', TEST, () => replaces(rig));
    test('a commit that may not replace leaves alone what was faster', TEST, () => exclusive(rig));
    test('discard leaves nothing of it', TEST, () => discards(rig));
    test('fewer bytes than stated are TRUNCATED and get no name', TEST, () => wrongSize(rig, SIZE - 1));
    test('no byte of a stated many is TRUNCATED and gets no name', TEST, () => wrongSize(rig, 0));
    test('more bytes than stated get no name', TEST, () => tooMany(rig));
    test('a size that is not known before the end', TEST, () => unknownSize(rig));
    test('the digest is of what the far side holds', TEST, () => digest(rig));
    test('mode and mtime are set where that is promised', TEST, () => metadata(rig));
    test('without a stated mode, a file that is replaced keeps its own', TEST, () => keepsMode(rig));
    test('a sink that can resume says what the far side holds, to the byte', TEST, () => acknowledges(rig));
  });
}

async function exclusive(rig: SinkRig): Promise<void> {
  const entry = entryFor(rig, 10);
  const [mine, other] = [patternBytes(10, 1), patternBytes(10, 2)];
  await withDraft(rig, entry, [], async (draft, { sink, read, list }) => {
    if (!sink.capabilities.exclusive) return draft.discard();
    await write(draft, 0, mine);
    const faster = await sink.draft({ ...entry, version: 'another' }, freeScope());
    await write(faster, 0, other);
    await faster.commit(entry, freeScope(), false);
    await assert.rejects(draft.commit(entry, freeScope(), false), rejectsWith('EXISTS'));
    await draft.discard();
    assert.deepEqual(await read(entry.path), other);
    assert.equal((await list()).length, 1);
  });
}

export function entryFor(rig: SinkRig, size: number): Entry {
  return { path: filePath(rig), kind: 'file', size, version: `v${size}`, mode: 0o644, mtimeMs: 1_600_000_000_000 };
}

export async function write(draft: Draft, start: number, bytes: Buffer): Promise<void> {
  await feed(await draft.write(start, freeScope()), bytes);
}

/** Starts a draft, hands it on, and discards it where `run` failed, so that a failure is not also a leak. */
export async function withDraft(
  rig: SinkRig,
  entry: Entry,
  existing: readonly Fixture[],
  run: (draft: Draft, opened: OpenedSink) => Promise<void>,
): Promise<void> {
  await withSink(rig, existing, async (opened) => {
    const draft = await opened.sink.draft(entry, freeScope());
    try {
      await run(draft, opened);
    } catch (error) {
      await draft.discard().catch(() => {});
      throw error;
    }
  });
}

export function rejectsWith(...codes: string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof XferError, String(error));
    assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
    return true;
  };
}

async function arrives(rig: SinkRig, bytes: Buffer): Promise<void> {
  const entry = entryFor(rig, bytes.length);
  await withDraft(rig, entry, [], async (draft, { read, list }) => {
    assert.deepEqual(draft.held, [], 'a new draft holds nothing');
    await write(draft, 0, bytes);
    await draft.commit(entry, freeScope());
    assert.ok(bytes.equals((await read(entry.path)) ?? Buffer.of(0)));
    if (rig.supports.tree) assert.deepEqual(await list(), [entry.path]);
  });
}

async function puts(rig: SinkRig): Promise<void> {
  for (const size of [0, 1, 60_000]) {
    for (const exact of [false, true]) await putsOne(rig, size, exact);
  }
}

async function putsOne(rig: SinkRig, size: number, exact: boolean): Promise<void> {
  const entry = entryFor(rig, size);
  const old: Fixture = { path: entry.path, bytes: patternBytes(size + 100), mode: 0o640 };
  await withSink(rig, [old], async ({ sink, read, list }) => {
    if (!sink.put) return;
    await sink.put(entry, patternBytes(size), exact, freeScope());
    assert.ok(patternBytes(size).equals((await read(entry.path)) ?? Buffer.of(0)), `${size} bytes`);
    if (rig.supports.tree) assert.deepEqual(await list(), [entry.path]);
    const found = await sink.stat(entry.path, freeScope());
    if (process.platform !== 'win32' && sink.capabilities.metadata) assert.equal(found?.mode, exact ? 0o644 : 0o640);
    if (exact) assert.equal(found?.mtimeMs, entry.mtimeMs);
  });
}

async function putsNotOverDirectory(rig: SinkRig): Promise<void> {
  if (!rig.supports.tree) return;
  const entry = entryFor(rig, 10);
  await withSink(rig, [{ path: `${entry.path}/kept`, bytes: patternBytes(5) }], async ({ sink, list }) => {
    if (!sink.put) return;
    const before = (await list()).sort();
    await assert.rejects(sink.put(entry, patternBytes(10), false, freeScope()), rejectsWith('EXISTS'));
    assert.deepEqual((await list()).sort(), before);
  });
}

async function emptyFiles(rig: SinkRig): Promise<void> {
  const entry = entryFor(rig, 0);
  for (const withWrite of [true, false]) {
    await withDraft(rig, entry, [], async (draft, { read }) => {
      if (withWrite) await write(draft, 0, Buffer.alloc(0));
      await draft.commit(entry, freeScope());
      assert.equal((await read(entry.path))?.length, 0, withWrite ? 'with a write' : 'without a write');
    });
  }
}

async function absentBeforeCommit(rig: SinkRig): Promise<void> {
  const bytes = patternBytes(SIZE);
  const entry = entryFor(rig, SIZE);
  const old = patternBytes(100, 9);
  for (const existing of rig.supports.tree ? [[], [{ path: entry.path, bytes: old }]] : [[]]) {
    await withDraft(rig, entry, existing, async (draft, { sink, read }) => {
      if (!sink.capabilities.atomic) return draft.discard();
      await write(draft, 0, bytes.subarray(0, 70_000));
      assert.deepEqual(await read(entry.path), existing[0]?.bytes);
      if (existing.length === 0) assert.equal(await sink.stat(entry.path, freeScope()), undefined);
      await draft.discard();
      assert.deepEqual(await read(entry.path), existing[0]?.bytes);
    });
  }
}

async function replaces(rig: SinkRig): Promise<void> {
  if (!rig.supports.tree) return;
  const bytes = patternBytes(1000, 3);
  const entry = entryFor(rig, bytes.length);
  const existing = [{ path: entry.path, bytes: patternBytes(SIZE, 4) }];
  await withDraft(rig, entry, existing, async (draft, { read, list }) => {
    await write(draft, 0, bytes);
    await draft.commit(entry, freeScope());
    assert.ok(bytes.equals((await read(entry.path)) as Buffer));
    assert.deepEqual(await list(), [entry.path]);
  });
}

async function discards(rig: SinkRig): Promise<void> {
  const entry = entryFor(rig, SIZE);
  for (const bytes of [Buffer.alloc(0), patternBytes(SIZE - 1), patternBytes(SIZE)]) {
    await withDraft(rig, entry, [], async (draft, { sink, list, read }) => {
      if (bytes.length > 0) await write(draft, 0, bytes);
      await draft.discard();
      if (!sink.capabilities.atomic) return;
      assert.deepEqual(rig.supports.tree ? await list() : [], []);
      assert.equal(await read(entry.path), undefined);
    });
  }
}

async function wrongSize(rig: SinkRig, written: number): Promise<void> {
  const entry = entryFor(rig, SIZE);
  await withDraft(rig, entry, [], async (draft, { sink, read, list }) => {
    await write(draft, 0, patternBytes(written));
    await assert.rejects(draft.commit(entry, freeScope()), rejectsWith('TRUNCATED'));
    if (sink.capabilities.atomic) assert.equal(await read(entry.path), undefined);
    await draft.discard();
    if (sink.capabilities.atomic && rig.supports.tree) assert.deepEqual(await list(), []);
  });
}

async function tooMany(rig: SinkRig): Promise<void> {
  const entry = entryFor(rig, SIZE);
  await withDraft(rig, entry, [], async (draft, { sink, read }) => {
    const overfill = async () => {
      await write(draft, 0, patternBytes(SIZE + 5));
      await draft.commit(entry, freeScope());
    };
    await assert.rejects(overfill(), rejectsWith('TRUNCATED', 'CORRUPT', 'SOURCE_CHANGED', 'PROTOCOL', 'DISCONNECTED'));
    if (sink.capabilities.atomic) assert.equal(await read(entry.path), undefined);
    await draft.discard();
  });
}

async function unknownSize(rig: SinkRig): Promise<void> {
  const bytes = patternBytes(12_345);
  const entry: Entry = { path: filePath(rig), kind: 'file' };
  if (rig.supports.unknownSize === false) {
    const start = withSink(rig, [], async ({ sink }) => void (await sink.draft(entry, freeScope())));
    await assert.rejects(start, rejectsWith('UNSUPPORTED'));
    return;
  }
  await withDraft(rig, entry, [], async (draft, { read }) => {
    await write(draft, 0, bytes);
    await draft.commit(entry, freeScope());
    assert.ok(bytes.equals((await read(entry.path)) ?? Buffer.of(0)));
  });
}

async function digest(rig: SinkRig): Promise<void> {
  const bytes = patternBytes(SIZE);
  await withDraft(rig, entryFor(rig, SIZE), [], async (draft) => {
    await write(draft, 0, bytes);
    if (draft.digest) assert.equal((await draft.digest('sha256', freeScope())).hex, hexDigest(bytes));
    await draft.discard();
  });
}

async function metadata(rig: SinkRig): Promise<void> {
  const entry = { ...entryFor(rig, 3), mode: 0o640, mtimeMs: Date.UTC(2019, 4, 6, 7, 8, 9) };
  await withDraft(rig, entry, [], async (draft, { sink }) => {
    await write(draft, 0, Buffer.from('abc'));
    await draft.commit(entry, freeScope());
    if (!sink.capabilities.metadata || sink.capabilities.blind) return;
    const there = await sink.stat(entry.path, freeScope());
    assert.equal(there?.mode, entry.mode);
    assert.equal(there?.mtimeMs, entry.mtimeMs);
  });
}

async function keepsMode(rig: SinkRig): Promise<void> {
  if (!rig.supports.tree) return;
  const entry: Entry = { path: filePath(rig), kind: 'file', size: 3, version: 'v1' };
  await withDraft(
    rig,
    entry,
    [{ path: entry.path, bytes: Buffer.from('old'), mode: 0o600 }],
    async (draft, { sink }) => {
      await write(draft, 0, Buffer.from('new'));
      await draft.commit(entry, freeScope());
      if (!sink.capabilities.metadata || sink.capabilities.blind) return;
      assert.equal((await sink.stat(entry.path, freeScope()))?.mode, 0o600);
    },
  );
}

async function acknowledges(rig: SinkRig): Promise<void> {
  await withDraft(rig, entryFor(rig, SIZE), [], async (draft, { sink }) => {
    if (!sink.capabilities.resume) return draft.discard();
    const stream = await draft.write(0, freeScope());
    let held = 0;
    stream.on('held', (count: number) => {
      held += count;
      assert.ok(count >= 0 && held <= SIZE);
    });
    await feed(stream, patternBytes(SIZE));
    assert.equal(held, SIZE);
    await draft.discard();
  });
}
