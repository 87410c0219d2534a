/** Chapter: a slow end slows the other, instead of filling the memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { patternBytes, whenClosed } from '../support/fixtures.js';
import { chapter, filePath, freeScope, type SinkRig, type SourceRig, TEST, withSink, withSource } from './rig.js';

const SIZE = 48 * 1024 * 1024;
const MOST_BUFFERED = 12 * 1024 * 1024;
/** How long a source that does not wait for its reader is given to show it. */
const WATCH_MS = 300;

export function sourceBackPressureChapter(rig: SourceRig): void {
  chapter('back-pressure of a source', () => {
    test('a reader that stops reading stops the source', TEST, () => slowReader(rig));
  });
}

export function sinkBackPressureChapter(rig: SinkRig): void {
  chapter('back-pressure of a sink', () => {
    test('a write that is not taken yet says so', TEST, () => fastWriter(rig));
  });
}

async function slowReader(rig: SourceRig): Promise<void> {
  await withSource(rig, [{ path: '', bytes: patternBytes(SIZE) }], async ({ source }) => {
    for await (const entry of source.entries(freeScope())) {
      const before = process.memoryUsage().arrayBuffers;
      const stream = await source.read(entry, { start: 0 }, freeScope());
      const closed = whenClosed(stream);
      const reader = stream[Symbol.asyncIterator]();
      await reader.next();
      await pause(WATCH_MS);
      assert.ok(stream.readableLength <= MOST_BUFFERED, `${stream.readableLength} bytes wait in the stream`);
      const grown = process.memoryUsage().arrayBuffers - before;
      assert.ok(grown <= 2 * MOST_BUFFERED, `${grown} bytes were taken while nobody read`);
      stream.destroy();
      await closed;
      return;
    }
  });
}

async function fastWriter(rig: SinkRig): Promise<void> {
  await withSink(rig, [], async ({ sink }) => {
    const draft = await sink.draft({ path: filePath(rig), kind: 'file', size: SIZE, version: 'v1' }, freeScope());
    const stream = await draft.write(0, freeScope());
    const closed = whenClosed(stream);
    const block = patternBytes(256 * 1024);
    let offered = 0;
    while (offered < SIZE && stream.write(block)) offered += block.length;
    assert.ok(stream.writableLength <= MOST_BUFFERED, `${stream.writableLength} bytes wait in the stream`);
    stream.destroy();
    await closed;
    await draft.discard();
  });
}
