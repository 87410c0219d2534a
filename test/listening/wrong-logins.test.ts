import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkOf, plainAddress } from '#xfer/listening/client-address.js';
import { WrongLogins } from '#xfer/listening/wrong-logins.js';

const WAITS = { wrongPasswordMs: 500, mostWrongPasswordMs: 8000 };

test('each wrong login of a network waits longer than the one before, up to the most', () => {
  const wrong = new WrongLogins(WAITS);
  const waits = Array.from({ length: 7 }, () => wrong.add('a', 0));
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 8000, 8000]);
  assert.equal(wrong.add('b', 0), 500);
  assert.equal(wrong.add('a', 3_600_000), 500);
  wrong.forgive('a');
  assert.equal(wrong.add('a', 3_600_001), 500);
});

test('of many networks only some are remembered, and the latest are', () => {
  const wrong = new WrongLogins(WAITS);
  wrong.add('first', 0);
  for (let at = 0; at < 10_000; at += 1) wrong.add(`network ${at}`, 0);
  assert.equal(wrong.add('network 9999', 0), 1000);
  assert.equal(wrong.add('first', 0), 500);
});

test('a network is an IPv4 address, or the /64 of an IPv6 one', () => {
  assert.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1');
  assert.equal(networkOf('2001:db8:1:2:3:4:5:6'), networkOf('2001:db8:1:2::9'));
  assert.notEqual(networkOf('2001:db8:1:2::9'), networkOf('2001:db8:1:3::9'));
  assert.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64');
  assert.equal(plainAddress('::FFFF:192.0.2.1'), '192.0.2.1');
  assert.equal(plainAddress('::ffff:c000:201'), '::ffff:c000:201');
});
