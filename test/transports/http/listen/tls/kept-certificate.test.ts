import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type KeptWhere, loadKeptCertificate } from '#xfer/transports/http/listen/tls/kept-certificate.js';
import { fingerprintsOf } from '#xfer/transports/http/listen/tls/tls-identity.js';
import { failsWith } from '../../../../support/fails-with.js';
import { temporaryFolder } from '../rig.js';
import { DAY_MS, makeIdentity } from './identity.js';

interface Kept {
  readonly directory: string;
  readonly keyFile: string;
  readonly certificateFile: string;
  readonly notices: string[];
  load(where?: Partial<KeptWhere>): ReturnType<typeof loadKeptCertificate>;
}

async function kept(t: TestContext): Promise<Kept> {
  const directory = join(await temporaryFolder(t), 'xfer');
  const notices: string[] = [];
  const onNotice = (line: string): void => void notices.push(line);
  return {
    directory,
    keyFile: join(directory, 'tls_key.pem'),
    certificateFile: join(directory, 'tls_certificate.pem'),
    notices,
    load: (where) => loadKeptCertificate({ directory, names: ['localhost', '127.0.0.1'], onNotice, ...where }),
  };
}

test('key and certificate are made once, are private, and last a year', async (t) => {
  const { directory, keyFile, certificateFile, notices, load } = await kept(t);
  const first = await load();
  assert.deepEqual(await load(), first);
  assert.deepEqual(readdirSync(directory).sort(), ['tls_certificate.pem', 'tls_key.pem']);
  for (const file of [keyFile, certificateFile]) assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  const { validFrom, validTo } = new X509Certificate(first.cert);
  const [fromMs, toMs] = [Date.parse(validFrom), Date.parse(validTo)];
  assert.ok(fromMs < Date.now() - 3_500_000 && fromMs > Date.now() - 3_700_000);
  assert.ok(toMs - fromMs > 364 * DAY_MS && toMs - fromMs < 398 * DAY_MS);
  assert.deepEqual(notices, []);
});

test('those who start together have one key', async (t) => {
  const { directory, load } = await kept(t);
  const made = await Promise.all(Array.from({ length: 8 }, () => load()));
  assert.equal(new Set(made.map(({ key }) => key)).size, 1);
  assert.equal(readdirSync(directory).length, 2);
});

test('a new certificate of the same key has the same pin, and says why it was made', async (t) => {
  const { certificateFile, keyFile, notices, load } = await kept(t);
  const first = await load();
  const { pin } = fingerprintsOf(first);
  const reissued = async (reason: RegExp, where: Partial<KeptWhere> = {}): Promise<X509Certificate> => {
    const before = readFileSync(certificateFile, 'utf8');
    const identity = await load(where);
    assert.notEqual(identity.cert, before);
    assert.equal(readFileSync(certificateFile, 'utf8'), identity.cert);
    assert.equal(fingerprintsOf(identity).pin, pin);
    assert.match(notices.pop() ?? '', reason);
    assert.deepEqual(await load(where), identity);
    assert.deepEqual(notices, []);
    return new X509Certificate(identity.cert);
  };
  const moved = await reissued(/not for 10\.0\.0\.7$/, { names: ['localhost', '10.0.0.7'] });
  for (const address of ['10.0.0.7', '127.0.0.1']) assert.equal(moved.checkIP(address), address);
  await reissued(/about to expire$/, { nowMs: Date.now() + 359 * DAY_MS });
  await reissued(/not valid yet$/);
  writeFileSync(certificateFile, 'nonsense');
  await reissued(/what was kept is none$/);
  writeFileSync(certificateFile, Buffer.alloc(1 << 20, 'x'));
  await reissued(/what was kept is none$/);
  writeFileSync(certificateFile, makeIdentity({ names: ['localhost', '127.0.0.1', 'evil.example'] }).cert);
  assert.equal((await reissued(/another key$/)).checkHost('evil.example'), undefined);
  assert.equal(readFileSync(keyFile, 'utf8'), first.key);
});

test('a certificate that was removed is made anew without a word, a key that was removed has another pin', async (t) => {
  const { certificateFile, keyFile, notices, load } = await kept(t);
  const first = await load();
  rmSync(certificateFile);
  const second = await load();
  assert.deepEqual([second.key, notices.length], [first.key, 0]);
  rmSync(keyFile);
  assert.notEqual(fingerprintsOf(await load()).pin, fingerprintsOf(first).pin);
  assert.match(notices.join(), /another key$/);
});

test('a key that others may read, or that is none of ours, is neither used nor replaced', async (t) => {
  const { keyFile, load } = await kept(t);
  await load();
  chmodSync(keyFile, 0o640);
  await assert.rejects(load(), failsWith('DENIED', /TLS key .*tls_key\.pem: others may read it$/));
  await load({ platform: 'win32' });
  chmodSync(keyFile, 0o600);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  for (const text of ['nonsense', '', privateKey.export({ type: 'pkcs8', format: 'pem' }) as string]) {
    writeFileSync(keyFile, text);
    await assert.rejects(load(), failsWith('CORRUPT', /TLS key .*: not a private key$/));
    assert.equal(readFileSync(keyFile, 'utf8'), text);
  }
});
