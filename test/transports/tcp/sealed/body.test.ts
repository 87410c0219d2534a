import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameFromBytes } from '#xfer/names.js';
import { failsWith } from '../../../support/fails-with.js';
import { BodyReader, BodyWriter } from '../../../support/sealed.js';

test('parts are read back in their order, and to the last byte', () => {
  const name = nameFromBytes(Buffer.from([0x66, 0xff, 0x80]));
  const written = new BodyWriter()
    .u8(255)
    .u16(65_535)
    .u32(2 ** 32 - 1)
    .u64(Number.MAX_SAFE_INTEGER)
    .f64(-0.5)
    .text(name)
    .raw(Buffer.of(9));
  const body = new BodyReader(written.bytes());
  assert.deepEqual(
    [body.u8(), body.u16(), body.u32(), body.u64(), body.f64(), body.text()],
    [255, 65_535, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER, -0.5, name],
  );
  assert.throws(() => body.end(), failsWith('PROTOCOL', /1 bytes are left over/));
  assert.deepEqual(body.rest(), Buffer.of(9));
  body.end();
});

test('what is too long, too large or cut short is a breach', () => {
  assert.throws(() => new BodyReader(Buffer.alloc(7)).u64(), failsWith('PROTOCOL', /cut short/));
  assert.throws(() => new BodyReader(Buffer.alloc(8, 0xff)).u64(), failsWith('PROTOCOL', /too large/));
  assert.throws(() => new BodyReader(Buffer.from('7ff0000000000000', 'hex')).f64(), failsWith('PROTOCOL'));
  assert.throws(
    () => new BodyReader(Buffer.concat([Buffer.of(0x10, 1), Buffer.alloc(4097)])).text(),
    failsWith('PROTOCOL', /too long/),
  );
  assert.equal(new BodyReader(Buffer.concat([Buffer.of(0x10, 0), Buffer.alloc(4096)])).text().length, 4096);
  assert.throws(() => new BodyWriter().text('x'.repeat(4097)), failsWith('UNSAFE_PATH'));
});
