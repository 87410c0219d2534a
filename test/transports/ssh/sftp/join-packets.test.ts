import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinPackets } from '#xfer/transports/ssh/sftp/join-packets.js';

const packets = (...sizes: number[]) => sizes.map((size, at) => Buffer.alloc(size, at + 1));
const sizesOf = (pieces: Iterable<Buffer>) => [...pieces].map(({ length }) => length);

test('packets that fit together are one piece, in their order', () => {
  const all = packets(10, 20_000, 12_000, 1000, 32_768, 5);
  assert.deepEqual(sizesOf(joinPackets(all)), [32_010, 1000, 32_768, 5]);
  assert.ok(Buffer.concat([...joinPackets(all)]).equals(Buffer.concat(all)));
});

test('a longer packet goes by itself, and as it is', () => {
  const all = packets(1, 300_000, 1);
  const pieces = [...joinPackets(all)];
  assert.deepEqual(sizesOf(pieces), [1, 300_000, 1]);
  assert.equal(pieces[1], all[1]);
  assert.deepEqual([...joinPackets([])], []);
});
