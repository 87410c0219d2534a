import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import ssh2 from 'ssh2';
import { logIn } from '#xfer/transports/ssh/carriers/connection-login.js';
import { Patience } from '#xfer/transports/ssh/carriers/patience.js';
import { resolveSshConfig } from '#xfer/transports/ssh/config/config.js';
import { loadKnownHost } from '#xfer/transports/ssh/host-keys/known-hosts-command.js';

test('a login that is given up before it begins destroys its stream', async () => {
  const config = await resolveSshConfig({
    host: '127.0.0.1',
    user: 'me',
    configFile: 'none',
    options: ['UserKnownHostsFile=none', 'GlobalKnownHostsFile=none'],
  });
  const stop = new AbortController();
  const patience = new Patience(config, 1000, stop.signal);
  const scope = { signal: stop.signal };
  const known = await loadKnownHost(config, { signal: new AbortController().signal });
  stop.abort(new Error('given up'));
  const stream = new PassThrough();
  const login = {
    config,
    scope,
    client: new ssh2.Client(),
    stream,
    known,
    address: undefined,
    patience,
    intervalMs: 0,
  };
  await assert.rejects(logIn({ ...login, onLost: () => undefined }), /given up/);
  assert.ok(stream.destroyed);
  patience.end();
});
