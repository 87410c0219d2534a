/** What clients of the listener change of things that are there. */
import assert from 'node:assert/strict';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
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

const noOwners = { skip: process.platform === 'win32' && 'the system keeps no such owners' };

test('whose things are is told, and naming that again is no refused change', noOwners, async (t) => {
  const at = await place(t);
  const path = join(at.root, 'directory');
  mkdirSync(path, { mode: 0o700 });
  writeFileSync(join(path, 'file'), 'bytes');
  const { uid, gid } = statSync(path);
  const client = await openSftp(t, at);
  const name = Buffer.from('directory');
  assert.deepEqual((await client.stat(name, scope)).owner, { uid, gid });
  await client.setstat(name, { owner: { uid, gid }, permissions: 0o755 }, scope);
  assert.equal(statSync(path).mode & 0o777, 0o755);

  // chown(1) with a user or a group alone.
  await client.setstat(name, { owner: { uid, gid: 0xffffffff } }, scope);
  await client.setstat(name, { owner: { uid: 0xffffffff, gid } }, scope);
  for (const owner of [
    { uid: uid + 1, gid },
    { uid, gid: gid + 1 },
    { uid: 0xffffffff, gid: gid + 1 },
  ]) {
    await assert.rejects(client.setstat(name, { owner }, scope), failsWith('DENIED'));
  }

  const handle = await client.open(Buffer.from('directory/new'), OPEN.WRITE | OPEN.CREAT, {}, scope);
  const made = await client.fstat(handle, 'fstat', scope);
  assert.ok(made.owner);
  await client.fsetstat(handle, { owner: made.owner }, 'fsetstat', scope);
  await client.close(handle);
});
