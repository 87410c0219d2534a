import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jumpHops } from '#xfer/transports/ssh/config/proxy-jump.js';
import { failsWith } from '../../../support/fails-with.js';

test('the hops of ProxyJump come in the order in which they are passed', () => {
  assert.deepEqual(jumpHops('bastion'), [{ host: 'bastion' }]);
  assert.deepEqual(jumpHops('you@outer:2022,ssh://inner:23,[::1]:24,a@b@c'), [
    { user: 'you', host: 'outer', port: 2022 },
    { host: 'inner', port: 23 },
    { host: '::1', port: 24 },
    { user: 'a@b', host: 'c' },
  ]);
});

test('a hop that is not right is refused', () => {
  for (const text of [
    '',
    'a,,b',
    'h:0',
    'h:70000',
    'h:',
    '::1',
    '@h',
    'u@',
    '-x',
    '-x@h',
    'h;x',
    'u;x@h',
    'u@h:22/x',
  ]) {
    assert.throws(() => jumpHops(text), failsWith('USAGE'), text);
  }
  assert.throws(() => jumpHops(Array.from({ length: 17 }, () => 'h').join()), failsWith('USAGE', /more than 16/));
});
