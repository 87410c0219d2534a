import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { nameFault } from '#xfer/name-fault.js';
import { childPlace, isInside, joinRoot, placeOf } from '#xfer/transports/local/root.js';

const REFUSED_ON_WINDOWS = [
  'CON',
  'nul.txt',
  'COM1',
  'lpt9.log',
  'COM¹',
  'a.',
  'a ',
  'x:ads',
  'a\\b',
  '..\\x',
  '..\\..\\x',
  'C:\\x',
  'C:x',
  '\\\\srv\\s\\x',
  'con',
  'NUL .txt',
  'a\u0001b',
  'a|b',
  'a?b',
  'CONIN$',
];

for (const name of REFUSED_ON_WINDOWS) {
  test(`${JSON.stringify(name)} is no name on Windows, and is one elsewhere`, () => {
    assert.throws(() => joinRoot('C:\\root', name, 'win32'), { code: 'UNSAFE_PATH' });
    assert.throws(() => childPlace('C:\\root', name, 'win32'), { code: 'UNSAFE_PATH' });
    assert.equal(joinRoot('/root', name, 'linux'), `/root/${name}`);
    assert.equal(childPlace('/root', name, 'linux'), `/root/${name}`);
  });
}

for (const name of ['../x', '/abs', 'a/../../x', 'a//b', '.', '..', 'a/.', 'a\0b', 'a/']) {
  test(`${JSON.stringify(name)} leaves its directory`, () => {
    for (const platform of ['linux', 'darwin', 'win32'] as const) {
      assert.throws(() => joinRoot('/root', name, platform), { code: 'UNSAFE_PATH' });
    }
  });
}

test('a name has at most 255 bytes, on Windows 255 units of UTF-16', () => {
  assert.equal(nameFault('é'.repeat(127), 'linux'), undefined);
  assert.match(nameFault('é'.repeat(128), 'linux') ?? '', /255/);
  assert.equal(nameFault('あ'.repeat(255), 'win32'), undefined);
  assert.match(nameFault('あ'.repeat(256), 'win32') ?? '', /longer than 255 characters/);
});

test('joins with the separator of the platform', () => {
  assert.equal(joinRoot('C:\\root', 'a/b', 'win32'), 'C:\\root\\a\\b');
  assert.equal(joinRoot('/', 'a', 'linux'), '/a');
  assert.equal(joinRoot('/root', '', 'linux'), '/root');
  assert.equal(childPlace('/', 'a', 'linux'), '/a');
  assert.equal(childPlace('C:\\root', 'a', 'win32'), 'C:\\root\\a');
});

test('a sibling whose name starts alike is not inside', () => {
  assert.equal(isInside('/t/root', '/t/root_evil/secret', 'linux'), false);
  assert.equal(isInside('/t/root', '/t/root/x', 'linux'), true);
  assert.equal(isInside('/', '/x', 'linux'), true);
});

test('.. after a link is above what the link leads to, but on Windows', async (t) => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'xfer-place-')));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'a', 'b'), { recursive: true });
  symlinkSync(join('a', 'b'), join(root, 'link'));
  assert.equal(await placeOf('x/./y/', 'linux'), resolve('x/y'));
  assert.equal(await placeOf(`${root}/link`, 'linux'), join(root, 'link'));
  assert.equal(await placeOf(`${root}/none/../x`, 'linux'), undefined);
  assert.equal(await placeOf('/..', 'linux'), '/');
  if (process.platform === 'win32') return;
  for (const base of [root, relative(process.cwd(), root)]) {
    assert.equal(await placeOf(`${base}/link/..`, 'linux'), join(root, 'a'), base);
    assert.equal(await placeOf(`${base}/link/../new/`, 'linux'), join(root, 'a', 'new'), base);
    assert.equal(await placeOf(`${base}/link/../x`, 'win32'), join(root, 'x'), base);
  }
});
