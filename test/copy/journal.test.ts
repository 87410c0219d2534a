import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { Journal } from '#xfer/copy/journal.js';

const key = { source: 'a', sink: 'b', version: 'v1', size: 100 };
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'xfer-journal-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function opened(wanted = key): Promise<Journal> {
  const journal = await Journal.open(directory, wanted);
  assert.ok(journal);
  return journal;
}

test('gives back what was recorded', async () => {
  const first = await opened();
  const recorder = first.recorder(10);
  recorder.add(20);
  recorder.flush();
  await first.suspend();
  const second = await opened();
  assert.deepEqual(second.held, [{ start: 10, end: 30 }]);
  await second.remove();
  assert.deepEqual(await readdir(directory), []);
});

test('another version holds nothing, and names the stale one', async () => {
  const first = await opened();
  const recorder = first.recorder(0);
  recorder.add(50);
  recorder.flush();
  await first.suspend();
  const second = await opened({ ...key, version: 'v2' });
  assert.deepEqual([second.held, second.stale?.version], [[], 'v1']);
  await second.remove();
});

test('a pair that is being copied is claimed until it ends', async () => {
  const first = await opened();
  assert.equal(await Journal.open(directory, key), undefined);
  await first.suspend();
  await (await opened()).remove();
  assert.deepEqual(await readdir(directory), []);
});

test('a torn or false line holds nothing', async () => {
  const first = await opened();
  await first.suspend();
  const [file] = await readdir(directory);
  await appendFile(join(directory, file as string), '0 50\n90 400\n-3 5\nx\n60 7');
  const second = await opened();
  assert.deepEqual(second.held, [
    { start: 0, end: 50 },
    { start: 90, end: 100 },
  ]);
  await second.remove();
});
