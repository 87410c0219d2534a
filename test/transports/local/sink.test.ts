import assert from 'node:assert/strict';
import { link, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { draftName } from '#xfer/draft-name.js';
import { openLocalSink } from '#xfer/transports/local/sink.js';
import { failsWith } from '../../support/fails-with.js';

const scope = { signal: new AbortController().signal };
const entry = { path: 'f', kind: 'file', size: 4, version: 'v' } as const;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'xfer-sink-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a draft that an earlier run left is gone on with', async () => {
  await writeFile(join(folder, draftName('f', entry)), 'ab');
  const draft = await (await openLocalSink(folder)).draft(entry, scope);
  assert.deepEqual(draft.held, [{ start: 0, end: 2 }]);
  await draft.discard();
  assert.deepEqual(await readdir(folder), []);
});

test('a draft that has another name too is not: whoever made that name could change the copy', async () => {
  await writeFile(join(folder, 'other'), 'ab');
  await link(join(folder, 'other'), join(folder, draftName('f', entry)));
  await assert.rejects((await openLocalSink(folder)).draft(entry, scope), failsWith('UNSAFE_PATH', /draft/));
  assert.equal(await readFile(join(folder, 'other'), 'utf8'), 'ab');
});

test('mode and time of what a link out of the root leads to stay', async () => {
  const [root, outside] = [join(folder, 'root'), join(folder, 'outside')];
  for (const each of [root, outside]) await mkdir(each, { mode: 0o750 });
  const sink = await openLocalSink(root);
  await sink.create({ path: 'd', kind: 'symlink', target: outside }, scope);
  const directory = { path: 'd', kind: 'directory', mode: 0o777, mtimeMs: 1000 } as const;
  await assert.rejects(sink.finish(directory, scope), failsWith('UNSAFE_PATH', /link/));
  const { mode, mtimeMs } = await stat(outside);
  assert.equal(mode & 0o777, 0o750);
  assert.notEqual(mtimeMs, 1000);
});
