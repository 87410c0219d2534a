/** What a program may tell a copy without a type that keeps it out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CopyOptions, copy } from '#xfer/copy/index.js';
import { createMemoryTree, openMemorySink, openMemorySource } from '#xfer/transports/memory/index.js';
import { makeFile, putNode } from '#xfer/transports/memory/tree.js';
import { failsWith } from '../support/fails-with.js';

const ENDS_WITHIN = { timeout: 10_000 };

function copied(options: object) {
  const tree = createMemoryTree();
  putNode(tree, '', 'f', makeFile(tree, Buffer.alloc(3)));
  return copy([openMemorySource(tree, 'f')], openMemorySink(tree, 'g'), options as CopyOptions);
}

const REFUSED: readonly [object, RegExp][] = [
  ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '4', null].flatMap((value): [object, RegExp][] => [
    [{ filesInFlight: value }, /filesInFlight is .*, and may be a whole number above 0$/],
    [{ lanes: value }, /lanes is .*, and may be a whole number above 0$/],
    [{ blockBytes: value }, /blockBytes is .*, and may be a whole number above 0$/],
  ]),
  ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY].map((value): [object, RegExp] => [
    { limitBytesPerSecond: value },
    /limitBytesPerSecond is .*, and may be a number above 0$/,
  ]),
  ...[0, -1, Number.NaN].map((value): [object, RegExp] => [{ retry: { attempts: value } }, /retry\.attempts is /]),
  [{ retry: { firstDelayMs: Number.NaN } }, /retry\.firstDelayMs is NaN, and may be a number of at least 0$/],
  [{ retry: { maxDelayMs: -1 } }, /retry\.maxDelayMs is -1/],
  [{ verify: 'md5' }, /verify is a text, and may be one of size, sha256$/],
  [{ overwrite: 'xx' }, /overwrite is a text, and may be one of always, never, newer, shorter$/],
  [{ exclude: '*.tmp' }, /exclude is a text, and may be a list of texts$/],
  [{ include: [1] }, /include is an object/],
  [{ journalDirectory: '' }, /journalDirectory is an empty text/],
];

test('an option that cannot be followed is USAGE, with its name and what it may be', ENDS_WITHIN, async () => {
  for (const [options, text] of REFUSED) await assert.rejects(copied(options), failsWith('USAGE', text));
});

test('an option that can be followed is', ENDS_WITHIN, async () => {
  const least = { filesInFlight: 1, lanes: 1, blockBytes: 1, limitBytesPerSecond: 0.5e6 };
  const endless = { attempts: Number.POSITIVE_INFINITY, firstDelayMs: 0, maxDelayMs: 0 };
  const result = await copied({ ...least, retry: endless, verify: 'sha256', overwrite: 'shorter' });
  assert.equal(result.files, 1);
  assert.equal((await copied({ filesInFlight: undefined, verify: undefined })).files, 1);
});
