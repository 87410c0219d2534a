/** What clients of the listener change of things that are there. */
import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { OPEN } from '#xfer/transports/ssh/sftp/codec.js';
import { failsWith } from '../../../support/fails-with.js';
import { openSftp, place, scope } from './rig.js';

const TIMES = { atime: 1_000_000_000, mtime: 1_100_000_000 };

test('a change that names an owner is made but for the owner, and answered as refused', async (t) => {
  const at = await place(t);
  const file = join(at.root, 'file');
  writeFileSync(file, 'bytes', { mode: 0o600 });
  const client = await openSftp(t, at);
  const asked = { size: 3, owner: { uid: 1, gid: 1 }, permissions: 0o640, times: TIMES };
  await assert.rejects(client.setstat(Buffer.from('file'), asked, scope), failsWith('DENIED'));
  const { size, mode, mtimeMs, uid } = statSync(file);
  assert.deepEqual([size, mode & 0o777, mtimeMs, uid], [3, 0o640, TIMES.mtime * 1000, process.getuid?.() ?? uid]);

  const handle = await client.open(Buffer.from('file'), OPEN.WRITE, {}, scope);
  await assert.rejects(client.fsetstat(handle, { ...asked, size: 2 }, 'fsetstat', scope), failsWith('DENIED'));
  assert.equal(statSync(file).size, 2);
});
