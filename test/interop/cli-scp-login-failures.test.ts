/** `xfer scp` that does not get in: the exit code, the words, what to type next, and nothing left behind. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import { needs } from '../support/peers.js';
import { type RunResult, runProgram, runXfer, XFER } from '../support/run-xfer.js';
import { type Sshd, type SshdOptions, sftpServer, startSshd } from '../support/sshd.js';

const wanted = needs('sshd', 'ssh-keygen', 'ssh');
const options = { ...wanted, timeout: 60_000 };
let near: string;
let file: string;

before(() => {
  near = mkdtempSync(join(tmpdir(), 'xfer-login-failures-'));
  file = join(near, 'a');
  writeFileSync(file, 'some bytes');
});
after(() => rmSync(near, { recursive: true, force: true }));

async function server(t: TestContext, given: SshdOptions = {}): Promise<Sshd> {
  const sshd = await startSshd(given);
  t.after(() => sshd.stop());
  return sshd;
}

function scp(sshd: Sshd, ...args: string[]): Promise<RunResult> {
  return runXfer(['scp', '-F', sshd.configFile, '-o', 'BatchMode=yes', ...args, file, `rig:${sshd.directory}/a`]);
}

function assertFailure(
  sshd: Sshd,
  { exitCode, stderr }: RunResult,
  expected: number,
  words: RegExp,
  hint: RegExp,
): void {
  assert.equal(exitCode, expected, stderr);
  assert.match(stderr, words);
  assert.match(/hint: (.*)/.exec(stderr)?.[1] ?? '', hint);
  assert.doesNotMatch(stderr, /\n\s+at /, 'a stack is for bugs');
  assert.deepEqual(readdirSync(sshd.directory), []);
}

for (const carrier of ['own', 'system'] as const) {
  const by = carrier === 'own' ? [] : ['-S', 'ssh'];

  test(`${carrier} ssh: a shell that prints into the stream is quoted`, options, async (t) => {
    const sshd = await server(t, { lines: [`ForceCommand echo Welcome back; exec ${sftpServer()}`] });
    const result = await scp(sshd, ...by);
    assertFailure(sshd, result, 6, /starts with the text "Welc"/, /start-up files/);
  });

  test(`${carrier} ssh: a wrong key`, options, async (t) => {
    const sshd = await server(t);
    const key = join(near, `wrong-${carrier}`);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const alone = { ...sshd, configFile: 'none' };
    const login = [`User=${sshd.user}`, `Port=${sshd.port}`, `HostName=${sshd.host}`, `IdentityFile=${key}`];
    const known = [`UserKnownHostsFile=${sshd.knownHostsFile}`, 'IdentitiesOnly=yes', 'IdentityAgent=none'];
    const settings = [...login, ...known].flatMap((setting) => ['-o', setting]);
    assertFailure(sshd, await scp(alone, ...by, ...settings), 4, /permission denied/i, /-i/);
  });

  test(`${carrier} ssh: an unknown host key where nobody can be asked`, options, async (t) => {
    const sshd = await server(t);
    const result = await scp(sshd, ...by, '-o', `UserKnownHostsFile=${join(near, 'none')}`);
    assertFailure(sshd, result, 4, /not known|verification failed/, /fingerprint|ssh-keygen/);
  });

  test(`${carrier} ssh: a server that takes no more logins`, options, async (t) => {
    const sshd = await server(t, { maxStartups: '1:100:1' });
    const hold = connect(sshd.port, sshd.host);
    t.after(() => hold.destroy());
    await new Promise((resolve) => hold.once('data', resolve));
    const result = await scp(sshd, ...by, '--retry', '0');
    assert.equal(result.exitCode, 5, result.stderr);
    assert.match(result.stderr, /ended before a greeting|closed by|reset by/);
  });

  test(`${carrier} ssh: a server that opens no session`, options, async (t) => {
    const sshd = await server(t, { maxSessions: 0 });
    const result = await scp(sshd, ...by);
    assert.equal(result.exitCode, 4, result.stderr);
    assert.match(result.stderr, /takes no more sessions|open failed/);
  });
}

test('a wrong password', { ...options, ...needs('sshd', 'ssh-keygen', 'script') }, async (t) => {
  const sshd = await server(t, { lines: ['PasswordAuthentication yes', 'PubkeyAuthentication no'] });
  const once = ['-o', 'NumberOfPasswordPrompts=1'];
  const command = [process.execPath, XFER, 'scp', '-F', sshd.configFile, ...once, file, `rig:${sshd.directory}/a`];
  const result = await runProgram('script', ['-qec', command.map((word) => `'${word}'`).join(' '), '/dev/null'], {
    input: 'a wrong one\n',
  });
  assert.equal(result.exitCode, 4, result.stdout.toString());
  const said = result.stdout.toString();
  assert.equal(said.match(/'s password: /g)?.length, 1, said);
  assert.match(said, /permission denied \(tried key \S+, a password; the server takes password\)/);
  assert.match(said, /hint: /);
});

test('a server that stops answering in the login, and one in the copy', options, async (t) => {
  const sshd = await server(t);
  const alive = [
    '-o',
    'ServerAliveInterval=1',
    '-o',
    'ServerAliveCountMax=1',
    '-o',
    'ConnectTimeout=1',
    '--retry',
    '0',
  ];
  for (const [stallAfterBytes, words] of [
    [30, /no answer within 1 s/],
    [3200, /stopped answering/],
  ] as const) {
    const proxy = await startFaultyProxy({ to: sshd, stallAfterBytes });
    t.after(() => proxy.stop());
    const alias = ['-P', String(proxy.port), '-o', `HostKeyAlias=[${sshd.host}]:${sshd.port}`];
    const result = await scp(sshd, ...alias, ...alive);
    assert.equal(result.exitCode, 5, result.stderr);
    assert.match(result.stderr, words);
  }
});

test('what our own SSH cannot do names itself, and the system’s ssh does it', options, async (t) => {
  const sshd = await server(t);
  const asked = ['-o', 'PKCS11Provider=lib.so', '-o', 'PKCS11Provider=none'];
  assertFailure(sshd, await scp(sshd, ...asked), 2, /PKCS11Provider lib\.so .*cannot be done here/, /-S ssh/);
  const list = ['-o', 'KexAlgorithms=sntrup761x25519-sha512@openssh.com'];
  assertFailure(sshd, await scp(sshd, ...list), 2, /KexAlgorithms sntrup761.*cannot be done here/, /-S ssh/);
  const result = await scp(sshd, '-S', 'ssh', ...list);
  assert.equal(result.exitCode, 0, result.stderr);
  assert.deepEqual(readdirSync(sshd.directory), ['a']);
});
