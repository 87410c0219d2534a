/** Copies where nothing can be kept in a home of one's own: it is a file, read-only, or full. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatKey, newKey } from '#xfer/transports/tcp/sealed/key.js';
import { freePort } from '../support/free-port.js';
import { runXfer, startXfer } from '../support/run-xfer.js';

const bounded = { timeout: 60_000 };
const BYTES = Buffer.alloc(12 << 20, 'enough to be resumed\n');

/** A home that is a file. */
function prepare(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-no-home-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const home = join(folder, 'home');
  writeFileSync(home, '');
  writeFileSync(join(folder, 'file'), BYTES);
  const env = { HOME: home, USERPROFILE: home, LOCALAPPDATA: home, APPDATA: home, XDG_STATE_HOME: '' };
  return { folder, file: join(folder, 'file'), to: join(folder, 'copied'), env };
}

const NOTICE = /keep notes in .*; what breaks off will begin anew/;

test('cp copies, and says that it keeps no notes', bounded, async (t) => {
  const { file, to, env } = prepare(t);
  const { exitCode, stderr } = await runXfer(['cp', file, to], { env });
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, NOTICE);
  assert.deepEqual(readFileSync(to), BYTES);
});

test('a sealed transfer goes through at both ends', bounded, async (t) => {
  const { file, to, env } = prepare(t);
  const at = `127.0.0.1:${await freePort()}`;
  const keyed = { env: { ...env, XFER_KEY: formatKey(newKey()) } };
  const [received, sent] = await Promise.all([
    runXfer(['recv', '-l', at, to], keyed),
    runXfer(['send', at, file], keyed),
  ]);
  assert.equal(received.exitCode, 0, received.stderr);
  assert.equal(sent.exitCode, 0, sent.stderr);
  assert.match(received.stderr, NOTICE);
  assert.deepEqual(readFileSync(to), BYTES);
});

test('put and the server that takes it go through', bounded, async (t) => {
  const { folder, file, env } = prepare(t);
  const server = startXfer(['serve', '--upload', folder, '--bind', '127.0.0.1', '--port', '0'], { env });
  t.after(() => server.stop());
  const [, port] = await server.waitForLine(/serving on http:\/\/127\.0\.0\.1:(\d+)/);
  const { exitCode, stderr } = await runXfer(['put', file, `http://127.0.0.1:${port}/copied`], { env });
  assert.equal(exitCode, 0, stderr);
  assert.equal(stderr.match(/will begin anew/g)?.length, 1, stderr);
  assert.deepEqual(readFileSync(join(folder, 'copied')), BYTES);
});
