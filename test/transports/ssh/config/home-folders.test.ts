import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { expandTilde, readHomeFolders } from '#xfer/transports/ssh/config/home-folders.js';
import { failsWith } from '../../../support/fails-with.js';

test('home directories are read from passwd, and are not known on Windows', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'xfer-passwd-'));
  try {
    const file = join(folder, 'passwd');
    await writeFile(
      file,
      '# c\nroot:x:0:0:root:/root:/bin/sh\nb:x:1:1::/home/b:/bin/sh\nb:x:2:2::/twice:\nodd\nc:x:3:3::rel:\n',
    );
    const homes = await readHomeFolders('linux', file);
    assert.deepEqual(
      [...homes],
      [
        ['root', '/root'],
        ['b', '/home/b'],
      ],
    );
    assert.equal((await readHomeFolders('linux', join(folder, 'missing'))).size, 0);
    assert.equal((await readHomeFolders('win32', file)).size, 0);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a tilde stands for the home directory of its user', () => {
  const homes = {
    platform: 'linux' as const,
    home: '/home/me',
    localUser: 'me',
    others: new Map([
      ['b', '/srv/b/'],
      ['me', '/elsewhere'],
    ]),
  };
  for (const [path, expected] of [
    ['~', '/home/me/'],
    ['~/', '/home/me/'],
    ['~//x//y', '/home/me/x//y'],
    ['~me/x', '/home/me/x'],
    ['~b', '/srv/b/'],
    ['~b//x', '/srv/b/x'],
    ['/~b', '/~b'],
    ['x~', 'x~'],
  ] as const) {
    assert.equal(expandTilde(path, homes), expected, path);
  }
  const windows = { platform: 'win32' as const, home: 'C:\\Users\\me', localUser: 'me', others: new Map() };
  assert.equal(expandTilde('~\\.ssh\\id', windows), 'C:\\Users\\me/.ssh\\id');
  assert.equal(expandTilde('~/.ssh/id', windows), 'C:\\Users\\me/.ssh/id');
  assert.throws(() => expandTilde('~b\\x', windows), failsWith('USAGE', /home directory of b is not known/));
  assert.throws(() => expandTilde('~stranger/x', homes), failsWith('USAGE', /home directory of stranger is not known/));
});
