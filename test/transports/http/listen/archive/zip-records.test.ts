import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  centralHeader,
  centralHeaderLength,
  descriptor,
  descriptorLength,
  endRecords,
  localHeader,
  localHeaderLength,
  type ZipEntry,
} from '#xfer/transports/http/listen/archive/zip-records.js';

const FOUR_GIB = 2 ** 32;
const TIME_MS = Date.UTC(2024, 4, 6, 7, 8, 9);

function entry(change: Partial<ZipEntry> = {}): ZipEntry {
  return { name: Buffer.from('top/a'), folder: false, size: 10, mtimeMs: TIME_MS, mode: 0o640, ...change };
}

/** The extra fields of a header, by their number. */
function extras(header: Buffer, fixed: number): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = fixed + 'top/a'.length; at < header.length; at += 4 + header.readUInt16LE(at + 2)) {
    found.set(header.readUInt16LE(at), header.subarray(at + 4, at + 4 + header.readUInt16LE(at + 2)));
  }
  return found;
}

for (const size of [0, 1, FOUR_GIB - 2, FOUR_GIB - 1, FOUR_GIB, 2 ** 45]) {
  for (const offset of [0, FOUR_GIB - 2, FOUR_GIB - 1, 2 ** 45]) {
    test(`a file of ${size} bytes at ${offset}`, () => {
      const one = entry({ size });
      const [local, central] = [localHeader(one), centralHeader(one, offset, 7)];
      const nameLength = one.name.length;
      assert.equal(local.length, localHeaderLength(nameLength, size, TIME_MS));
      assert.equal(central.length, centralHeaderLength(nameLength, size, TIME_MS, offset));
      const [big, far] = [size >= FOUR_GIB - 1, offset >= FOUR_GIB - 1];
      assert.equal(extras(local, 30).get(1)?.length, big ? 16 : undefined);
      assert.equal(central.readUInt32LE(24), big ? FOUR_GIB - 1 : size);
      assert.equal(central.readUInt32LE(42), far ? FOUR_GIB - 1 : offset);
      const long = extras(central, 46).get(1) ?? Buffer.alloc(0);
      const values = Array.from({ length: long.length / 8 }, (_, index) => Number(long.readBigUInt64LE(index * 8)));
      assert.deepEqual(values, [...(big ? [size, size] : []), ...(far ? [offset] : [])]);
      if (size === 0) assert.equal(descriptorLength(size), 0);
      else {
        const after = descriptor(size, 7);
        assert.equal(after.length, descriptorLength(size));
        assert.equal(big ? Number(after.readBigUInt64LE(8)) : after.readUInt32LE(8), size);
        assert.equal(after.readUInt32LE(4), 7);
      }
    });
  }
}

test('the end says in ZIP64 what its own fields cannot', () => {
  const directory = { count: 65_534, length: 5_000_000, start: 6_000_000 };
  const short = endRecords(directory);
  assert.equal(short.length, 22);
  assert.deepEqual([short.readUInt16LE(10), short.readUInt32LE(12), short.readUInt32LE(16)], [65_534, 5e6, 6e6]);
  for (const change of [{ count: 65_535 }, { length: FOUR_GIB - 1 }, { start: 2 ** 40 }]) {
    const changed = { ...directory, ...change };
    const end = endRecords(changed);
    assert.equal(end.length, 56 + 20 + 22);
    assert.deepEqual(
      [24, 32, 40, 48].map((at) => Number(end.readBigUInt64LE(at))),
      [changed.count, changed.count, changed.length, changed.start],
    );
    assert.equal(Number(end.readBigUInt64LE(56 + 8)), changed.start + changed.length);
  }
});

test('names, modes and folders', () => {
  const flags = (name: Buffer): number => centralHeader(entry({ name, size: 0 }), 0, 0).readUInt16LE(8);
  assert.equal(flags(Buffer.from('plain')), 0);
  assert.equal(flags(Buffer.from('é')), 0x800);
  assert.equal(flags(Buffer.from('\xe9', 'latin1')), 0, 'no bytes that are not UTF-8 are called so');
  const folder = centralHeader(entry({ folder: true, size: 0, mode: 0o750 }), 0, 0);
  assert.deepEqual([folder.readUInt16LE(40), folder.readUInt8(38)], [0o040750, 0x10]);
  assert.deepEqual([folder.readUInt8(5), centralHeader(entry(), 0, 0).readUInt16LE(40)], [3, 0o100640]);
});

test('times are those of the file, in UTC, as far as each field reaches', () => {
  const dos = (mtimeMs: number): number[] => {
    const value = localHeader(entry({ mtimeMs })).readUInt32LE(10);
    const [date, time] = [Math.floor(value / 65_536), value % 65_536];
    return [1980 + (date >> 9), (date >> 5) & 15, date & 31, time >> 11, (time >> 5) & 63, (time & 31) * 2];
  };
  assert.deepEqual(dos(TIME_MS), [2024, 5, 6, 7, 8, 8]);
  assert.deepEqual(dos(-1), [1980, 1, 1, 0, 0, 0]);
  assert.deepEqual(dos(Number.NaN), [1980, 1, 1, 0, 0, 0]);
  assert.deepEqual(dos(Date.UTC(2200, 0, 1)).slice(0, 3), [2107, 12, 31]);
  const stamp = (mtimeMs: number) =>
    extras(localHeader(entry({ mtimeMs })), 30)
      .get(0x5455)
      ?.readInt32LE(1);
  assert.equal(stamp(TIME_MS), TIME_MS / 1000);
  assert.equal(stamp(-1500), -2);
  assert.equal(stamp(2 ** 31 * 1000), undefined);
  assert.equal(stamp(Number.NaN), undefined);
});
