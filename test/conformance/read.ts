/** Chapter: exactly the bytes of a range. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import type { ByteRange, Entry, Source } from '#xfer/transport.js';
import { collect, hexDigest, patternBytes, rootEntry } from '../support/fixtures.js';
import { rejectsWith } from './draft.js';
import { chapter, freeScope, type SourceRig, TEST, withSource } from './rig.js';

const SIZE = 200_001;

const RANGES: ByteRange[] = [
  { start: 0 },
  { start: 0, end: SIZE },
  { start: 0, end: 1 },
  { start: 1, end: 2 },
  { start: 65_535, end: 65_537 },
  { start: SIZE - 1 },
  { start: SIZE - 1, end: SIZE },
  { start: 100_000, end: 150_000 },
  { start: 0, end: 0 },
  { start: 7, end: 7 },
  { start: SIZE },
  { start: SIZE, end: SIZE },
];

const TOO_FAR: ByteRange[] = [
  { start: 0, end: SIZE + 1 },
  { start: SIZE - 1, end: SIZE + 70_000 },
  { start: SIZE, end: SIZE + 1 },
  { start: SIZE + 10, end: SIZE + 20 },
];

export function readChapter(rig: SourceRig): void {
  chapter('read', () => {
    test('a whole file, byte for byte', TEST, () =>
      withRoot(rig, patternBytes(SIZE), async (source, entry, bytes) => {
        assert.ok(bytes.equals(await readAll(source, entry, { start: 0 })));
      }),
    );
    test('a small file at once is what a stream gives, with its errors', TEST, () => atOnce(rig));
    test('an empty file', TEST, () =>
      withRoot(rig, Buffer.alloc(0), async (source, entry) => {
        assert.equal((await readAll(source, entry, { start: 0 })).length, 0);
      }),
    );
    test('ranges, to the byte', TEST, () => exactRanges(rig));
    test('a range past the end is TRUNCATED, or UNSUPPORTED without ranges', TEST, () => pastTheEnd(rig));
    test('several reads at once do not mix', TEST, () => parallelReads(rig));
    test('a stream that is destroyed early leaves the source usable', TEST, () => destroyedEarly(rig));
    test('another version is SOURCE_CHANGED, never other bytes', TEST, () => changed(rig));
    test('a digest by the far side is the digest of the bytes', TEST, () =>
      withRoot(rig, patternBytes(5000), async (source, entry, bytes) => {
        // A server may state a digest for one file and none for another.
        const digest = await source.digest?.(entry, 'sha256', freeScope()).catch((error: unknown) => {
          assert.ok(error instanceof XferError && error.code === 'UNSUPPORTED', String(error));
        });
        if (digest !== undefined) assert.equal(digest, hexDigest(bytes));
      }),
    );
  });
}

async function withRoot(
  rig: SourceRig,
  bytes: Buffer,
  run: (source: Source, entry: Entry, bytes: Buffer) => Promise<void>,
): Promise<void> {
  await withSource(rig, [{ path: '', bytes }], async ({ source }) =>
    run(source, await rootEntry(source, freeScope()), bytes),
  );
}

async function readAll(source: Source, entry: Entry, range: ByteRange): Promise<Buffer> {
  return collect(await source.read(entry, range, freeScope()));
}

async function atOnce(rig: SourceRig): Promise<void> {
  for (const size of [0, 1, 4000, 60_000]) {
    await withSource(rig, [{ path: '', bytes: patternBytes(size) }], async ({ source, change }) => {
      if (!source.readWhole) return;
      const entry = await rootEntry(source, freeScope());
      assert.ok(patternBytes(size).equals(await source.readWhole(entry, freeScope())), `${size} bytes`);
      const longer: Entry = { path: entry.path, kind: 'file', size: size + 1 };
      await assert.rejects(source.readWhole(longer, freeScope()), rejectsWith('TRUNCATED'));
      if (!change) return;
      await change('', patternBytes(size + 3));
      await assert.rejects(source.readWhole(entry, freeScope()), rejectsWith('SOURCE_CHANGED'));
    });
  }
}

async function exactRanges(rig: SourceRig): Promise<void> {
  await withRoot(rig, patternBytes(SIZE), async (source, entry, bytes) => {
    if (!source.capabilities.ranges || !source.capabilities.replay) return;
    for (const range of RANGES) {
      const got = await readAll(source, entry, range);
      assert.ok(
        bytes.subarray(range.start, range.end).equals(got),
        `range ${JSON.stringify(range)}: ${got.length} bytes`,
      );
    }
  });
}

async function pastTheEnd(rig: SourceRig): Promise<void> {
  await withRoot(rig, patternBytes(SIZE), async (source, entry) => {
    const { ranges, replay } = source.capabilities;
    for (const range of ranges && replay ? TOO_FAR : TOO_FAR.slice(0, 1)) {
      await assert.rejects(
        readAll(source, entry, range),
        (error) => error instanceof XferError && error.code === (ranges ? 'TRUNCATED' : 'UNSUPPORTED'),
        JSON.stringify(range),
      );
    }
  });
}

async function parallelReads(rig: SourceRig): Promise<void> {
  await withRoot(rig, patternBytes(SIZE), async (source, entry, bytes) => {
    if (!source.capabilities.parallel || !source.capabilities.ranges) return;
    const starts = [0, 50_000, 100_000, 150_000];
    const parts = await Promise.all(
      starts.map((start) => readAll(source, entry, { start, end: Math.min(start + 50_000, SIZE) })),
    );
    assert.ok(bytes.subarray(0, 200_000).equals(Buffer.concat(parts)));
  });
}

async function destroyedEarly(rig: SourceRig): Promise<void> {
  await withRoot(rig, patternBytes(3_000_000), async (source, entry, bytes) => {
    if (!source.capabilities.replay) return;
    for (let round = 0; round < 3; round++) {
      const stream = await source.read(entry, { start: 0 }, freeScope());
      for await (const chunk of stream) {
        assert.ok(bytes.subarray(0, chunk.length).equals(chunk as Buffer));
        break;
      }
    }
    assert.ok(bytes.equals(await readAll(source, entry, { start: 0 })));
  });
}

/** A source may have had the old bytes in hand when the file changed; the second read has to go and look. */
async function changed(rig: SourceRig): Promise<void> {
  const old = patternBytes(1000, 1);
  await withSource(rig, [{ path: '', bytes: old }], async ({ source, change }) => {
    const entry = await rootEntry(source, freeScope());
    if (!change || entry.version === undefined) return;
    await change('', patternBytes(1001, 2));
    const first = await readAll(source, entry, { start: 0 }).catch(isChanged);
    assert.ok(first === true || old.equals(first), 'the bytes of the old version or none');
    await assert.rejects(readAll(source, entry, { start: 0 }), isChanged);
  });
}

function isChanged(error: unknown): true {
  assert.ok(error instanceof XferError && error.code === 'SOURCE_CHANGED', String(error));
  return true;
}
