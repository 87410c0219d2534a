import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesFromName } from '#xfer/names.js';
import {
  clientPath,
  homePath,
  isShownTarget,
  linkTarget,
  shownPath,
} from '#xfer/transports/ssh/listen/client-paths.js';
import { failsWith } from '../../../support/fails-with.js';

const bytes = (text: string): Buffer => bytesFromName(text);

test('a client’s path never leads above the root', () => {
  const cases: [string, string][] = [
    ['', ''],
    ['/', ''],
    ['.', ''],
    ['//a//b/', 'a/b'],
    ['/..', ''],
    ['../../a', 'a'],
    ['a/../../b/./c', 'b/c'],
    ['a/..b/...', 'a/..b/...'],
    ['a\\..\\b', 'a\\..\\b'],
    ['\udcff', '\udcff'],
  ];
  for (const [typed, path] of cases) assert.equal(clientPath(bytes(typed)), path, typed);
  assert.deepEqual(shownPath('a/\udcff'), Buffer.from([0x2f, 0x61, 0x2f, 0xff]));
  assert.throws(() => clientPath(bytes('a\0b')), failsWith('NOT_FOUND'));
  assert.throws(() => clientPath(Buffer.alloc(4097, 'a')), failsWith('UNSAFE_PATH'));
});

test('home is the root, and nobody else has one', () => {
  for (const [typed, path] of [
    ['~', ''],
    ['~/a', 'a'],
    ['~/../a', 'a'],
    ['a', 'a'],
    ['/a', 'a'],
  ] as const) {
    assert.equal(homePath(bytes(typed)), path, typed);
  }
  assert.throws(() => homePath(bytes('~root/x')), failsWith('NOT_FOUND'));
});

test('the target of a link is stored relative, and stays below the root', () => {
  const cases: [string, string, string][] = [
    ['l', 'f', 'f'],
    ['a/b/l', '../../f', '../../f'],
    ['a/b/l', '/x/y', '../../x/y'],
    ['l', '/', '.'],
    ['l', '/../x', 'x'],
    ['a/l', './../f/', './../f/'],
  ];
  for (const [link, target, stored] of cases) {
    assert.equal(linkTarget(link, bytes(target)), stored, target);
    assert.equal(isShownTarget(link, stored), true);
  }
  for (const target of ['..', '../x', 'a/../../x', '../root/x']) {
    assert.throws(() => linkTarget('l', bytes(target)), failsWith('DENIED'), target);
    assert.equal(isShownTarget('l', target), false);
  }
  assert.throws(() => linkTarget('l', bytes('')), failsWith('NOT_FOUND'));
  assert.equal(isShownTarget('a/l', '/etc/passwd'), false);
});
