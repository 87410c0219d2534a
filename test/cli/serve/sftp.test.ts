/** `xfer serve --sftp` as a person starts it: what is printed, what is kept, and how it ends. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { patternBytes } from '../../support/fixtures.js';
import { needs } from '../../support/peers.js';
import { runXfer, type Started, startProgram, startXfer } from '../../support/run-xfer.js';
import { startSftp } from '../../support/sftp-listener.js';

const limit = { timeout: 20_000 };

function folder(t: TestContext): { root: string; env: Record<string, string> } {
  const above = mkdtempSync(join(tmpdir(), 'xfer-serve-sftp-'));
  t.after(() => rmSync(above, { recursive: true, force: true }));
  const root = join(above, 'root');
  mkdirSync(root);
  writeFileSync(join(root, 'a.txt'), 'hello');
  return { root, env: { XDG_CONFIG_HOME: join(above, 'config') } };
}

function start(t: TestContext, args: readonly string[], env: Record<string, string>): Started {
  const started = startXfer(['serve', '--sftp', '-b', '127.0.0.1', ...args], { env });
  t.after(() => started.stop());
  return started;
}

test('it prints what the other side needs, and keeps its key', limit, async (t) => {
  const { root, env } = folder(t);
  const first = start(t, [root, '0'], env);
  const [, port] = await first.waitForLine(/^serving on sftp:\/\/127\.0\.0\.1:(\d+)\/ \(to be read only\)$/m);
  const [, key] = await first.waitForLine(/^host key ED25519 (SHA256:\S{43})$/m);
  await first.waitForLine(/^user xfer, password [0-9a-z]{26}$/m);
  await first.waitForLine(new RegExp(`^download with: xfer scp -P ${port} xfer@127\\.0\\.0\\.1:FILE \\.$`, 'm'));
  await first.waitForLine(new RegExp(`^or: sftp -P ${port} xfer@127\\.0\\.0\\.1$`, 'm'));
  first.child.kill('SIGINT');
  assert.equal((await first.exited).exitCode, 130);
  const second = start(t, ['--auth', 'anna:secret words', '--upload', root, '0'], env);
  const [, again] = await second.waitForLine(/^host key ED25519 (SHA256:\S{43})$/m);
  await second.waitForLine(/^upload with: xfer scp -P \d+ FILE anna@127\.0\.0\.1:$/m);
  assert.equal(again, key);
  assert.doesNotMatch(second.output(), /secret|password/);
});

test('--json says it all but the password, which is for the person', limit, async (t) => {
  const { root, env } = folder(t);
  const started = start(t, ['--json', root, '0'], env);
  const [, password] = await started.waitForLine(/^user xfer, password (\S{26})$/m);
  const [line] = await started.waitForLine(/^\{.*"type":"listening".*\}$/m);
  const { port, urls, fingerprint, users, upload } = JSON.parse(line);
  assert.deepEqual([urls, users, upload], [[`sftp://127.0.0.1:${port}/`], ['xfer'], false]);
  assert.match(fingerprint, /^SHA256:/);
  assert.ok(!line.includes(password as string));
});

test('each login and each file is a line, with nothing in it that a terminal obeys', limit, async (t) => {
  const { root } = folder(t);
  writeFileSync(join(root, 'e\x1b[2Jvil\n'), 'x');
  const served = await startSftp(root, []);
  t.after(() => served.stop());
  const copy = await runXfer(['scp', '-rqF', served.configFile, `${served.host}:/`, join(root, '..', 'got')]);
  assert.equal(copy.exitCode, 0, copy.stderr);
  await served.xfer.waitForLine(/^\S+Z 127\.0\.0\.1 anna login accepted \(publickey\)$/m);
  await served.xfer.waitForLine(/^\S+Z 127\.0\.0\.1 anna get "\/a\.txt" 5 bytes$/m);
  await served.xfer.waitForLine(/get "\/e\\u001b\[2Jvil\\n" 1 bytes$/m);
  assert.ok(!served.xfer.output().includes('\x1b'));
});

/** An upload by sftp at so many kbit/s, of which something is there. */
async function startPut(t: TestContext, bytes: number, kbits: number) {
  const { root } = folder(t);
  const served = await startSftp(root);
  t.after(() => served.stop());
  writeFileSync(join(root, '..', 'big'), patternBytes(bytes));
  const batch = ['-q', '-l', String(kbits), '-F', served.configFile, '-b', '-', served.host];
  const client = startProgram('sftp', batch, { input: `put ${join(root, '..', 'big')} big\n` });
  t.after(() => client.stop('SIGKILL'));
  await until(() => readdirSync(root).some((name) => name.endsWith('.xfer-part')));
  return { root, served, client };
}

test('a client that is killed in the middle leaves no file under the final name', {
  ...limit,
  ...needs('sftp'),
}, async (t) => {
  const { root, served, client } = await startPut(t, 4 << 20, 800);
  assert.equal(readdirSync(root).includes('big'), false);
  await client.stop('SIGKILL');
  await served.xfer.waitForLine(/put "\/big" \d+ bytes, aborted$/m);
  assert.deepEqual(readdirSync(root), ['a.txt']);
});

test('a listener that is stopped in the middle of an upload ends it tidily', {
  ...limit,
  ...needs('sftp'),
}, async (t) => {
  const { root, served } = await startPut(t, 1 << 20, 16_000);
  served.xfer.child.kill('SIGTERM');
  assert.equal((await served.xfer.exited).exitCode, 143);
  // Whole where the grace was long enough for this machine, else absent.
  const left = readdirSync(root).filter((name) => name !== 'a.txt');
  assert.ok(
    left.every((name) => name === 'big'),
    left.join(),
  );
  if (left.length > 0) assert.deepEqual(readFileSync(join(root, 'big')), patternBytes(1 << 20));
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

test('what does not go together is refused with a hint', limit, async (t) => {
  const { root, env } = folder(t);
  const file = join(root, 'a.txt');
  const cases: [string[], number, RegExp][] = [
    [['serve', '--sftp', '--quota', '1G', root, '0'], 2, /option --quota: not over SFTP/],
    [['serve', '--authorized-keys', file, root, '0'], 2, /option --authorized-keys: not over HTTP/],
    [['serve', '--sftp', '--auth', 'secret', root, '0'], 2, /account: not of the form user:password/],
    [
      ['serve', '--sftp', '--auth-file', file, root, '0'],
      2,
      /a\.txt: line 1: account: not of the form.*\n.*--hash-password/,
    ],
    [['serve', '--sftp', '--auth-file', '/dev/null', root, '0'], 2, /accounts \/dev\/null: none is in it/],
    [['serve', '--sftp', '--authorized-keys', file, root, '0'], 2, /no key in it can be used/],
    [['serve', '--sftp', file, '0'], 2, /not a directory/],
    [['serve', '--sftp', join(root, 'none'), '0'], 3, /none: no such file or directory/],
  ];
  const check = async ([words, exit, text]: [string[], number, RegExp]): Promise<void> => {
    const { exitCode, stderr, stdout } = await runXfer(words, { env });
    assert.equal(exitCode, exit, `${words.join(' ')}\n${stderr}`);
    assert.match(stderr, text);
    assert.ok(!`${stderr}${stdout}`.includes('secret'));
  };
  await Promise.all(cases.map(check));
});
