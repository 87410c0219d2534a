import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pieces } from '#xfer/transports/tcp/pieces.js';
import { Slabs } from '#xfer/transports/tcp/slabs.js';

/** Receives `length` bytes that are all `letter`. */
function receive(slabs: Slabs, length: number, letter: string): Buffer {
  slabs.room().fill(letter, 0, length);
  return slabs.take(length);
}

test('what was not given back is never written over', () => {
  const slabs = new Slabs();
  const kept: [Buffer, string][] = [];
  let seed = 1;
  for (let round = 0; round < 200; round++) {
    seed = (seed * 48271) % 2147483647;
    const letter = String.fromCharCode(97 + (round % 26));
    const bytes = receive(slabs, 1 + (seed % 200_000), letter);
    // A third is given back later, in two pieces; a third at once; a third never.
    if (round % 3 === 0) kept.push([bytes, letter]);
    else if (round % 3 === 1) slabs.give(bytes);
    else kept.unshift([bytes, letter]);
    if (round % 7 !== 6) continue;
    const [first] = kept.splice(kept.length - 1, 1);
    if (!first) continue;
    slabs.give(first[0].subarray(0, 1));
    slabs.give(first[0].subarray(1));
  }
  for (const [bytes, letter] of kept) assert.ok(bytes.equals(Buffer.alloc(bytes.length, letter)), letter);
});

test('slabs of which all was given back are used again, and there is always room', () => {
  const slabs = new Slabs();
  const used = new Set<ArrayBufferLike>();
  let before: Buffer | undefined;
  for (let round = 0; round < 500; round++) {
    assert.ok(slabs.room().length >= 65_536);
    const bytes = receive(slabs, 60_000, 'x');
    used.add(bytes.buffer);
    // One piece behind, as a writer is.
    if (before) slabs.give(before);
    before = bytes;
  }
  assert.ok(used.size <= 2, `${used.size} slabs`);
});

test('foreign bytes are not taken back', () => {
  const slabs = new Slabs();
  const foreign = Buffer.alloc(10);
  slabs.give(foreign);
  assert.notEqual(receive(slabs, 10, 'x').buffer, foreign.buffer);
});

test('pieces side by side are one; others stay apart, in order', () => {
  const [one, other] = [Buffer.from('abcdef'), Buffer.from('xyz')];
  const memory = Buffer.alloc(9);
  one.copy(memory);
  const pieces = new Pieces();
  for (const piece of [memory.subarray(0, 2), memory.subarray(2, 4), memory.subarray(5, 6), Buffer.from(other)]) {
    pieces.add(piece);
  }
  assert.equal(pieces.bytes, 8);
  const got: string[] = [];
  for (let piece = pieces.next(); piece; piece = pieces.next()) got.push(piece.toString());
  assert.deepEqual(got, ['abcd', 'f', 'xyz']);
  assert.equal(pieces.bytes, 0);
});
