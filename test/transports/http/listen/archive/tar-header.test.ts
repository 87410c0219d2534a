import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TarEntry, tarHeader, tarHeaderLength } from '#xfer/transports/http/listen/archive/tar-header.js';

function header(change: Partial<TarEntry>): Buffer {
  const entry = { name: Buffer.from('top/a'), folder: false, size: 10, mtimeSeconds: 5, mode: 0o640, ...change };
  const bytes = tarHeader(entry);
  assert.equal(bytes.length, tarHeaderLength(entry));
  assert.equal(bytes.length % 512, 0);
  for (const at of bytes.length === 512 ? [0] : [0, bytes.length - 512]) checkSum(bytes.subarray(at, at + 512));
  return bytes;
}

function checkSum(block: Buffer): void {
  const spaced = Buffer.from(block);
  spaced.fill(' ', 148, 156);
  assert.equal(
    Number.parseInt(block.toString('latin1', 148, 154), 8),
    spaced.reduce((sum, byte) => sum + byte, 0),
  );
}

/** The records of an extended header, which stands first, as one character for each byte. */
function records(bytes: Buffer): Record<string, string> {
  assert.equal(bytes.toString('latin1', 156, 157), 'x');
  const found: Record<string, string> = {};
  let left = bytes.subarray(512, 512 + Number.parseInt(bytes.toString('latin1', 124, 135), 8));
  while (left.length > 0) {
    const space = left.indexOf(' ');
    const line = left.toString('latin1', space + 1, Number(left.toString('latin1', 0, space)));
    assert.ok(line.endsWith('\n'));
    found[line.slice(0, line.indexOf('='))] = line.slice(line.indexOf('=') + 1, -1);
    left = left.subarray(space + 1 + line.length);
  }
  return found;
}

const text = (bytes: Buffer, from: number, to: number): string =>
  bytes.toString('latin1', from, to).replace(/\0.*$/s, '');

test('what the old fields hold stands there alone', () => {
  const plain = header({});
  assert.equal(plain.length, 512);
  assert.deepEqual(
    [text(plain, 0, 100), text(plain, 100, 108), text(plain, 124, 136), text(plain, 136, 148), text(plain, 156, 157)],
    ['top/a', '0000640', '00000000012', '00000000005', '0'],
  );
  assert.equal(text(header({ folder: true, size: 0 }), 156, 157), '5');
  assert.equal(header({ size: 8 ** 11 - 1 }).length, 512);
  const raw = header({ name: Buffer.from('top/\xe9', 'latin1') });
  assert.equal(text(raw, 0, 100), 'top/\xe9', 'bytes that are not UTF-8 stay as they are');
});

test('a long name is parted at a slash, where it can be', () => {
  const deep = `${'d'.repeat(120)}/${'f'.repeat(100)}`;
  const parted = header({ name: Buffer.from(deep) });
  assert.equal(`${text(parted, 345, 500)}/${text(parted, 0, 100)}`, deep);
  for (const name of ['f'.repeat(101), `${'d'.repeat(156)}/f`, `${'d'.repeat(120)}/`, `d/${'f'.repeat(101)}`]) {
    assert.deepEqual(records(header({ name: Buffer.from(name) })), { path: name });
  }
});

test('the extended header says what the old fields cannot', () => {
  const [size, mtimeSeconds] = [8 ** 11, -3];
  assert.deepEqual(records(header({ size })), { size: String(size) });
  assert.deepEqual(records(header({ mtimeSeconds })), { mtime: '-3' });
  assert.deepEqual(records(header({ name: Buffer.from('é') })), { path: '\xc3\xa9' });
  const raw = Buffer.from('\xe9'.repeat(200), 'latin1');
  assert.deepEqual(records(header({ name: raw })), { hdrcharset: 'BINARY', path: raw.toString('latin1') });
});

test('the length of a record counts its own digits', () => {
  for (let length = 85; length < 115; length += 1) {
    const name = 'é'.repeat(Math.floor(length / 2)) + 'x'.repeat(length % 2);
    assert.equal(records(header({ name: Buffer.from(name) })).path, Buffer.from(name).toString('latin1'));
  }
});
