import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLocalSource } from '#xfer/transports/local/source.js';
import { failsWith } from '../../support/fails-with.js';

const scope = { signal: new AbortController().signal };

test('a place is the same under every name, and none is outside the root', async (t) => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'xfer-place-')));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const root = join(folder, 'root');
  await mkdir(join(root, 'a', 'b'), { recursive: true });
  await writeFile(join(root, 'a', 'b', 'file'), '');
  await writeFile(join(folder, 'outside'), '');
  await symlink(join('a', 'b'), join(root, 'link'));
  await symlink(join('..', 'outside'), join(root, 'out'));
  await symlink('root', join(folder, 'alias'));
  const share = await openLocalSource(root);
  const file = await share.place('a/b/file', scope);
  const directory = await share.place('a/b', scope);
  assert.equal(file.path, join(root, 'a', 'b', 'file'));
  assert.deepEqual(file.directories, directory.directories);
  assert.equal(new Set(directory.directories).size, 3);
  assert.deepEqual(await share.place('link/file', scope), file);
  assert.deepEqual(await (await openLocalSource(join(folder, 'alias'))).place('link', scope), directory);
  assert.deepEqual((await share.place('', scope)).directories, directory.directories.slice(0, 1));
  await assert.rejects(share.place('out', scope), failsWith('UNSAFE_PATH'));
  await assert.rejects(share.place('../outside', scope), failsWith('UNSAFE_PATH'));
  await assert.rejects(share.place('none', scope), failsWith('NOT_FOUND'));
});
