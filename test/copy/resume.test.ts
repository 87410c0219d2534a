/** Resuming over several runs, each of which may end badly, onto a disk that knows only how long a draft is. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type CopyOptions, copy } from '#xfer/copy/index.js';
import { toXferError, XferError } from '#xfer/errors.js';
import type { Source } from '#xfer/transport.js';
import { openLocalSink } from '#xfer/transports/local/sink.js';
import { openLocalSource } from '#xfer/transports/local/source.js';

const BLOCK_BYTES = 70_000;
const SIZE = 5 * BLOCK_BYTES;

let folder: string;
let bytes: Buffer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'xfer-resume-'));
  bytes = randomBytes(SIZE);
  await writeFile(join(folder, 'from'), bytes);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A source that cannot be read at some offsets. */
async function failingAt(refuses: (start: number) => boolean, error?: XferError): Promise<Source> {
  const source = await openLocalSource(join(folder, 'from'));
  const read = source.read.bind(source);
  source.read = async (entry, range, scope) => {
    if (refuses(range.start))
      throw error ?? new XferError('DENIED', `read from byte ${range.start}: refused by the test`);
    return read(entry, range, scope);
  };
  return source;
}

async function run(source: Source, options: CopyOptions = {}): Promise<number> {
  const sink = await openLocalSink(join(folder, 'to'));
  const fixed = { blockBytes: BLOCK_BYTES, lanes: 2, journalDirectory: join(folder, 'journal'), ...options };
  return (await copy([source], sink, fixed)).resumedBytes;
}

async function drafts(): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.xfer-part'));
}

test('a run goes on from what the last one had acknowledged', async () => {
  await assert.rejects(run(await failingAt((start) => start >= 3 * BLOCK_BYTES)), { code: 'DENIED' });
  assert.equal((await drafts()).length, 1);
  assert.ok((await run(await failingAt(() => false))) >= BLOCK_BYTES);
  assert.ok((await readFile(join(folder, 'to'))).equals(bytes));
  assert.deepEqual(await drafts(), []);
});

test('where the disk is full, what is kept is named, with how to go on and how to be rid of it', async () => {
  const full = toXferError(Object.assign(new Error('full'), { code: 'ENOSPC' }), 'write to');
  const error = (await run(await failingAt((start) => start >= 3 * BLOCK_BYTES, full)).catch(
    (thrown: unknown) => thrown,
  )) as XferError;
  const [kept] = await drafts();
  assert.equal(error.message, 'write to: no space left on device');
  assert.match(error.hint ?? '', /^make room there, then run the same command again, which goes on where it stopped; /);
  assert.ok(error.hint?.includes(` ${join(folder, kept as string)}: remove it`), error.hint);
});

test('where nothing is kept on a full disk, nothing is named', async () => {
  const full = toXferError(Object.assign(new Error('full'), { code: 'ENOSPC' }), 'write to');
  const error = (await run(await failingAt(() => true, full)).catch((thrown: unknown) => thrown)) as XferError;
  assert.deepEqual(await drafts(), []);
  assert.equal(error.hint, 'make room there, then run the same command again');
});

for (const [how, length] of [
  ['in one piece', 1000],
  ['with a draft', BLOCK_BYTES - 1],
] as const) {
  test(`what a run left of a file that is now copied ${how} is removed`, async () => {
    await assert.rejects(run(await failingAt((start) => start >= 3 * BLOCK_BYTES)), { code: 'DENIED' });
    assert.equal((await drafts()).length, 1);
    await writeFile(join(folder, 'from'), bytes.subarray(0, length));
    assert.equal(await run(await failingAt(() => false)), 0);
    assert.ok((await readFile(join(folder, 'to'))).equals(bytes.subarray(0, length)));
    assert.deepEqual([await drafts(), await readdir(join(folder, 'journal'))], [[], []]);
  });
}

for (const [how, change] of [
  ['grew', () => Buffer.concat([bytes, randomBytes(99)])],
  ['became shorter', () => bytes.subarray(0, 4 * BLOCK_BYTES)],
  ['was replaced', () => randomBytes(SIZE)],
] as const) {
  test(`of a source that ${how} meanwhile nothing is gone on with, and nothing left`, async () => {
    await assert.rejects(run(await failingAt((start) => start >= 3 * BLOCK_BYTES)), { code: 'DENIED' });
    assert.equal((await drafts()).length, 1);
    const changed = change();
    await writeFile(join(folder, 'from'), changed);
    assert.equal(await run(await failingAt(() => false)), 0);
    assert.ok((await readFile(join(folder, 'to'))).equals(changed));
    assert.deepEqual(await drafts(), []);
  });
}

test('what was acknowledged of a draft that is gone is not believed of the next one', async () => {
  await assert.rejects(run(await failingAt((start) => start >= 2 * BLOCK_BYTES)), { code: 'DENIED' });
  for (const name of await drafts()) await rm(join(folder, name));
  // Only the last block arrives, so that the new draft is as long as the file and empty at its front.
  await assert.rejects(run(await reachingOnly(4 * BLOCK_BYTES), { lanes: 5 }), { code: 'DENIED' });
  await run(await failingAt(() => false));
  assert.ok((await readFile(join(folder, 'to'))).equals(bytes));
});

test('nothing is left of what cannot get its name', async () => {
  const source = await failingAt((start) => {
    if (start >= 4 * BLOCK_BYTES) mkdirSync(join(folder, 'to'));
    return false;
  });
  const sink = await openLocalSink(join(folder, 'to'));
  await assert.rejects(copy([source], sink, { blockBytes: BLOCK_BYTES, journalDirectory: join(folder, 'journal') }), {
    code: 'EXISTS',
  });
  assert.deepEqual(await drafts(), []);
});

/** A source of which only the block at `offset` can be read; the others fail once that one was. */
async function reachingOnly(offset: number): Promise<Source> {
  const source = await openLocalSource(join(folder, 'from'));
  const read = source.read.bind(source);
  let reached: () => void = () => {};
  const wasRead = new Promise<void>((resolve) => {
    reached = resolve;
  });
  source.read = async (entry, range, scope) => {
    if (range.start !== offset) {
      await wasRead;
      throw new XferError('DENIED', `read from byte ${range.start}: refused by the test`);
    }
    const stream = await read(entry, range, scope);
    return stream.once('close', () => setImmediate(reached));
  };
  return source;
}
