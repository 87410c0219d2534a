import assert from 'node:assert/strict';
import { test } from 'node:test';
import { draftName } from '#xfer/draft-name.js';
import { bytesFromName } from '#xfer/names.js';

const entry = { path: 'f', kind: 'file', size: 5 } as const;

test('the same version has the same draft, another version or size another', () => {
  const first = draftName('f', { ...entry, version: 'v' });
  assert.equal(first, draftName('f', { ...entry, version: 'v' }));
  assert.notEqual(first, draftName('f', { ...entry, version: 'w' }));
  assert.notEqual(first, draftName('f', { ...entry, version: 'v', size: 6 }));
  assert.match(first, /^\.f\.[0-9a-f]{12}\.xfer-part$/);
});

test('without a version no two drafts have one name', () => {
  const names = new Set(Array.from({ length: 1000 }, () => draftName('f', entry)));
  assert.equal(names.size, 1000);
});

test('a long name is cut between characters, and stays within 255 bytes', () => {
  for (const name of ['a'.repeat(255), 'é'.repeat(127), '😀'.repeat(63), '\udcff'.repeat(255)]) {
    const draft = draftName(name, { ...entry, version: 'v' });
    assert.ok(bytesFromName(draft).length <= 255);
    assert.ok(draft.isWellFormed() || !name.isWellFormed(), draft);
  }
});
