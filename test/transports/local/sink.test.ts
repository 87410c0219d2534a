import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmod,
  chown,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
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

test('a draft that is longer than the file is cut, so that the file can be whole', async () => {
  await writeFile(join(folder, draftName('f', entry)), 'abcdefgh');
  const draft = await (await openLocalSink(folder)).draft(entry, scope);
  assert.deepEqual(draft.held, [{ start: 0, end: 4 }]);
  await draft.commit(entry, scope);
  assert.equal(await readFile(join(folder, 'f'), 'utf8'), 'abcd');
});

for (const [kind, make] of [
  ['directory', mkdir],
  ['link', (path: string) => symlink(join(folder, 'other'), path)],
] as const) {
  test(`a ${kind} that has the name of the draft is said to be in the way, and left`, async () => {
    const name = draftName('f', entry);
    await make(join(folder, name));
    await assert.rejects(
      (await openLocalSink(folder)).draft(entry, scope),
      failsWith('UNSAFE_PATH', /name of the draft/),
    );
    assert.deepEqual(await readdir(folder), [name]);
  });
}

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

test('the digest of what is written in place is of it alone, whatever was longer there', async () => {
  await writeFile(join(folder, 'f'), 'it was longer');
  const sink = await openLocalSink(folder, { inPlace: true });
  const draft = await sink.draft(entry, scope);
  const writable = await draft.write(0, scope);
  await new Promise((resolve) => void writable.once('close', resolve).end('newe'));
  const { hex } = (await draft.digest?.('sha256', scope)) ?? {};
  assert.equal(hex, createHash('sha256').update('newe').digest('hex'));
  await draft.commit(entry, scope);
  assert.equal(await readFile(join(folder, 'f'), 'utf8'), 'newe');
});

test('a time before 1970 is kept, of a file and of a directory', async () => {
  const times = { mtimeMs: Date.UTC(1969, 6, 20, 20, 17, 40), atimeMs: -1 };
  const sink = await openLocalSink(folder);
  const file = { path: 'f', kind: 'file', size: 0, ...times } as const;
  await (await sink.draft(file, scope)).commit(file, scope);
  const directory = { path: 'd', kind: 'directory', ...times } as const;
  await sink.create(directory, scope);
  await sink.finish(directory, scope);
  for (const path of ['f', 'd']) {
    const { mtimeMs, atimeMs } = await stat(join(folder, path));
    assert.deepEqual({ mtimeMs, atimeMs }, times, path);
  }
});

test('a link that is there already with the same target is as good as made', async () => {
  const sink = await openLocalSink(folder);
  for (const target of ['there', 'there']) await sink.create({ path: 'l', kind: 'symlink', target }, scope);
  await assert.rejects(sink.create({ path: 'l', kind: 'symlink', target: 'other' }, scope), failsWith('EXISTS'));
  assert.equal(await readlink(join(folder, 'l')), 'there');
  await writeFile(join(folder, 'f'), '');
  await assert.rejects(sink.create({ path: 'f', kind: 'symlink', target: 'there' }, scope), failsWith('EXISTS'));
});

test('the digest is of the file that is there, and of none outside', async () => {
  await mkdir(join(folder, 'root'));
  await writeFile(join(folder, 'outside'), 'abcd');
  await writeFile(join(folder, 'root/f'), 'abcd');
  await symlink('../outside', join(folder, 'root/out'));
  const sink = await openLocalSink(join(folder, 'root'));
  const expected = '88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589';
  assert.equal(await sink.digest('f', 'sha256', scope), expected);
  await assert.rejects(sink.digest('gone', 'sha256', scope), failsWith('NOT_FOUND'));
  await assert.rejects(sink.digest('out', 'sha256', scope), failsWith('UNSAFE_PATH'));
  await assert.rejects(sink.digest('../outside', 'sha256', scope), failsWith('UNSAFE_PATH'));
  const reason = new Error('stopped by the test');
  await assert.rejects(sink.digest('f', 'sha256', { signal: AbortSignal.abort(reason) }), (error) => error === reason);
});

test('a file that is replaced keeps its owner and group', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async () => {
  const target = join(folder, 'f');
  await writeFile(target, 'old');
  await chown(target, 65534, 100);
  await chmod(target, 0o640);
  const sink = await openLocalSink(folder);
  await sink.put(entry, Buffer.from('abcd'), false, scope);
  const { uid, gid, mode } = await stat(target);
  assert.deepEqual([uid, gid, mode & 0o7777], [65534, 100, 0o640]);
  assert.equal(await readFile(target, 'utf8'), 'abcd');
});

test('a draft that holds nothing is not left', async () => {
  const draft = await (await openLocalSink(folder)).draft(entry, scope);
  await draft.suspend();
  assert.deepEqual(await readdir(folder), []);
});
