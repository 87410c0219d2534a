import assert from 'node:assert/strict';
import { lstatSync } from 'node:fs';
import { test } from 'node:test';
import { ownerOf } from '#xfer/transports/local/attributes.js';

test('whose a file is is told in the numbers of the system, and not on Windows, which has none', () => {
  const stats = Object.assign(lstatSync('.', { bigint: true }), { uid: 1000n, gid: 100n });
  assert.deepEqual(ownerOf(stats, 'linux'), { owner: { uid: 1000, gid: 100 } });
  assert.deepEqual(ownerOf(stats, 'win32'), {});
});
