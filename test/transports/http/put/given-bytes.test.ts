import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkNext, checkRoom, checkWhole } from '#xfer/transports/http/put/given-bytes.js';
import { failsWith } from '../../../support/fails-with.js';

const url = new URL('http://anna:secret@example.org/f');

test('bytes that do not follow, are too many or too few are told apart, without a password', () => {
  checkNext(url, 3, 3);
  checkRoom(url, 3, 3);
  checkRoom(url, 3, undefined);
  checkWhole(url, 3, 3);
  assert.throws(() => checkNext(url, 3, 4), failsWith('UNSUPPORTED', /middle/));
  assert.throws(() => checkNext(url, 3, 2), failsWith('UNSUPPORTED', /middle/));
  assert.throws(() => checkRoom(url, 4, 3), failsWith('SOURCE_CHANGED', /more than 3 bytes/));
  assert.throws(() => checkWhole(url, 2, 3), failsWith('TRUNCATED', /^put http:\/\/[^:]*: 2 of 3 bytes/));
});
