import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '#xfer/transport.js';
import { validatorsOf } from '#xfer/transports/http/listen/file/conditional.js';

const CHANGED_MS = 1_700_000_000_500;

const entryOf = (): Entry => ({ path: 'f', kind: 'file', size: 1, version: 'one', mtimeMs: CHANGED_MS });

test('a file that changed a moment ago has a weak tag, and a strong one later, for the same entry too', () => {
  const entry = entryOf();
  const young = validatorsOf(entry, CHANGED_MS + 1999);
  assert.match(young.etag ?? '', /^W\/"/);
  assert.equal(young.strong, false);
  const settled = validatorsOf(entry, CHANGED_MS + 2000);
  assert.equal(`W/${settled.etag}`, young.etag);
  assert.equal(settled.strong, true);
  assert.equal(settled.lastModifiedMs, 1_700_000_000_000);
  assert.equal(validatorsOf(entry, CHANGED_MS + 9000), settled);
});

test('a time to come is told to nobody, and is looked at again', () => {
  const entry = entryOf();
  assert.equal(validatorsOf(entry, CHANGED_MS - 5000).lastModifiedMs, undefined);
  assert.equal(validatorsOf(entry, CHANGED_MS + 1000).strong, false);
  assert.equal(validatorsOf(entry, CHANGED_MS + 5000).lastModifiedMs, 1_700_000_000_000);
});

test('another version has another tag', () => {
  const [one, other] = [validatorsOf(entryOf()), validatorsOf({ ...entryOf(), version: 'other' })];
  assert.notEqual(one.etag, other.etag);
  assert.equal(validatorsOf({ path: 'f', kind: 'file' }).etag, undefined);
});
