/** What a program may give to open a location and to listen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listen, openSink, openSource } from '#xfer/index.js';
import { failsWith } from './support/fails-with.js';

const NO_PORTS = [70_000, -1, 1.5, Number.NaN];

test('a listener refuses what is no port as USAGE', async () => {
  for (const port of NO_PORTS) {
    for (const scheme of ['http', 'sftp', 'tcp'] as const) {
      await assert.rejects(listen(scheme, { port }), failsWith('USAGE', new RegExp(`^port ${port}: not a number`)));
    }
  }
});

test('a location with what is no port is USAGE', async () => {
  for (const port of NO_PORTS) {
    for (const scheme of ['http', 'sftp', 'tcp']) {
      const location = { scheme, host: '127.0.0.1', port, path: 'f' };
      await assert.rejects(openSource(location), failsWith('USAGE', /not a number/));
      await assert.rejects(openSink(location), failsWith('USAGE', /not a number/));
    }
  }
});
