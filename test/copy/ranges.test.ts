import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocks, holes, intersect, normalize, totalBytes } from '#xfer/copy/ranges.js';

test('normalize sorts, merges, clips and drops what is empty or impossible', () => {
  const spans = [
    { start: 50, end: 70 },
    { start: 0, end: 10 },
    { start: 10, end: 20 },
    { start: 60, end: 500 },
    { start: 5, end: 5 },
    { start: 30, end: 25 },
    { start: Number.NaN, end: 4 },
  ];
  assert.deepEqual(normalize(spans, 100), [
    { start: 0, end: 20 },
    { start: 50, end: 100 },
  ]);
});

test('holes are what is missing, at both ends and between', () => {
  const held = [
    { start: 5, end: 10 },
    { start: 20, end: 30 },
  ];
  assert.deepEqual(holes(held, 40), [
    { start: 0, end: 5 },
    { start: 10, end: 20 },
    { start: 30, end: 40 },
  ]);
  assert.deepEqual(holes([], 0), []);
  assert.deepEqual(holes([{ start: 0, end: 7 }], 7), []);
});

test('intersect keeps what both hold', () => {
  const a = [
    { start: 0, end: 10 },
    { start: 20, end: 30 },
  ];
  assert.deepEqual(intersect(a, [{ start: 5, end: 25 }]), [
    { start: 5, end: 10 },
    { start: 20, end: 25 },
  ]);
});

const MIB = 1 << 20;

test('blocks cover the spans in order', () => {
  const spans = [
    { start: 3, end: 12 },
    { start: 20, end: 21 },
  ];
  const cut = [...blocks(spans, 4)];
  assert.deepEqual(cut, [
    { start: 3, end: 7 },
    { start: 7, end: 11 },
    { start: 11, end: 12 },
    { start: 20, end: 21 },
  ]);
  assert.equal(totalBytes(cut), totalBytes(spans));
});

test('blocks become shorter towards the end, so that no taker is left alone with a long one', () => {
  const lengths = [...blocks([{ start: 0, end: 256 * MIB }], 8 * MIB, 4)].map(({ start, end }) => (end - start) / MIB);
  assert.equal(
    lengths.reduce((sum, length) => sum + length),
    256,
  );
  assert.ok(lengths.slice(0, 24).every((length) => length === 8));
  assert.ok(lengths.every((length, at) => Number.isInteger(length) && length <= (lengths[at - 1] ?? 8)));
  assert.deepEqual(lengths.slice(-4), [1, 1, 1, 1]);
});

test('without takers all blocks but the last have the same length', () => {
  const cut = [...blocks([{ start: 1, end: 1 + 20 * MIB }], 8 * MIB)];
  assert.deepEqual(
    cut.map(({ start, end }) => (end - start) / MIB),
    [8, 8, 4],
  );
});
