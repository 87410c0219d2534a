import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { XferError } from '#xfer/errors.js';
import { checkSocketPath, socketPath } from '#xfer/files/socket-file.js';
import { type Bound, bind, mainAddress, type Wanted } from '#xfer/listening/listen-address.js';
import { isLoopbackUrl, urlForOthers, urlsThatAnswer } from '#xfer/listening/listener-urls.js';
import { runProgram } from '../support/run-xfer.js';

const bounded = { timeout: 10_000 };
const unixOnly = process.platform === 'win32' ? { skip: 'Windows has named pipes in place of unix sockets' } : {};

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'xfer-bind-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function bound(t: TestContext, wanted: Partial<Wanted>): Promise<Bound> {
  const result = await bind(() => createServer((socket) => socket.on('error', () => undefined).end('hello')), {
    port: 0,
    example: 'x',
    ...wanted,
  });
  t.after(() => Promise.all(result.servers.map(close)));
  return result;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** What a server says to who connects. */
function hear(where: string | number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = typeof where === 'string' ? connect(where) : connect(where, '127.0.0.1');
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}

test('what is an address, and what a socket', () => {
  const paths: [string, string | undefined][] = [
    ['/run/xfer.sock', '/run/xfer.sock'],
    ['./xfer.sock', './xfer.sock'],
    ['unix:xfer.sock', 'xfer.sock'],
    ['unix:/run/xfer.sock', '/run/xfer.sock'],
    ['\\\\.\\pipe\\xfer', '\\\\.\\pipe\\xfer'],
    ['\\\\?\\PIPE\\xfer', '\\\\?\\PIPE\\xfer'],
    ['127.0.0.1', undefined],
    ['::1', undefined],
    ['fe80::1%eth0', undefined],
    ['localhost', undefined],
  ];
  for (const [address, path] of paths) assert.equal(socketPath(address), path, address);
});

test('a unix socket is made, and is gone with its server', { ...bounded, ...unixOnly }, async (t) => {
  const path = join(folder(t), 'a.sock');
  const { servers, addresses, sockets } = await bound(t, { hosts: [path] });
  assert.deepEqual([addresses, sockets], [[], [path]]);
  assert.deepEqual(mainAddress({ servers, addresses, sockets }), { host: path, port: 0 });
  assert.equal(await hear(path), 'hello');
  await Promise.all(servers.map(close));
  assert.equal(existsSync(path), false);
});

test('an address and a socket together', { ...bounded, ...unixOnly }, async (t) => {
  const path = join(folder(t), 'a.sock');
  const both = await bound(t, { hosts: [`unix:${path}`, '127.0.0.1'] });
  const { port } = mainAddress(both);
  assert.deepEqual(both.sockets, [path]);
  assert.deepEqual([await hear(path), await hear(port)], ['hello', 'hello']);
});

test('a socket that a dead server left is replaced, a live one is not', { ...bounded, ...unixOnly }, async (t) => {
  const path = join(folder(t), 'a.sock');
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await runProgram(process.execPath, ['-e', script]);
  assert.ok(existsSync(path), 'nothing was left');
  await bound(t, { hosts: [path] });
  assert.equal(await hear(path), 'hello');
  await assert.rejects(bound(t, { hosts: [path] }), {
    code: 'EXISTS',
    message: `listen on ${path}: something has that name, or a server answers there`,
  });
  assert.equal(await hear(path), 'hello');
});

test('a file of that name is never removed, and what cannot be is said', { ...bounded, ...unixOnly }, async (t) => {
  const path = join(folder(t), 'a.sock');
  writeFileSync(path, 'mine');
  await assert.rejects(bound(t, { hosts: [path] }), { code: 'EXISTS' });
  assert.ok(existsSync(path));
  await assert.rejects(bound(t, { hosts: [join(path, 'below')] }), { code: 'NOT_FOUND' });
  await assert.rejects(bound(t, { hosts: [`/${'long'.repeat(40)}`] }), { code: 'UNSAFE_PATH', message: /too long/ });
  checkSocketPath('x'.repeat(107), 'linux');
  assert.throws(() => checkSocketPath('x'.repeat(104), 'darwin'), { code: 'UNSAFE_PATH' });
  checkSocketPath(`\\\\.\\pipe\\${'x'.repeat(200)}`, 'win32');
});

test('nothing stays bound where one of several fails', { ...bounded, ...unixOnly }, async (t) => {
  const path = join(folder(t), 'a.sock');
  const taken = await bound(t, { hosts: ['127.0.0.1'] });
  const { port } = mainAddress(taken);
  await assert.rejects(bound(t, { hosts: [path, '127.0.0.1'], port }), { code: 'EXISTS', message: /port is in use/ });
  assert.equal(existsSync(path), false);
});

test('in place of a port that is taken one is named that is free', bounded, async (t) => {
  const first = await bound(t, { hosts: ['127.0.0.1'] });
  const { port } = mainAddress(first);
  const beside = port < 65535 ? port + 1 : port - 1;
  // Whoever has it, it is taken then.
  await bound(t, { hosts: ['127.0.0.1'], port: beside }).catch(() => undefined);
  await assert.rejects(bound(t, { hosts: ['127.0.0.1'], port }), (error: XferError) => {
    const [, named] = /^take another one, as in: \D* (\d+)$/.exec(error.hint ?? '') ?? [];
    assert.ok(named && ![port, beside].includes(Number(named)), error.hint);
    return error.code === 'EXISTS';
  });
});

test('an address that cannot be had is named', bounded, async (t) => {
  await assert.rejects(bound(t, { hosts: ['127.0.0.1', '192.0.2.77'] }), {
    code: 'UNREACHABLE',
    message: /^listen on 192\.0\.2\.77 port \d+: /,
  });
});

test('what is no socket to listen on is refused', bounded, async (t) => {
  await assert.rejects(bound(t, { descriptors: [999] }), {
    code: 'UNSUPPORTED',
    message: 'listen on descriptor 999: it is no socket that takes connections',
  });
});

test('each URL answers, and one that does not is left out', bounded, async (t) => {
  const everywhere = await bound(t, {});
  const urls = await urlsThatAnswer('http', everywhere.addresses);
  assert.match(urls[0] as string, /^http:\/\/localhost:\d+\/$/);
  for (const url of urls) {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname.replace(/[[\]]/g, ''), port: Number(port) });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    socket.destroy();
  }
  await Promise.all(everywhere.servers.map(close));
  // What was given stays, since the person knows it; what was found has to answer.
  assert.deepEqual(await urlsThatAnswer('http', everywhere.addresses), [urls[0]]);
});

test('which URLs other machines can use', () => {
  const loopback = ['http://localhost:1/', 'https://127.0.0.1/', 'http://127.9.9.9:8/', 'http://[::1]:80/x'];
  const away = ['http://192.0.2.7:8000/', 'http://[2001:db8::1]/', 'http://localhost.example/', 'http://laptop.local/'];
  assert.deepEqual(loopback.filter(isLoopbackUrl), loopback);
  assert.deepEqual(away.filter(isLoopbackUrl), []);
  assert.equal(urlForOthers([...loopback, ...away]), away[0]);
  assert.equal(urlForOthers(loopback), undefined);
});
