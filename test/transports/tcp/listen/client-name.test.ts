import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientName } from '#xfer/transports/tcp/listen/client-name.js';

test('no word of a client is in its name', () => {
  const now = new Date('2026-11-26T22:40:01.123Z');
  assert.equal(clientName({ host: '192.0.2.7', port: 9 }, 1, now), '2026-11-26T22-40-01.123-192.0.2.7-1');
  assert.equal(clientName({ host: 'fe80::1%eth0', port: 9 }, 2, now), '2026-11-26T22-40-01.123-fe80--1-eth0-2');
  assert.equal(clientName({ host: '', port: 0 }, 3, now), '2026-11-26T22-40-01.123-unknown-3');
  assert.equal(clientName({ host: '', port: 0, path: '/tmp/../x' }, 4, now), '2026-11-26T22-40-01.123-unix-4');
});
