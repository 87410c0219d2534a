import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientPlaces } from '#xfer/listening/client-places.js';

test('one network has half of the places, and all together no more than there are', () => {
  const places = new ClientPlaces(4);
  const first = places.take('192.0.2.1');
  assert.ok(first && places.take('::ffff:192.0.2.1'));
  assert.equal(places.take('192.0.2.1'), undefined, 'the other two are for others');
  assert.ok(places.take('2001:db8::1') && places.take('2001:db8::2'));
  assert.equal(places.take('192.0.2.9'), undefined);
  first();
  first();
  assert.ok(places.take('192.0.2.9'), 'a place that is given back, once');
  assert.equal(places.take('192.0.2.10'), undefined);
});

test('a proxy on this machine, and who has no address, may have all', () => {
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1', undefined]) {
    const places = new ClientPlaces(3);
    for (let n = 0; n < 3; n += 1) assert.ok(places.take(address), `${address}`);
    assert.equal(places.take(address), undefined);
  }
  const one = new ClientPlaces(1);
  assert.ok(one.take('192.0.2.1'), 'a single place is anybody’s');
});
