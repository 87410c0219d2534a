import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInside, joinRoot, nameFault } from '#xfer/transports/local/root.js';

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
  'a\u0001b',
  'a|b',
  'a?b',
  'CONIN$',
];

for (const name of REFUSED_ON_WINDOWS) {
  test(`${JSON.stringify(name)} is no name on Windows, and is one elsewhere`, () => {
    assert.throws(() => joinRoot('C:\\root', name, 'win32'), { code: 'UNSAFE_PATH' });
    assert.equal(joinRoot('/root', name, 'linux'), `/root/${name}`);
  });
}

for (const name of ['../x', '/abs', 'a/../../x', 'a//b', '.', '..', 'a/.', 'a\0b', 'a/']) {
  test(`${JSON.stringify(name)} leaves its directory`, () => {
    for (const platform of ['linux', 'darwin', 'win32'] as const) {
      assert.throws(() => joinRoot('/root', name, platform), { code: 'UNSAFE_PATH' });
    }
  });
}

test('a name has at most 255 bytes', () => {
  assert.equal(nameFault('é'.repeat(127), 'linux'), undefined);
  assert.match(nameFault('é'.repeat(128), 'linux') ?? '', /255/);
});

test('joins with the separator of the platform', () => {
  assert.equal(joinRoot('C:\\root', 'a/b', 'win32'), 'C:\\root\\a\\b');
  assert.equal(joinRoot('/', 'a', 'linux'), '/a');
  assert.equal(joinRoot('/root', '', 'linux'), '/root');
});

test('a sibling whose name starts alike is not inside', () => {
  assert.equal(isInside('/t/root', '/t/root_evil/secret', 'linux'), false);
  assert.equal(isInside('/t/root', '/t/root/x', 'linux'), true);
  assert.equal(isInside('/', '/x', 'linux'), true);
});
