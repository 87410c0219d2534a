/** `xfer serve --tls` for other people's programs, which check the certificate, and follow the redirect from plain HTTP. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { needs } from '../support/peers.js';
import { runProgram, type Started, startXfer } from '../support/run-xfer.js';

const limit = { timeout: 60_000 };
const above = mkdtempSync(join(tmpdir(), 'xfer-tls-peers-'));
const ca = join(above, 'config', 'xfer', 'tls_certificate.pem');
let server: Started;
let port = '';
let pin = '';

before(async () => {
  const root = join(above, 'root');
  mkdirSync(root);
  writeFileSync(join(root, 'f'), 'over TLS');
  server = startXfer(['serve', '--tls', '-b', '127.0.0.1', root, '0'], {
    env: { XDG_CONFIG_HOME: join(above, 'config') },
  });
  [, port = ''] = await server.waitForLine(/^serving on https:\/\/127\.0\.0\.1:(\d+)\/$/m);
  [, pin = ''] = await server.waitForLine(/ --pin sha256\/\/(\S+) /);
});

after(async () => {
  await server.stop();
  rmSync(above, { recursive: true, force: true });
});

/** What a program prints that fetches `/f`, by https and by http, with the certificate as its authority. */
const CLIENTS: [program: string, args: (url: string) => string[], env?: Record<string, string>][] = [
  ['curl', (url) => ['-sSL', '--noproxy', '*', '--cacert', ca, url]],
  ['wget', (url) => ['-q', '-O', '-', '--no-proxy', `--ca-certificate=${ca}`, url]],
  ['lftp', (url) => ['-c', `set ssl:ca-file ${ca}; set ssl:verify-certificate yes; cat ${url}`]],
  ['rclone', (url) => ['--ca-cert', ca, 'cat', ':http:f', '--http-url', url.replace(/f$/, '')], { RCLONE_CONFIG: '' }],
  ['python3', (url) => ['-c', PYTHON, ca, url]],
];

/** By the strictest rules that it has. */
const PYTHON = `
import ssl, sys, urllib.request
context = ssl.create_default_context(cafile=sys.argv[1])
context.verify_flags |= ssl.VERIFY_X509_STRICT
sys.stdout.write(urllib.request.urlopen(sys.argv[2], context=context).read().decode())
`;

for (const [program, args, env = {}] of CLIENTS) {
  test(`${program} trusts the kept certificate, and follows plain HTTP to it`, {
    ...limit,
    ...needs(program),
  }, async () => {
    for (const scheme of ['https', 'http']) {
      const { exitCode, stdout, stderr } = await runProgram(program, args(`${scheme}://127.0.0.1:${port}/f`), { env });
      assert.equal(exitCode, 0, `${scheme}: ${stderr}`);
      assert.equal(stdout.toString(), 'over TLS', scheme);
    }
  });
}

test('aria2c trusts it too', { ...limit, ...needs('aria2c') }, async () => {
  const args = ['-q', `--ca-certificate=${ca}`, '--no-conf', '-d', above, '-o', 'aria', `https://127.0.0.1:${port}/f`];
  const { exitCode, stderr } = await runProgram('aria2c', args);
  assert.equal(exitCode, 0, stderr);
});

test('openssl agrees on TLS 1.3 and http/1.1, and verifies the name', { ...limit, ...needs('openssl') }, async () => {
  const where = ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', ca, '-verify_return_error', '-verify_ip'];
  const right = await runProgram('openssl', [...where, '127.0.0.1', '-alpn', 'h2,http/1.1']);
  assert.equal(right.exitCode, 0, right.stderr);
  assert.match(right.stdout.toString(), /TLSv1\.3.*ALPN protocol: http\/1\.1.*Verify return code: 0 \(ok\)/s);
  const wrong = await runProgram('openssl', [...where, '192.0.2.1']);
  assert.equal(wrong.exitCode, 1, wrong.stdout.toString());
});

test('Chromium opens the page where it is told the pin, and not without', {
  ...limit,
  ...needs('chromium'),
}, async () => {
  const page = async (...more: string[]): Promise<string> => {
    const profile = mkdtempSync(join(above, 'chromium-'));
    const args = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${profile}`, ...more];
    return (await runProgram('chromium', [...args, '--dump-dom', `https://127.0.0.1:${port}/`])).stdout.toString();
  };
  assert.match(await page(`--ignore-certificate-errors-spki-list=${pin}`), /<a href="[^"]*f"/);
  assert.doesNotMatch(await page(), /<a href="[^"]*f"/);
});
