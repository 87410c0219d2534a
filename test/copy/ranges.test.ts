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
