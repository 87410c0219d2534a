import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { test } from 'node:test';
import { FileWriter } from '#xfer/transports/local/file-writer.js';

const chunk = (letter: string) => Buffer.alloc(300_000, letter);

async function writing(flags: string, work: (writer: FileWriter, path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-writer-'));
  const path = join(folder, 'f');
  const descriptor = openSync(path, flags);
  try {
    await work(new FileWriter(descriptor, 0, 'f', true), path);
  } finally {
    closeSync(descriptor);
    rmSync(folder, { recursive: true });
  }
}

test('at once a write is in the file when it returns, and what waits goes out in order', async () => {
  await writing('w', async (writer, path) => {
    let held = 0;
    writer.on('held', (bytes: number) => {
      held += bytes;
    });
    writer.workAtOnce();
    writer.write(chunk('a'));
    assert.equal(readFileSync(path).length, 300_000);
    writer.cork();
    for (const letter of ['b', 'c']) writer.write(chunk(letter));
    writer.uncork();
    await finished(writer.end());
    assert.ok(readFileSync(path).equals(Buffer.concat(['a', 'b', 'c'].map(chunk))));
    assert.equal(held, 900_000);
  });
});

test('short pieces that gathered are joined, between long ones, at any place in the file', async () => {
  await writing('w', async (writer, path) => {
    let held = 0;
    writer.on('held', (bytes: number) => {
      held += bytes;
    });
    const lengths = [...Array.from({ length: 150 }, (_, at) => 1 + ((at * 7919) % 60_000)), 70_000, 5, 300_000, 1, 9];
    const pieces = lengths.map((length, at) => Buffer.alloc(length, 1 + (at % 250)));
    writer.write(Buffer.alloc(100_001));
    writer.cork();
    for (const piece of pieces) writer.write(piece);
    writer.uncork();
    await finished(writer.end());
    const expected = Buffer.concat([Buffer.alloc(100_001), ...pieces]);
    assert.ok(readFileSync(path).equals(expected));
    assert.equal(held, expected.length);
  });
});

test('a write at once that fails is the error of the stream', { skip: process.platform === 'win32' }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-writer-'));
  const path = join(folder, 'f');
  closeSync(openSync(path, 'w'));
  const descriptor = openSync(path, 'r');
  try {
    const writer = new FileWriter(descriptor, 0, 'f', true);
    writer.workAtOnce();
    const ended = finished(writer);
    writer.write(chunk('a'));
    await assert.rejects(ended, /write f/);
  } finally {
    closeSync(descriptor);
    rmSync(folder, { recursive: true });
  }
});
