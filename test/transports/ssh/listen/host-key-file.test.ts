import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkHostKey, loadHostKey, makeHostKey } from '#xfer/transports/ssh/listen/host-key-file.js';
import { failsWith } from '../../../support/fails-with.js';
import { needs } from '../../../support/peers.js';
import { runProgram } from '../../../support/run-xfer.js';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'xfer-host-key-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('a key is made once, by one of those who start together, and is private', async (t) => {
  const at = folder(t);
  const file = join(at, 'xfer', 'key');
  const keys = await Promise.all(Array.from({ length: 8 }, () => loadHostKey(file)));
  assert.equal(new Set(keys.map(({ privateKey }) => privateKey)).size, 1);
  assert.deepEqual(await loadHostKey(file), keys[0]);
  assert.deepEqual(readdirSync(join(at, 'xfer')), ['key']);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(join(at, 'xfer')).mode & 0o777, 0o700);
  assert.match(keys[0]?.description ?? '', /^ED25519 SHA256:[A-Za-z0-9+/]{43}$/);
});

test('its fingerprint is what ssh-keygen says', needs('ssh-keygen'), async (t) => {
  const file = join(folder(t), 'key');
  const { description } = await loadHostKey(file);
  const said = await runProgram('ssh-keygen', ['-lf', file]);
  assert.ok(said.stdout.toString().includes(` ${description.split(' ')[1]} `), said.stdout.toString());
});

test('a file that others may read, or that holds no key, is not used', async (t) => {
  const file = join(folder(t), 'key');
  await loadHostKey(file);
  chmodSync(file, 0o644);
  await assert.rejects(loadHostKey(file), failsWith('DENIED'));
  await loadHostKey(file, 'win32');
  writeFileSync(file, 'nonsense');
  chmodSync(file, 0o600);
  await assert.rejects(loadHostKey(file), failsWith('CORRUPT'));
  assert.equal(readFileSync(file, 'utf8'), 'nonsense');
});

test('what is no private key is USAGE before anybody connects', () => {
  const { privateKey } = makeHostKey();
  assert.equal(checkHostKey(privateKey), privateKey);
  for (const text of ['', 'x', privateKey.slice(0, 120)]) {
    assert.throws(() => checkHostKey(text), failsWith('USAGE', /^host key: not a private key/));
  }
});
