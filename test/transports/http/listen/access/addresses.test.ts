import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { AllowedAddresses } from '#xfer/listening/allowed-addresses.js';
import { failsWith } from '../../../../support/fails-with.js';
import { get, serve, temporaryFolder } from '../rig.js';

test('addresses and networks of both families, and IPv4 over IPv6', () => {
  const allowed = new AllowedAddresses([
    '10.1.2.3/8',
    '192.0.2.7',
    'fd00::/8',
    '2001:db8::7',
    '::ffff:198.51.100.0/120',
  ]);
  const inside = ['10.9.9.9', '::ffff:10.9.9.9', '192.0.2.7', 'fd12::1', 'fd12::1%eth0', '2001:db8::7', '198.51.100.9'];
  for (const address of [...inside, '::ffff:198.51.100.9']) assert.ok(allowed.allows(address), address);
  const outside = [
    '11.0.0.1',
    '192.0.2.8',
    '::ffff:192.0.2.8',
    'fe80::1',
    '2001:db8::8',
    '198.51.101.1',
    '',
    'x',
    '::',
  ];
  for (const address of [...outside, undefined]) assert.ok(!allowed.allows(address), address);
  assert.ok(new AllowedAddresses(['::ffff:a00:1']).allows('10.0.0.1'));
  assert.ok(new AllowedAddresses(['::/0']).allows('2001:db8::7'));
  assert.ok(new AllowedAddresses(['0.0.0.0/0']).allows('::ffff:10.0.0.1'));
  assert.ok(!new AllowedAddresses([]).allows('127.0.0.1'));
});

test('what is no address and no network is refused, with some that are', () => {
  const texts = [
    '',
    'localhost',
    '10.0.0.0/33',
    '10.0.0/8',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/-1',
    'fd00::/8/8',
    '1',
    'a/8',
  ];
  for (const text of [...texts, '::ffff:10.0.0.0/95', '10.0.0.1-10.0.0.9', '010.0.0.1', '[::1]', ' 10.0.0.1']) {
    assert.throws(() => new AllowedAddresses([text]), failsWith('USAGE', /not an address or a network/), text);
  }
});

test('nothing is read from an address that may not connect', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  let told = 0;
  const onRequest = () => {
    told += 1;
  };
  const { port } = await serve(t, folder, { allow: ['192.0.2.0/24'], onRequest });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  let answer = '';
  socket.on('data', (bytes) => {
    answer += bytes;
  });
  // Before anything is asked.
  await new Promise((resolve) => socket.on('close', resolve));
  assert.deepEqual([answer, told], ['', 0]);
  const friendly = await serve(t, folder, { allow: ['127.0.0.1'], onRequest });
  assert.match(await get(friendly.port, '/'), /^HTTP\/1\.1 200 /);
});
