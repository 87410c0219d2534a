import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { certifiable, machineNames, namesLacking, namesOf } from '#xfer/transports/http/listen/tls/machine-names.js';
import { makeIdentity } from './identity.js';

function address(text: string): NetworkInterfaceInfo {
  const family = text.includes(':') ? { family: 'IPv6' as const, scopeid: 0 } : { family: 'IPv4' as const };
  return { address: text, netmask: '', mac: '', internal: false, cidr: null, ...family };
}

const LOOPBACK = ['127.0.0.1', '::1'];

test('a machine is known by its name, its mDNS name and its addresses', () => {
  const interfaces = {
    lo: [address('127.0.0.1'), address('::1')],
    eth0: [address('192.168.1.7'), address('2001:DB8:0::7'), address('fe80::1'), address('169.254.1.1')],
    gone: undefined,
  };
  const names = machineNames(['0.0.0.0', '::', 'Files.Example.org', '127.0.0.2'], { hostname: 'Box.lan', interfaces });
  const own = ['localhost', 'box.lan', 'box.local', ...LOOPBACK];
  assert.deepEqual(names, [...own, 'files.example.org', '127.0.0.2', '192.168.1.7', '2001:db8::7']);
  assert.deepEqual(machineNames([], { hostname: 'mac.local', interfaces: {} }), [
    'localhost',
    'mac.local',
    ...LOOPBACK,
  ]);
});

test('a host name that no certificate can hold is left out', () => {
  for (const hostname of ['', 'under_score', '-a', 'a..b', 'bücher', 'x'.repeat(64), 'a b', 'a\0b', 'a,DNS:evil']) {
    const names = machineNames([], { hostname, interfaces: {} });
    assert.ok(!names.includes(hostname), hostname);
    assert.deepEqual(namesOf(new X509Certificate(makeIdentity({ names }).cert)), names);
  }
});

test('there are never so many that a handshake takes long', () => {
  const interfaces = { ipvs: Array.from({ length: 500 }, (_, at) => address(`10.1.${at >> 8}.${at & 255}`)) };
  const names = machineNames([], { hostname: 'box', interfaces });
  assert.equal(names.length, 100);
  assert.deepEqual(names.slice(0, 5), ['localhost', 'box', 'box.local', ...LOOPBACK]);
});

test('what a certificate is for is read back, and what it lacks is told', () => {
  const names = ['localhost', 'box.local', '127.0.0.1', '::1', '2001:db8::7', '::ffff:1.2.3.4'];
  const certificate = new X509Certificate(makeIdentity({ names }).cert);
  assert.deepEqual(namesOf(certificate), names);
  assert.deepEqual(namesLacking(certificate, ['BOX.local', '2001:db8:0::7', 'other', '10.0.0.1']), [
    'other',
    '10.0.0.1',
  ]);
  assert.deepEqual(certifiable(['A', 'a', '::1', '0:0:0:0:0:0:0:1', '1.2.3', 'fe80::1%eth0']), ['a', '::1']);
});
