/** `xfer serve` as a person starts it: what is printed, what is logged, and how it ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { qrLines } from '#xfer/cli/render/qr-code.js';
import { urlForOthers } from '#xfer/listening/listener-urls.js';
import { patternBytes } from '../../support/fixtures.js';
import { findProgram, needs } from '../../support/peers.js';
import { runProgram, runXfer, type Started, startXfer } from '../../support/run-xfer.js';

const limit = { timeout: 20_000 };
const unixOnly = process.platform === 'win32' ? { skip: 'Windows has named pipes in place of unix sockets' } : {};

interface Rig {
  readonly above: string;
  readonly root: string;
}

function folder(t: TestContext): Rig {
  const above = mkdtempSync(join(tmpdir(), 'xfer-serve-http-'));
  t.after(() => rmSync(above, { recursive: true, force: true }));
  const root = join(above, 'root');
  mkdirSync(root);
  writeFileSync(join(root, 'a b.txt'), 'hello');
  return { above, root };
}

function start(t: TestContext, args: readonly string[], env: Record<string, string> = {}): Started {
  const started = startXfer(['serve', ...args], { env });
  t.after(() => started.stop('SIGKILL'));
  return started;
}

async function startLocal(t: TestContext, args: readonly string[]): Promise<{ started: Started; port: number }> {
  const started = start(t, ['--bind', '127.0.0.1', ...args]);
  const [, port] = await started.waitForLine(/127\.0\.0\.1:(\d+)/);
  return { started, port: Number(port) };
}

test('each address that is printed answers, and the line to download with downloads', limit, async (t) => {
  const { above, root } = folder(t);
  const started = start(t, [root, '0']);
  const [, typed] = await started.waitForLine(/^download with: xfer (get \S+)$/m);
  const urls = [...started.output().matchAll(/^serving on (\S+)$/gm)].map(([, url]) => url as string);
  assert.match(urls[0] as string, /^http:\/\/localhost:\d+\/$/);
  for (const url of urls) assert.equal(await (await fetch(`${url}a%20b.txt`)).text(), 'hello', url);
  assert.equal(typed, `get ${urlForOthers(urls) ?? urls[0]}a%20b.txt`);
  const got = await runXfer((typed as string).split(' '), { cwd: above });
  assert.equal(got.exitCode, 0, got.stderr);
  assert.equal(readFileSync(join(above, 'a b.txt'), 'utf8'), 'hello');
});

test('--json tells the same addresses, and each request as an event', limit, async (t) => {
  const { root } = folder(t);
  const started = start(t, ['--json', root, '0']);
  const [line] = await started.waitForLine(/^\{.*"type":"listening".*\}$/m);
  const { urls, port } = JSON.parse(line);
  for (const url of urls) {
    assert.equal(Number(new URL(url).port), port);
    assert.equal((await fetch(url)).status, 200, url);
  }
  const [event] = await started.waitForLine(/^\{"type":"request".*\}$/m);
  assert.deepEqual(JSON.parse(event).target, '/');
});

test('the log is common, combined, JSON or none', limit, async (t) => {
  const { root } = folder(t);
  const date = String.raw`\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\]`;
  const common = String.raw`127\.0\.0\.1 - - ${date} "GET /a%20b\.txt HTTP/1\.1" 200 5`;
  const forms: [string[], RegExp | undefined][] = [
    [[], new RegExp(`^${common}$`, 'm')],
    [['--log', 'combined'], new RegExp(`^${common} "http://from/\\\\"" "agent"$`, 'm')],
    [['--log', 'json'], /^\{"type":"request",.*"userAgent":"agent".*\}$/m],
    [['--log', 'off'], undefined],
    [['--quiet', '--log', 'common'], undefined],
  ];
  const check = async ([args, expected]: [string[], RegExp | undefined]): Promise<void> => {
    const { started, port } = await startLocal(t, [...args, root, '0']);
    const headers = { 'user-agent': 'agent', referer: 'http://from/"' };
    await (await fetch(`http://127.0.0.1:${port}/a%20b.txt`, { headers })).text();
    if (expected) await started.waitForLine(expected);
    await started.stop();
    if (!expected) assert.doesNotMatch(started.output(), /GET|request/);
  };
  await Promise.all(forms.map(check));
});

test('--qr shows the address for others under the others, or says that there is none', limit, async (t) => {
  const { root } = folder(t);
  const alone = start(t, ['--qr', '--bind', '127.0.0.1', root, '0']);
  await alone.waitForLine(/^no QR code: no other machine can reach this address$/m);
  const started = start(t, ['--qr', root, '0'], { LC_ALL: 'C.UTF-8', COLORFGBG: '' });
  await started.waitForLine(/^download with.*\n(?:.*\n)+/m);
  const urls = [...started.output().matchAll(/^serving on (\S+)$/gm)].map(([, url]) => url as string);
  const url = urlForOthers(urls);
  const shown = url === undefined ? 'no QR code: no other' : qrLines(url, 'light').text;
  await started.waitForLine(new RegExp(shown.replaceAll('.', '\\.')));
});

test('--open gives the browser an address of this machine, and what fails there is a notice', {
  ...limit,
  ...(process.platform === 'linux' ? {} : { skip: 'only Linux lets a test choose the browser' }),
}, async (t) => {
  const { above, root } = folder(t);
  const browser = join(above, 'browser');
  writeFileSync(browser, `#!/bin/sh\necho "$1" > ${above}/opened.part && mv ${above}/opened.part ${above}/opened\n`);
  chmodSync(browser, 0o755);
  const env = { BROWSER: browser, DISPLAY: '', WAYLAND_DISPLAY: '' };
  const started = start(t, ['--open', root, '0'], env);
  const [, port] = await started.waitForLine(/localhost:(\d+)/);
  while (!existsSync(join(above, 'opened'))) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(readFileSync(join(above, 'opened'), 'utf8'), `http://localhost:${port}/\n`);
  const failing = start(t, ['--open', root, '0'], { ...env, BROWSER: '/bin/false', PATH: '/nonexistent' });
  await failing.waitForLine(/^open http:\/\/localhost:\d+\/: no browser could be started/m);
  const [, other] = await failing.waitForLine(/localhost:(\d+)/);
  assert.equal((await fetch(`http://localhost:${other}/`)).status, 200);
});

/** A client that has begun to download, and takes nothing more until it is told to. */
async function slowClient(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write('GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'readable');
  return socket;
}

/** What comes sooner is the same Ctrl-C. */
const A_SECOND_PRESS_MS = 300;

test('the first Ctrl-C waits for who is slow, and says so', limit, async (t) => {
  const { root } = folder(t);
  const size = 32 << 20;
  writeFileSync(join(root, 'big'), Buffer.alloc(size));
  const { started, port } = await startLocal(t, [root, '0']);
  const slow = await slowClient(t, port);
  started.child.kill('SIGINT');
  await sleep(30);
  // As npx passes it on.
  started.child.kill('SIGINT');
  await started.waitForLine(/^waiting for 1 transfer to end; Ctrl-C again to cut it$/m);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  let bytes = 0;
  slow.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  assert.deepEqual(await started.exited, { exitCode: 130, signal: null });
  assert.ok(bytes >= size, `${bytes} of ${size}`);
});

test('the second Ctrl-C does not', limit, async (t) => {
  const { root } = folder(t);
  writeFileSync(join(root, 'big'), Buffer.alloc(32 << 20));
  const { started, port } = await startLocal(t, ['--json', root, '0']);
  const slow = await slowClient(t, port);
  started.child.kill('SIGTERM');
  await started.waitForLine(/^\{"type":"stopping","transfers":1\}$/m);
  await sleep(A_SECOND_PRESS_MS);
  started.child.kill('SIGTERM');
  assert.deepEqual(await started.exited, { exitCode: 143, signal: null });
  slow.resume();
  await once(slow, 'close');
});

test('with nothing under way it ends at once, whoever is connected', limit, async (t) => {
  const { root } = folder(t);
  const { started, port } = await startLocal(t, [root, '0']);
  const [idle, silent] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  idle.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(idle, 'data');
  silent.on('error', () => undefined);
  started.child.kill('SIGINT');
  assert.deepEqual(await started.exited, { exitCode: 130, signal: null });
  assert.doesNotMatch(started.output(), /waiting/);
});

test('--limit holds the rate', limit, async (t) => {
  const { root } = folder(t);
  writeFileSync(join(root, 'big'), patternBytes(300 << 10));
  const { port } = await startLocal(t, ['--limit', '200K', '--limit-client', '1M', root, '0']);
  const startMs = performance.now();
  const bytes = Buffer.from(await (await fetch(`http://127.0.0.1:${port}/big`)).arrayBuffer());
  const tookMs = performance.now() - startMs;
  assert.ok(bytes.equals(patternBytes(300 << 10)));
  // A tenth of a second is saved up, and the last piece goes without a wait.
  assert.ok(tookMs > 1200 && tookMs < 3000, `${tookMs} ms`);
});

test('curl reaches it by a unix socket, which is gone when it ends', {
  ...limit,
  ...needs('curl'),
  ...unixOnly,
}, async (t) => {
  const { above, root } = folder(t);
  const path = join(above, 'x y.sock');
  const started = start(t, ['--bind', path, root]);
  await started.waitForLine(new RegExp(`^serving on unix:${path}$`, 'm'));
  const [, typed] = await started.waitForLine(/^download with: curl (.*)$/m);
  const shell = findProgram('sh') as string;
  const got = await runProgram(shell, ['-c', `curl -sS ${typed}`], { cwd: above });
  assert.equal(got.exitCode, 0, got.stderr);
  assert.equal(readFileSync(join(above, 'a%20b.txt'), 'utf8'), 'hello');
  await started.waitForLine(/^unix - - \[/m);
  const second = await runXfer(['serve', '--bind', path, root]);
  assert.equal(second.exitCode, 8, second.stderr);
  await started.stop('SIGINT');
  assert.equal(existsSync(path), false);
});

test('what does not go together is refused with a hint', limit, async (t) => {
  const { root } = folder(t);
  const cases: [string[], number, RegExp][] = [
    [['--limit', 'fast', root, '0'], 2, /option --limit fast: not a number of bytes a second/],
    [['--limit-client', '0', root, '0'], 2, /--limit-client 0/],
    [['--log', 'loud', root, '0'], 2, /option --log: loud is none of common, combined, json, off/],
    [['--bind', 'unix:', root], 2, /a path is missing/],
    [['--sftp', '--qr', root, '0'], 2, /option --qr: not over SFTP/],
    [['--sftp', '--limit', '1M', root, '0'], 2, /option --limit: not over SFTP/],
    ...(process.platform === 'win32'
      ? []
      : ([
          [['--bind', './x.sock', root, '8000'], 2, /port 8000 is given, and only sockets that have none/],
          [['--bind', '\\\\.\\pipe\\x', root], 2, /named pipes are a thing of Windows/],
        ] as [string[], number, RegExp][])),
  ];
  const check = async ([words, exit, text]: [string[], number, RegExp]): Promise<void> => {
    const { exitCode, stderr } = await runXfer(['serve', ...words]);
    assert.equal(exitCode, exit, `${words.join(' ')}\n${stderr}`);
    assert.match(stderr, text);
  };
  await Promise.all(cases.map(check));
});
