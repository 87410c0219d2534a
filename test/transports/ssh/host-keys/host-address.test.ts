import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalAddress, isLoopback, looksLikeAddress } from '#xfer/transports/ssh/host-keys/host-address.js';

test('an address gets its usual spelling, as getaddrinfo() reads it', () => {
  for (const [written, usual] of [
    ['127.0.0.1', '127.0.0.1'],
    ['127.1', '127.0.0.1'],
    ['1.2.3', '1.2.0.3'],
    ['0x7f.1', '127.0.0.1'],
    ['010.0.0.1', '8.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['::0001', '::1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['fe80::1%lo', 'fe80::1%lo'],
    ['256.1', undefined],
    ['1.2.3.256', undefined],
    ['4294967296', undefined],
    ['08.1', undefined],
    ['1.2.3.4.', undefined],
    ['1..2', undefined],
    ['0x', undefined],
    ['', undefined],
    ['a.b', undefined],
    ['1:2', undefined],
  ] as const) {
    assert.equal(canonicalAddress(written, 'any'), usual, written);
  }
  assert.equal(canonicalAddress('127.1', 'inet6'), undefined);
  assert.equal(canonicalAddress('::1', 'inet'), undefined);
});

test('what can only be an address, and what is this machine', () => {
  assert.deepEqual(['1.2.3.4.5', '::x', 'a%b', 'a', '0x7f.1'].map(looksLikeAddress), [true, true, true, false, false]);
  const local = ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '128.0.0.1', '::2', '127.evil.example'];
  assert.deepEqual(local.map(isLoopback), [true, true, true, true, false, false, false]);
});
