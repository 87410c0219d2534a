import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { bytesFromName } from '#xfer/names.js';
import { transport } from '#xfer/transports/local/index.js';
import { get, serve, temporaryFolder } from './rig.js';

const scope = { signal: new AbortController().signal };

test('a local directory is shared, and no link leads out of it', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  const root = join(folder, 'root');
  await mkdir(join(root, 'sub'), { recursive: true });
  await mkdir(join(folder, 'outside'));
  await writeFile(join(folder, 'outside', 'secret'), 'secret');
  await writeFile(join(root, 'sub', 'file'), 'inside');
  await writeFile(Buffer.concat([Buffer.from(`${root}/`), bytesFromName('l\udce9')]), 'odd').catch(() => undefined);
  await symlink('sub/file', join(root, 'in'));
  await symlink('../outside/secret', join(root, 'out'));
  await symlink('../outside', join(root, 'outdir'));
  const share = await transport.openSource?.({ scheme: 'file', path: root }, {}, scope);
  assert.ok(share);
  t.after(() => share.close());
  const { port } = await serve(t, root, { share });
  for (const target of ['/sub/file', '/in']) assert.match(await get(port, target), /^HTTP\/1\.1 200 [\s\S]*inside$/);
  for (const target of ['/out', '/outdir', '/outdir/', '/outdir/secret', '/outdir/?json', '/sub/file/', '/none']) {
    const answer = await get(port, target);
    assert.match(answer, /^HTTP\/1\.1 404 /, target);
    assert.doesNotMatch(answer, /secret/);
  }
  assert.match(await get(port, '/sub?x'), /\r\nLocation: \.\/sub\/\?x\r\n/);
  const listing = await get(port, '/');
  assert.doesNotMatch(listing, /href="out/);
  if (process.platform === 'linux') assert.match(await get(port, '/l%e9'), /odd$/);
});
