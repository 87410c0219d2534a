/** Directories of one's own: made where they can be, and said to be unusable where not. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeOwnDirectory, makeWritableDirectory } from '#xfer/files/own-directory.js';

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'xfer-own-'));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('what is missing is made, for nobody else to look into, however many ask at once', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'a', 'b', 'c');
    await Promise.all(Array.from({ length: 8 }, () => makeWritableDirectory(path)));
    if (process.platform !== 'win32') assert.equal((await stat(join(folder, 'a'))).mode & 0o777, 0o700);
    assert.deepEqual(await readdir(path), []);
  }));

test('a file in the way is said, and not replaced', () =>
  withFolder(async (folder) => {
    const file = join(folder, 'file');
    await writeFile(file, 'x');
    await assert.rejects(makeWritableDirectory(file), { code: /^E(?:NOTDIR|NOENT|EXIST)$/ });
    await assert.rejects(makeWritableDirectory(join(file, 'below')), { code: /^E(?:NOTDIR|NOENT|EXIST)$/ });
    assert.ok((await stat(file)).isFile());
  }));

const onLinux = process.platform === 'linux' ? {} : { skip: 'Linux has /proc' };
test('a place in which nothing can be made is said to be so at once', { ...onLinux, timeout: 5000 }, async () => {
  await assert.rejects(makeOwnDirectory('/proc/xfer/below'), { code: /^E(?:NOENT|ACCES|PERM|ROFS)$/ });
});
