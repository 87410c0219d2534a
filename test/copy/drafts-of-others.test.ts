/** Two sources whose files have one version: over SFTP that is no more than a size and a second. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { copy } from '#xfer/copy/index.js';
import { XferError } from '#xfer/errors.js';
import type { Source } from '#xfer/transport.js';
import { openLocalSink } from '#xfer/transports/local/sink.js';
import { openLocalSource } from '#xfer/transports/local/source.js';

const BLOCK_BYTES = 70_000;
const SIZE = 5 * BLOCK_BYTES;

let folder: string;
const bytes = { one: randomBytes(SIZE), other: randomBytes(SIZE) };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'xfer-drafts-'));
  for (const [name, content] of Object.entries(bytes)) await writeFile(join(folder, name), content);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** It cannot be read from `end` on. */
async function openVague(name: keyof typeof bytes, end = SIZE): Promise<Source> {
  const source = await openLocalSource(join(folder, name));
  const { entries, read } = source;
  source.entries = async function* (scope) {
    for await (const entry of entries.call(source, scope)) yield { ...entry, version: 'a size and a second' };
  };
  source.read = async ({ version: _, ...entry }, range, scope) => {
    if (range.start >= end) throw new XferError('DENIED', 'read: refused by the test');
    return read.call(source, entry, range, scope);
  };
  return source;
}

async function run(source: Source): Promise<number> {
  const sink = await openLocalSink(join(folder, 'to'));
  const fixed = { blockBytes: BLOCK_BYTES, lanes: 2, journalDirectory: join(folder, 'journal') };
  return (await copy([source], sink, fixed)).resumedBytes;
}

test('what another source left of a file of the same version is not gone on with', async () => {
  await assert.rejects(run(await openVague('one', 3 * BLOCK_BYTES)), { code: 'DENIED' });
  await assert.rejects(run(await openVague('other', 2 * BLOCK_BYTES)), { code: 'DENIED' });
  assert.ok((await run(await openVague('one'))) > 0);
  assert.ok((await readFile(join(folder, 'to'))).equals(bytes.one));
  assert.ok((await run(await openVague('other'))) > 0);
  assert.ok((await readFile(join(folder, 'to'))).equals(bytes.other));
  assert.deepEqual((await readdir(folder)).sort(), ['journal', 'one', 'other', 'to']);
});

test('two that are copied at once do not write into one draft', async () => {
  await Promise.all([run(await openVague('one')), run(await openVague('other'))]);
  const arrived = await readFile(join(folder, 'to'));
  assert.ok(arrived.equals(bytes.one) || arrived.equals(bytes.other));
});
