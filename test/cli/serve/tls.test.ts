/** `xfer serve --tls` as a person starts it, and the printed lines as another pastes them. */
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findProgram, needs } from '../../support/peers.js';
import { runProgram, runXfer, type Started, startProgram, startXfer, XFER } from '../../support/run-xfer.js';
import { makeIdentity } from '../../transports/http/listen/tls/identity.js';

const limit = { timeout: 30_000 };

interface Place {
  readonly above: string;
  readonly root: string;
  readonly env: Record<string, string>;
}

function place(t: TestContext): Place {
  const above = mkdtempSync(join(tmpdir(), 'xfer-serve-tls-'));
  t.after(() => rmSync(above, { recursive: true, force: true }));
  const root = join(above, 'root');
  mkdirSync(root);
  writeFileSync(join(root, 'a file.txt'), 'hello');
  return { above, root, env: { XDG_CONFIG_HOME: join(above, 'config') } };
}

function start(t: TestContext, { root, env }: Place, ...args: string[]): Started {
  const started = startXfer(['serve', '-b', '127.0.0.1', ...args, root, '0'], { env });
  t.after(() => started.stop());
  return started;
}

const PIN = 'sha256//[A-Za-z0-9+/]{43}=';

async function printed(started: Started): Promise<{ url: string; fingerprint: string; get: string[]; curl: string[] }> {
  const [, url] = await started.waitForLine(/^serving on (https:\/\/127\.0\.0\.1:\d+\/)$/m);
  const [, fingerprint] = await started.waitForLine(/^certificate SHA-256 ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})$/m);
  const [, get] = await started.waitForLine(
    new RegExp(`^download with: xfer (get --pin ${PIN} ${url}a%20file\\.txt)$`, 'm'),
  );
  const [, curl] = await started.waitForLine(
    new RegExp(`^or: curl (--fail --insecure --pinnedpubkey ${PIN} -O ${url}a%20file\\.txt)$`, 'm'),
  );
  const words = (line: string | undefined): string[] => line?.split(' ') ?? [];
  return { url: url as string, fingerprint: fingerprint as string, get: words(get), curl: words(curl) };
}

test('the printed line downloads, and without its pin nothing does', limit, async (t) => {
  const at = place(t);
  const { above } = at;
  const { url, fingerprint, get } = await printed(start(t, at, '--tls'));
  const pasted = await runXfer(get, { cwd: above });
  assert.equal(pasted.exitCode, 0, pasted.stderr);
  assert.equal(readFileSync(join(above, 'a file.txt'), 'utf8'), 'hello');
  const toStdout = ['-o', '-', `${url}a%20file.txt`];
  const copied = await runXfer(['cp', '--pin', fingerprint, `${url}a%20file.txt`, '-']);
  assert.deepEqual([copied.exitCode, copied.stdout.toString()], [0, 'hello'], copied.stderr);
  const trusted = await runXfer(['get', '--cacert', join(above, 'config', 'xfer', 'tls_certificate.pem'), ...toStdout]);
  assert.deepEqual([trusted.exitCode, trusted.stdout.toString()], [0, 'hello'], trusted.stderr);
  // One authority more takes none away that is trusted in another way.
  const own = join(above, 'config', 'xfer', 'tls_certificate.pem');
  writeFileSync(join(above, 'another.pem'), makeIdentity().cert);
  const another = await runXfer(['get', '--cacert', join(above, 'another.pem'), ...toStdout], {
    env: { NODE_EXTRA_CA_CERTS: own },
  });
  assert.deepEqual([another.exitCode, another.stdout.toString()], [0, 'hello'], another.stderr);
  const bare = await runXfer(['get', ...toStdout]);
  assert.deepEqual([bare.exitCode, bare.stdout.length], [4, 0]);
  assert.match(bare.stderr, /not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)\n {2}hint: .*--pin/);
  assert.ok(!bare.stderr.includes('sha256//'), 'a pin that nobody compared is not offered to be pasted');
  const wrong = await runXfer(['get', '--pin', 'ab'.repeat(32), ...toStdout]);
  assert.equal(wrong.exitCode, 4);
  assert.ok(wrong.stderr.includes(get[2] as string), wrong.stderr);
});

test('curl takes the other printed line', { ...limit, ...needs('curl') }, async (t) => {
  const at = place(t);
  const { url, curl } = await printed(start(t, at, '--tls'));
  const program = findProgram('curl') as string;
  const pasted = await runProgram(program, ['-sS', '--noproxy', '*', ...curl], { cwd: at.above });
  assert.equal(pasted.exitCode, 0, pasted.stderr);
  assert.equal(readFileSync(join(at.above, 'a%20file.txt'), 'utf8'), 'hello');
  const other = `sha256//${Buffer.alloc(32).toString('base64')}`;
  const wrong = await runProgram(program, ['-sS', '--noproxy', '*', '--insecure', '--pinnedpubkey', other, url]);
  assert.equal(wrong.exitCode, 90, wrong.stderr);
});

test('the next run has the same certificate, and --json tells of it', limit, async (t) => {
  const at = place(t);
  const first = start(t, at, '--tls');
  const { fingerprint, get } = await printed(first);
  await first.stop();
  const [line] = await start(t, at, '--tls', '--json').waitForLine(/^\{.*"type":"listening".*\}$/m);
  const event = JSON.parse(line);
  assert.deepEqual([event.fingerprint, event.pin], [fingerprint, get[2]]);
  assert.match(event.urls[0], /^https:/);
});

test('a certificate of one’s own is served, and a key that others may read is said', limit, async (t) => {
  const at = place(t);
  const { cert, key } = makeIdentity();
  const [certFile, keyFile] = [join(at.above, 'my.crt'), join(at.above, 'my.key')];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  chmodSync(keyFile, 0o640);
  const started = start(t, at, '--cert', certFile, '--key', keyFile);
  const { get } = await printed(started);
  await started.waitForLine(/^key \S+my\.key: others may read it; chmod 600 it$/m);
  const pasted = await runXfer([...get, '-o', '-']);
  assert.deepEqual([pasted.exitCode, pasted.stdout.toString()], [0, 'hello'], pasted.stderr);
  assert.throws(() => statSync(join(at.above, 'config')), 'nothing of our own was made');
});

test('a passphrase is asked for on the terminal, three times at most', { ...limit, ...needs('script') }, async (t) => {
  const { above, root, env } = place(t);
  const { cert, key } = makeIdentity();
  const [certFile, keyFile] = [join(above, 'c.pem'), join(above, 'k.pem')];
  const secret = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hunter2' } as const;
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, createPrivateKey(key).export(secret), { mode: 0o600 });
  const words = [process.execPath, XFER, 'serve', '-b', '127.0.0.1', '--cert', certFile, '--key', keyFile, root, '0'];
  const onTerminal = ['-qec', words.map((word) => `'${word}'`).join(' '), '/dev/null'];
  const wrong = await runProgram('script', onTerminal, { env, input: 'one\ntwo\nthree\n' });
  assert.equal(wrong.exitCode, 4, wrong.stdout.toString());
  assert.equal(wrong.stdout.toString().match(/Passphrase of \S+k\.pem: /g)?.length, 3);
  const started = startProgram('script', onTerminal, { env, input: 'hunter2\n' });
  t.after(() => started.stop());
  await started.waitForLine(/^serving on https:/m);
});

test('what does not go together is refused, with what to type', limit, async (t) => {
  const { above, root, env } = place(t);
  const at = (name: string, text: string): string => {
    writeFileSync(join(above, name), text);
    return join(above, name);
  };
  const { cert, key } = makeIdentity();
  const [c, k] = [at('c.pem', cert), at('k.pem', key)];
  const wrongMode = join(above, 'open', 'xfer');
  mkdirSync(wrongMode, { recursive: true });
  writeFileSync(join(wrongMode, 'tls_key.pem'), key);
  chmodSync(join(wrongMode, 'tls_key.pem'), 0o644);
  const cases: [args: string[], exit: number, text: RegExp, more?: Record<string, string>][] = [
    [['--cert', c], 2, /option --cert: --key is missing\n {2}hint: xfer serve --cert \S+c\.pem --key key\.pem/],
    [
      ['--tls', '--key', k],
      2,
      /option --key: --cert is missing\n {2}hint: xfer serve --cert cert\.pem --key \S+k\.pem/,
    ],
    [['--cert', k, '--key', c], 2, /certificate \S+k\.pem: holds no certificate in PEM/],
    [['--cert', c, '--key', at('other.pem', makeIdentity().key)], 2, /not of the key in \S+other\.pem/],
    [['--cert', join(above, 'none'), '--key', k], 3, /none: no such file/],
    [['--sftp', '--tls'], 2, /option --tls: not over SFTP, which is always encrypted/],
    [['--tls'], 4, /tls_key\.pem: others may read it\n {2}hint: .*chmod 600/, { XDG_CONFIG_HOME: join(above, 'open') }],
  ];
  const check = async ([args, exit, text, more]: (typeof cases)[number]): Promise<void> => {
    const { exitCode, stderr } = await runXfer(['serve', ...args, root, '0'], { env: { ...env, ...more } });
    assert.equal(exitCode, exit, `${args.join(' ')}\n${stderr}`);
    assert.match(stderr, text);
  };
  await Promise.all(cases.map(check));
  for (const [words, text] of [
    [['get', '--pin', 'abc', 'https://127.0.0.1:1/'], /pin abc: not a SHA-256/],
    [['get', '--pin', 'ab'.repeat(32), 'http://127.0.0.1:1/f'], /hint: name it by https: https:\/\/127\.0\.0\.1:1\/f/],
    [['get', '--cacert', k, 'https://127.0.0.1:1/'], /authorities \S+k\.pem: holds no certificate/],
    [['cp', '--pin', 'ab'.repeat(32), root, '/tmp/x'], /option --pin: there is no https address/],
  ] as const) {
    const { exitCode, stderr } = await runXfer(words, { env });
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, text);
  }
});
