/** The parts of a location by themselves: ports, addresses, users, hosts and the last part of a path. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import { checkUserAndHost, parseHostPort, parsePort } from '#xfer/location.js';

function isUsage(error: unknown): boolean {
  assert.ok(error instanceof XferError, String(error));
  assert.equal(error.code, 'USAGE');
  assert.doesNotMatch(error.message, /\p{Cc}/u);
  return true;
}

test('ports are 1 to 65535, and 0 only where that is asked for', () => {
  assert.equal(parsePort('1'), 1);
  assert.equal(parsePort('65535'), 65535);
  assert.equal(parsePort('0', true), 0);
  for (const text of [
    '0',
    '',
    '-1',
    '+1',
    '1.0',
    '1e3',
    '0x10',
    '65536',
    '99999999999',
    ' 80',
    '80 ',
    '８０',
    'http',
  ]) {
    assert.throws(() => parsePort(text), isUsage, text);
  }
});

test('host and port', () => {
  assert.deepEqual(parseHostPort('h:80'), { host: 'h', port: 80 });
  assert.deepEqual(parseHostPort(':80'), { port: 80 });
  assert.deepEqual(parseHostPort('[::1]:80'), { host: '::1', port: 80 });
  assert.deepEqual(parseHostPort('80', true), { port: 80 });
  for (const text of ['80', 'h', 'h:', '::1:80', '[::1]', '[]:80', 'h:80:81', 'a/b:80', '', 'h:0', 'h:70000']) {
    assert.throws(() => parseHostPort(text), isUsage, text);
  }
});

test('users and hosts that a shell or an option parser would take apart are refused', () => {
  for (const host of [
    '',
    '-x',
    'a b',
    'a\nb',
    "a'b",
    'a"b',
    'a`b',
    'a$b',
    'a\\b',
    'a;b',
    'a&b',
    'a|b',
    'a>b',
    'a(b',
    '\u0085',
  ]) {
    assert.throws(() => checkUserAndHost(undefined, host), isUsage, JSON.stringify(host));
  }
  for (const user of ['', '-x', 'a b', 'a\nb', "a'b", 'a"b', 'a`b', 'a;b', 'a&b', 'a|b', 'a<b', 'a)b', 'a\\', 'a\0']) {
    assert.throws(() => checkUserAndHost(user, 'h'), isUsage, JSON.stringify(user));
  }
  for (const host of ['h', 'h.example', '10.0.0.1', '::1', 'fe80::1%eth0', 'straße.example', 'a_b']) {
    checkUserAndHost('DOM\\me', host);
  }
});
