import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkGivenCertificate } from '#xfer/transports/http/listen/tls/given-certificate.js';
import { failsWith } from '../../../../support/fails-with.js';
import { needs } from '../../../../support/peers.js';
import { runProgram } from '../../../../support/run-xfer.js';
import { temporaryFolder } from '../rig.js';
import { DAY_MS, makeIdentity } from './identity.js';

const identity = makeIdentity();
const nobody = async (): Promise<undefined> => undefined;

function check(cert: string, key: string, ask: () => Promise<string | undefined> = nobody) {
  return checkGivenCertificate({ file: 'my.crt', text: cert }, { file: 'my.key', text: key }, ask);
}

test('a pair that belongs together is taken, and both may be in one file', async () => {
  assert.deepEqual(await check(identity.cert, identity.key), identity);
  const one = `some words\n${identity.key}${identity.cert.replaceAll('\n', '\r\n')}`;
  assert.deepEqual(await check(one, one), identity);
});

test('a key in any of the forms of PEM is taken', async () => {
  const key = createPrivateKey(identity.key);
  const sec1 = key.export({ type: 'sec1', format: 'pem' }) as string;
  const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
  assert.deepEqual(await check(identity.cert, parameters + sec1), identity);
});

test('a key with a passphrase is asked for up to three times', async () => {
  const key = createPrivateKey(identity.key);
  const secret = { cipher: 'aes-256-cbc', passphrase: 'hunter2', format: 'pem' } as const;
  for (const text of [key.export({ type: 'pkcs8', ...secret }), key.export({ type: 'sec1', ...secret })] as string[]) {
    const answers = ['wrong', '', 'hunter2'];
    assert.deepEqual(await check(identity.cert, text, async () => answers.shift()), identity);
    assert.deepEqual(answers, []);
    let asked = 0;
    const wrong = async (): Promise<string> => `wrong ${asked++}`;
    await assert.rejects(
      check(identity.cert, text, wrong),
      failsWith('DENIED', /^key my\.key: the passphrase is wrong$/),
    );
    assert.equal(asked, 3);
    await assert.rejects(
      check(identity.cert, text),
      failsWith('DENIED', /^key my\.key: it has a passphrase, and none/),
    );
  }
});

test('what does not fit is said of the file that is at fault', async () => {
  const { cert, key } = identity;
  const past = makeIdentity({ notAfter: new Date(Date.now() - 1000) });
  const future = makeIdentity({ notBefore: new Date(Date.now() + DAY_MS / 2) });
  const weak = generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  const cut = (pem: string): string => pem.replace(/\n[^\n]+\n/, '\n');
  const rows: [cert: string, key: string, message: RegExp][] = [
    ['', key, /^certificate my\.crt: holds no certificate in PEM$/],
    [key, cert, /^certificate my\.crt: holds no certificate in PEM$/],
    [cut(cert), key, /^certificate my\.crt: a certificate in it is broken$/],
    [cert, '', /^key my\.key: holds no private key in PEM$/],
    [cert, cert, /^key my\.key: holds no private key in PEM$/],
    [cert, cut(key), /^key my\.key: it is broken: /],
    [cert, makeIdentity().key, /^certificate my\.crt: its first certificate is not of the key in my\.key$/],
    [cert, weak as string, /its first certificate is not of the key/],
    [makeIdentity().cert + cert, key, /its first certificate is not of the key/],
    [past.cert, past.key, /^certificate my\.crt: it expired on /],
    [future.cert, future.key, /^certificate my\.crt: it is not valid before /],
  ];
  for (const [certText, keyText, message] of rows) {
    await assert.rejects(check(certText, keyText), failsWith('USAGE', message), String(message));
  }
  await assert.rejects(check(makeIdentity().cert + cert, key), { hint: /certificate of the server first/ });
});

test('a chain is kept in its order, and a key that TLS finds too weak is refused', needs('openssl'), async (t) => {
  const folder = await temporaryFolder(t);
  const at = (name: string): string => join(folder, name);
  const openssl = async (...args: string[]): Promise<void> => {
    const { exitCode, stderr } = await runProgram('openssl', args);
    assert.equal(exitCode, 0, stderr);
  };
  const make = (name: string, key: string, ...more: string[]): Promise<void> =>
    openssl(
      ...['req', '-x509', '-newkey', key, '-nodes', '-days', '2', '-subj', `/CN=${name}`],
      ...['-keyout', at(`${name}.key`), '-out', at(`${name}.crt`), ...more],
    );
  await make('ca', 'rsa:2048');
  await make('leaf', 'rsa:2048', '-CA', at('ca.crt'), '-CAkey', at('ca.key'));
  await make('weak', 'rsa:512');
  const read = (name: string): Promise<string> => readFile(at(name), 'utf8');
  const served = await check((await read('leaf.crt')) + (await read('ca.crt')), await read('leaf.key'));
  const subjects = served.cert
    .match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g)
    ?.map((pem) => new X509Certificate(pem).subject);
  assert.deepEqual(subjects, ['CN=leaf', 'CN=ca']);
  await assert.rejects(
    check(await read('weak.crt'), await read('weak.key')),
    failsWith('USAGE', /my\.crt: TLS does not take it/),
  );
});
