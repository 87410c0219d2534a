import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isPinned, parsePin, pinOf } from '#xfer/transports/http/pins.js';
import { failsWith } from '../../support/fails-with.js';
import { needs } from '../../support/peers.js';
import { runProgram } from '../../support/run-xfer.js';
import { temporaryFolder } from './listen/rig.js';
import { makeIdentity } from './listen/tls/identity.js';

const certificate = new X509Certificate(makeIdentity().cert);

test('every spelling of a digest of the key or of the certificate fits, and no other does', () => {
  const pin = pinOf(certificate);
  const hex = Buffer.from(pin.slice('sha256//'.length), 'base64').toString('hex');
  const colons = certificate.fingerprint256;
  for (const text of [
    pin,
    pin.replace(/=$/, ''),
    pin.toUpperCase().startsWith('SHA256') ? `SHA256${pin.slice(6)}` : '',
    hex,
    hex.toUpperCase(),
    `sha256:${hex}`,
    colons,
    `SHA-256:${colons}`,
    `sha256=${colons.toLowerCase()}`,
  ]) {
    assert.ok(isPinned(certificate, [parsePin(text)]), text);
  }
  const other = new X509Certificate(makeIdentity().cert);
  assert.ok(!isPinned(other, [parsePin(pin), parsePin(colons)]));
  assert.ok(isPinned(other, [parsePin(pin), parsePin(pinOf(other))]));
  assert.ok(!isPinned(other, []));
});

test('what is no SHA-256 is refused', () => {
  const { fingerprint } = certificate;
  for (const text of [
    '',
    'sha256//',
    'sha256//abc=',
    fingerprint,
    `${certificate.fingerprint256}:00`,
    'g'.repeat(64),
    'sha512//x',
  ]) {
    assert.throws(() => parsePin(text), failsWith('USAGE', /not a SHA-256 of a key/), text);
  }
});

test('the pin is what openssl computes of the key', needs('openssl'), async (t) => {
  const file = join(await temporaryFolder(t), 'certificate.pem');
  await writeFile(file, certificate.toString());
  const { stdout: key } = await runProgram('openssl', ['x509', '-in', file, '-noout', '-pubkey']);
  const { stdout: bytes } = await runProgram('openssl', ['pkey', '-pubin', '-outform', 'DER'], { input: key });
  const { stdout: digest } = await runProgram('openssl', ['dgst', '-sha256', '-binary'], { input: bytes });
  assert.equal(pinOf(certificate), `sha256//${digest.toString('base64')}`);
});
