import assert from 'node:assert/strict';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FileReader } from '#xfer/transports/local/file-reader.js';

/** Bytes of the buffers behind the chunks of a file of this size. */
async function buffersOf(size: number, folder: string, atOnce = false): Promise<number[]> {
  const file = join(folder, 'f');
  await writeFile(file, Buffer.alloc(size, 7));
  const handle = await open(file);
  const reader = new FileReader({ handle, label: 'f', start: 0, end: size, release: () => handle.close() });
  if (atOnce) reader.workAtOnce();
  const sizes: number[] = [];
  let total = 0;
  for await (const chunk of reader as AsyncIterable<Buffer>) {
    sizes.push(chunk.buffer.byteLength - chunk.byteOffset);
    total += chunk.length;
    assert.ok(chunk.every((byte) => byte === 7));
    reader.recycle(chunk);
  }
  assert.equal(total, size);
  return sizes;
}

test('a short file costs a short buffer, and only whole chunks come from the pool', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'xfer-reader-'));
  try {
    assert.deepEqual(await buffersOf(4096, folder), [4096]);
    const [whole, rest, ...none] = await buffersOf((504 << 10) + 100, folder);
    assert.deepEqual([whole, rest, none], [504 << 10, 100, []]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('at once it reads longer chunks, and a short file still costs a short buffer', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'xfer-reader-'));
  try {
    assert.deepEqual(await buffersOf(4096, folder, true), [4096]);
    assert.deepEqual(await buffersOf((3 << 20) + 100, folder, true), [1 << 20, 1 << 20, 1 << 20, 100]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('at once or not, a file that ends too early is TRUNCATED, and a pipe is read where it stands', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'xfer-reader-'));
  const file = join(folder, 'f');
  try {
    await writeFile(file, 'short');
    for (const seekable of [true, false]) {
      const handle = await open(file);
      const reader = new FileReader({ handle, label: 'f', start: 0, end: 9, seekable, release: () => handle.close() });
      reader.workAtOnce();
      await assert.rejects(reader.toArray(), { code: 'TRUNCATED' });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
