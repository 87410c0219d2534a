/** Files that a client of the listener has open while others change them. */
import assert from 'node:assert/strict';
import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { OPEN } from '#xfer/transports/ssh/sftp/codec.js';
import { openSftp, place, scope } from './rig.js';

test('a file that grows while it is read is as long as it is by now, whatever its name', async (t) => {
  const at = await place(t);
  writeFileSync(join(at.root, 'log'), 'one\n');
  const client = await openSftp(t, at);
  const handle = await client.open(Buffer.from('log'), OPEN.READ, {}, scope);
  assert.equal((await client.fstat(handle, 'fstat')).size, 4);
  appendFileSync(join(at.root, 'log'), 'two\n');
  renameSync(join(at.root, 'log'), join(at.root, 'log.1'));
  assert.equal((await client.fstat(handle, 'fstat')).size, 8);
  assert.equal((await client.read(handle, 4, 10, 'read'))?.toString(), 'two\n');
});
