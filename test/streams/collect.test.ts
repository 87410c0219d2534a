import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { collect } from '#xfer/streams/collect.js';

const pieces = () => Readable.from([Buffer.from('ab'), Buffer.from('cd')], { objectMode: false });
const tooLong = () => new RangeError('too long');

test('a short stream comes whole, also one of no bytes', async () => {
  assert.equal((await collect(pieces(), 4, tooLong)).toString(), 'abcd');
  assert.equal((await collect(Readable.from([]), 0, tooLong)).length, 0);
});

test('one that is too long, or without end, is closed', async () => {
  const long = pieces();
  await assert.rejects(collect(long, 3, tooLong), RangeError);
  assert.ok(long.destroyed);
  const endless = new Readable({ read: () => endless.push(Buffer.alloc(10)) });
  await assert.rejects(collect(endless, 1000, tooLong), RangeError);
  assert.ok(endless.destroyed);
});
