import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLocalSource } from '#xfer/transports/local/source.js';
import { get, serve, temporaryFolder } from './rig.js';

const POSIX = { timeout: 20_000, skip: process.platform === 'win32' ? 'Windows has neither in a folder' : false };

test('neither a pipe nor a socket in the share is there', POSIX, async (t) => {
  const folder = await temporaryFolder(t);
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const server = createServer().listen(join(folder, 'socket'));
  t.after(() => server.close());
  const { port } = await serve(t, folder, { share: await openLocalSource(folder) });
  for (const name of ['pipe', 'socket']) assert.match(await get(port, `/${name}`), /^HTTP\/1\.1 404 /, name);
});
