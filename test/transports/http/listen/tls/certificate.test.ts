import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { signCertificate } from '#xfer/transports/http/listen/tls/certificate.js';
import { der, derBits, derOid, derTime, TAGS } from '#xfer/transports/http/listen/tls/der.js';
import { needs } from '../../../../support/peers.js';
import { runProgram } from '../../../../support/run-xfer.js';
import { temporaryFolder } from '../rig.js';
import { DAY_MS, type IdentityTerms, makeIdentity } from './identity.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('values as X.690 writes them', () => {
  assert.equal(hex(der(TAGS.octets)), '0400');
  const heads: [length: number, head: string][] = [
    [0x7f, '047f'],
    [0x80, '048180'],
    [0xff, '0481ff'],
    [0x100, '04820100'],
    [0xffff, '0482ffff'],
    [0x10000, '0483010000'],
  ];
  for (const [length, head] of heads) {
    const written = der(TAGS.octets, Buffer.alloc(length, 1));
    assert.equal(hex(written.subarray(0, written.length - length)), head);
  }
  assert.equal(hex(derOid('1.2.840.10045.4.3.2')), '06082a8648ce3d040302');
  assert.equal(hex(derOid('2.5.29.17')), '0603551d11');
  assert.equal(hex(derOid('1.3.6.1.4.1.16384')), '06082b06010401818000');
  assert.equal(hex(derBits(Buffer.of(0x80), 7)), '03020780');
  const time = (text: string): string => derTime(new Date(text)).toString('latin1', 2);
  assert.equal(time('2026-01-02T03:04:05.678Z'), '260102030405Z');
  assert.equal(time('2049-12-31T23:59:59Z'), '491231235959Z');
  assert.equal(time('2050-01-01T00:00:00Z'), '20500101000000Z');
  assert.deepEqual([derTime(new Date('2049-01-01'))[0], derTime(new Date('2050-01-01'))[0]], [0x17, 0x18]);
});

test('a certificate is for its names and for no others, and signed by its own key', () => {
  const names = [
    'box.local',
    'xn--bcher-kva.example',
    '192.168.1.7',
    '2001:db8::7',
    '::1',
    '1:2:3:4:5:6:7:8',
    '::ffff:1.2.3.4',
  ];
  const { cert, key } = makeIdentity({ names });
  const certificate = new X509Certificate(cert);
  assert.ok(certificate.verify(certificate.publicKey));
  assert.equal(certificate.ca, false);
  assert.match(key, /BEGIN PRIVATE KEY/);
  for (const name of names) {
    assert.ok(/[:]|^\d/.test(name) ? certificate.checkIP(name) : certificate.checkHost(name), name);
  }
  for (const name of ['xfer', 'local', 'evil.box.local']) assert.equal(certificate.checkHost(name), undefined, name);
  for (const name of ['192.168.1.8', '2001:db8::8', '::']) assert.equal(certificate.checkIP(name), undefined, name);
  assert.notEqual(new X509Certificate(makeIdentity().cert).serialNumber, certificate.serialNumber);
});

async function written(t: TestContext, terms: IdentityTerms = {}): Promise<string> {
  const file = join(await temporaryFolder(t), 'certificate.pem');
  await writeFile(file, makeIdentity(terms).cert);
  return file;
}

test('openssl takes it by its strictest rules', needs('openssl'), async (t) => {
  // More names than fit where a length is one byte.
  const many = Array.from({ length: 90 }, (_, index) => `10.0.0.${index}`);
  for (const names of [
    ['localhost', '::1'],
    ['localhost', '::1', ...many],
  ]) {
    const file = await written(t, { names });
    const verify = (...args: string[]) =>
      runProgram('openssl', ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', file, ...args, file]);
    const [named, addressed, wrong] = await Promise.all([
      verify('-verify_hostname', 'localhost'),
      verify('-verify_ip', '::1'),
      verify('-verify_hostname', 'example.org'),
    ]);
    assert.deepEqual([named.exitCode, addressed.exitCode, wrong.exitCode], [0, 0, 2], named.stderr + addressed.stderr);
  }
});

test('of several that are trusted, each stands for itself, those of one key too', needs('openssl'), async (t) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [notBefore, notAfter] = [new Date(Date.now() - DAY_MS), new Date(Date.now() + DAY_MS)];
  const made = [privateKey, privateKey, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey].map((key) =>
    signCertificate(key, { names: ['localhost'], notBefore, notAfter }),
  );
  const folder = await temporaryFolder(t);
  const [all, one] = [join(folder, 'all.pem'), join(folder, 'one.pem')];
  await writeFile(all, made.join(''));
  for (const certificate of made) {
    await writeFile(one, certificate);
    const { exitCode, stderr } = await runProgram('openssl', ['verify', '-CAfile', all, one]);
    assert.equal(exitCode, 0, stderr);
  }
});

test('openssl reads in it what it is for', needs('openssl'), async (t) => {
  const terms = { notBefore: new Date('2026-01-02T03:04:05Z'), notAfter: new Date('2055-06-07T08:09:10Z') };
  const file = await written(t, terms);
  const text = (await runProgram('openssl', ['x509', '-in', file, '-noout', '-text'])).stdout.toString();
  for (const line of [
    /Version: 3 /,
    /Signature Algorithm: ecdsa-with-SHA256/,
    /Issuer: CN ?= ?xfer/,
    /Not Before: Jan {2}2 03:04:05 2026 GMT/,
    /Not After : Jun {2}7 08:09:10 2055 GMT/,
    /Subject: CN ?= ?xfer/,
    /NIST CURVE: P-256/,
    /Basic Constraints: critical\s+CA:FALSE/,
    /Key Usage: critical\s+Digital Signature\n/,
    /Extended Key Usage: \s+TLS Web Server Authentication\n/,
    /Alternative Name: \s+DNS:localhost, IP Address:127\.0\.0\.1\n/,
  ]) {
    assert.match(text, line);
  }
});
