/** What is kept of uploads that were broken off: private, found again, and swept once no server knows them any more. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UploadNotes } from '#xfer/transports/http/put/upload-notes.js';

const NOTE = { place: new URL('http://127.0.0.1/up/1'), protocol: 'tus', mostSentBytes: 5 } as const;

async function ageTo(file: string, days: number): Promise<void> {
  const then = Date.now() / 1000 - days * 86_400;
  await utimes(file, then, then);
}

test('a note is found by another process, by nobody else on the machine, and forgotten', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'xfer-notes-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  await new UploadNotes(directory).keep('key', NOTE, true);
  const other = new UploadNotes(directory);
  assert.deepEqual(await other.find('key'), NOTE);
  assert.equal(await other.find('another'), undefined);
  const [name] = await readdir(directory);
  const file = join(directory, name as string);
  if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600);
  for (const text of [
    '',
    '{',
    '{"place":"x","protocol":"tus","mostSentBytes":1}',
    '{"place":"http://a/","protocol":"x"}',
  ]) {
    await writeFile(file, text);
    assert.equal(await new UploadNotes(directory).find('key'), undefined, text);
  }
  await other.forget('key');
  assert.deepEqual(await readdir(directory), []);
});

test('without a directory a note is for this process alone', async () => {
  const notes = new UploadNotes(undefined);
  await notes.keep('key', NOTE, true);
  assert.deepEqual(await notes.find('key'), NOTE);
  assert.equal(await new UploadNotes(undefined).find('key'), undefined);
});

test('old notes are swept, halves of them sooner, and nothing else', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'xfer-notes-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const id = '0123456789abcdef'.repeat(2);
  const ages: Record<string, number> = {
    [`${id}.upload`]: 15,
    [`f${id.slice(1)}.upload`]: 13,
    [`${id}.upload.0123456789ab`]: 1,
    'mine.txt': 100,
  };
  for (const [name, days] of Object.entries(ages)) {
    await writeFile(join(directory, name), 'text');
    await ageTo(join(directory, name), days);
  }
  await new UploadNotes(directory).keep('key', NOTE, true);
  const left = await readdir(directory);
  assert.equal(left.length, 3);
  assert.ok(left.includes('mine.txt') && left.includes(`f${id.slice(1)}.upload`));
  assert.equal(await readFile(join(directory, 'mine.txt'), 'utf8'), 'text');
});
