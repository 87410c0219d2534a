import assert from 'node:assert/strict';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FileReader } from '#xfer/transports/local/file-reader.js';

/** Bytes of the buffers behind the chunks of a file of this size. */
async function buffersOf(size: number, folder: string): Promise<number[]> {
  const file = join(folder, 'f');
  await writeFile(file, Buffer.alloc(size, 7));
  const handle = await open(file);
  const reader = new FileReader({ handle, label: 'f', start: 0, end: size, release: () => handle.close() });
  const sizes: number[] = [];
  let total = 0;
  for await (const chunk of reader as AsyncIterable<Buffer>) {
    sizes.push(chunk.buffer.byteLength);
    total += chunk.length;
  }
  assert.equal(total, size);
  return sizes;
}

test('a short file costs a short buffer, and only whole chunks come from the pool', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'xfer-reader-'));
  try {
    assert.deepEqual(await buffersOf(4096, folder), [4096]);
    const [whole, rest, ...none] = await buffersOf((255 << 10) + 100, folder);
    assert.deepEqual([whole, rest, none], [255 << 10, 100, []]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
