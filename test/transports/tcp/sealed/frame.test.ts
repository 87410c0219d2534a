import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FRAME, type FrameKind, FrameReader, frameHeader, longestBody } from '#xfer/transports/tcp/sealed/frame.js';
import { failsWith } from '../../../support/fails-with.js';

function frame(kind: FrameKind, id: number, body = ''): Buffer {
  return Buffer.concat([frameHeader(kind, id, body.length), Buffer.from(body)]);
}

function reading(onFrame: (kind: FrameKind, id: number, body: Buffer) => void = () => {}): {
  reader: FrameReader;
  seen: string[];
} {
  const seen: string[] = [];
  const reader = new FrameReader({
    onFrame: (kind, id, body) => {
      seen.push(`${kind}/${id}/${body}`);
      onFrame(kind, id, body);
    },
    onBytes: (id, bytes) => seen.push(`bytes/${id}/${bytes}`),
  });
  return { reader, seen };
}

test('frames come one by one, and the bytes of a file as they come', () => {
  const { reader, seen } = reading();
  const all = Buffer.concat([
    frame(FRAME.stat, 1, 'body'),
    frame(FRAME.bytes, 2, 'file'),
    frame(FRAME.end, 2),
    frame(FRAME.bytes, 3),
  ]);
  for (const byte of all) reader.take(Buffer.of(byte));
  assert.deepEqual(seen, ['17/1/body', 'bytes/2/f', 'bytes/2/i', 'bytes/2/l', 'bytes/2/e', '24/2/']);
  assert.ok(reader.atBoundary);
});

test('a reader that is stopped gives no frame more, and goes on where it was', () => {
  const { reader, seen } = reading(() => reader.stop());
  const all = Buffer.concat([frame(FRAME.stat, 1, 'a'), frame(FRAME.stat, 2, 'b'), frame(FRAME.bytes, 3, 'file')]);
  let left = all;
  const takenAt: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    reader.go();
    const taken = reader.take(left);
    takenAt.push(taken);
    left = left.subarray(taken);
  }
  assert.deepEqual(takenAt, [10, 10, 13]);
  assert.deepEqual(seen, ['17/1/a', '17/2/b', 'bytes/3/file']);
});

test('a length is refused by the header alone', () => {
  for (const kind of [FRAME.stat, FRAME.put, FRAME.bytes]) {
    const { reader } = reading();
    reader.take(frameHeader(kind, 1, longestBody(kind)));
    assert.throws(
      () => reading().reader.take(frameHeader(kind, 1, longestBody(kind) + 1)),
      failsWith('PROTOCOL', /is the most/),
    );
  }
  assert.throws(() => reading().reader.take(Buffer.alloc(9)), failsWith('PROTOCOL', /no such kind/));
});
