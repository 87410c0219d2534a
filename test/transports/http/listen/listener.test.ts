import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { listenerUrls } from '#xfer/listening/listener-urls.js';
import { type AccessRecord, listen } from '#xfer/transports/http/listen/index.js';
import { diskSource, exchange, get, serve, temporaryFolder, until } from './rig.js';

const scope = { signal: new AbortController().signal };

test('a port in use is said, with another one to type', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.after(() => other.close());
  const { port } = other.address() as { port: number };
  await assert.rejects(listen({ hosts: ['127.0.0.1'], port, share: diskSource(folder) }, scope), {
    code: 'EXISTS',
    message: `listen on 127.0.0.1 port ${port}: the port is in use`,
    hint: /xfer serve \. \d+/,
  });
});

test('what cannot be shared is refused', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  await assert.rejects(listen({ port: 0 }, scope), { code: 'USAGE' });
  await assert.rejects(listen({ port: 0, share: diskSource(join(folder, 'none')) }, scope), { code: 'NOT_FOUND' });
  const { open: _, ...share } = diskSource(folder);
  await assert.rejects(listen({ port: 0, share }, scope), { code: 'UNSUPPORTED' });
  const gone = AbortSignal.abort(new Error('stopped'));
  await assert.rejects(listen({ port: 0, share: diskSource(folder) }, { signal: gone }), /stopped/);
});

test('several addresses have one port, and each URL works', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  const { listener } = await serve(t, folder, { hosts: ['127.0.0.1', '127.0.0.2'] }).catch(() => serve(t, folder));
  for (const url of listener.urls) assert.equal((await fetch(url)).status, 200, url);
});

test('addresses that a person can type', () => {
  const address = (text: string, internal = false): NetworkInterfaceInfo => {
    const family = text.includes(':') ? { family: 'IPv6' as const, scopeid: 0 } : { family: 'IPv4' as const };
    return { address: text, netmask: '', mac: '', internal, cidr: null, ...family };
  };
  const interfaces = {
    lo: [address('127.0.0.1', true), address('::1', true)],
    eth0: [address('192.168.1.7'), address('2001:db8::7'), address('fe80::1'), address('169.254.1.1')],
    eth1: [address('10.0.0.7')],
  };
  const v4 = 'http://192.168.1.7:8000/';
  const v6 = 'http://[2001:db8::7]:8000/';
  const other = 'http://10.0.0.7:8000/';
  const local = 'http://localhost:8000/';
  const urls = (hosts: string[], first: string[] = []): string[] =>
    listenerUrls(
      'http',
      hosts.map((host) => ({ host, port: 8000 })),
      interfaces,
      first,
    );
  assert.deepEqual(urls(['::', '0.0.0.0']), [local, v4, other, v6]);
  assert.deepEqual(urls(['::', '0.0.0.0'], ['10.0.0.7']), [local, other, v4, v6]);
  assert.deepEqual(urls(['0.0.0.0']), [local, v4, other]);
  assert.deepEqual(urls(['::']), [local, v4, other, v6]);
  assert.deepEqual(urls(['::1']), ['http://[::1]:8000/']);
  assert.deepEqual(urls(['192.168.1.7', '0.0.0.0']), [v4, local, other]);
  assert.deepEqual(urls(['fe80::1%eth0']), ['http://[fe80::1%25eth0]:8000/']);
});

test('each request is told once, whole or cut', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'big'), Buffer.alloc(16 << 20));
  const records: AccessRecord[] = [];
  const { url, port } = await serve(t, folder, { onRequest: (record) => records.push(record) });
  await get(port, '/none?x', 'User-Agent: \x1b]0;evil\r\n').catch(() => undefined);
  await get(port, '/none?x', 'User-Agent: test\r\n');
  const aborted = new AbortController();
  const response = await fetch(`${url}/big`, { signal: aborted.signal });
  await response.body?.getReader().read();
  aborted.abort();
  await until(() => records.some((record) => record.target === '/big'));
  const cut = records.find((record) => record.target === '/big');
  assert.deepEqual([cut?.aborted, cut?.status, cut?.client], [true, 200, '127.0.0.1']);
  const none = records.find((record) => record.userAgent === 'test');
  assert.deepEqual([none?.aborted, none?.status, none?.method, none?.target], [false, 404, 'GET', '/none?x']);
});

test('close lets a download end within its grace, and cuts it without', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  const size = 8 << 20;
  await writeFile(join(folder, 'big'), Buffer.alloc(size));
  for (const graceMs of [5000, 0]) {
    const { listener, url, source } = await serve(t, folder);
    await (await fetch(`${url}/`)).text();
    const response = await fetch(`${url}/big`);
    const closing = listener.close({ graceMs });
    if (graceMs > 0) assert.equal((await response.arrayBuffer()).byteLength, size);
    else await assert.rejects(response.arrayBuffer());
    await closing;
    await listener.closed;
    await assert.rejects(exchange(listener.address.port, ''));
    await until(() => source.opened === source.closed);
  }
});

test('an abort of the scope ends it', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  const controller = new AbortController();
  const share = diskSource(folder);
  const listener = await listen({ hosts: ['127.0.0.1'], port: 0, share }, { signal: controller.signal });
  controller.abort(new Error('stopped'));
  await listener.closed;
});

/** A client that takes nothing until it is told to. */
async function slowClient(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write('GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'readable');
  return socket;
}

test('what is under way is told, with how far it is', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  const size = 32 << 20;
  await writeFile(join(folder, 'big'), Buffer.alloc(size));
  const { listener, port } = await serve(t, folder);
  assert.deepEqual(listener.transfers?.(), []);
  const socket = await slowClient(t, port);
  const [transfer, none] = listener.transfers?.() ?? [];
  assert.ok(transfer && !none);
  assert.deepEqual([transfer.client, transfer.path, transfer.totalBytes], ['127.0.0.1', 'big', size]);
  await until(() => transfer.bytes > 0);
  const before = transfer.bytes;
  socket.resume();
  await until(() => transfer.bytes > before);
  socket.destroy();
  await until(() => listener.transfers?.().length === 0);
});

test('a slow client holds the end up, and connections that are idle or said nothing yet do not', {
  timeout: 10_000,
}, async (t) => {
  const folder = await temporaryFolder(t);
  const size = 32 << 20;
  await writeFile(join(folder, 'big'), Buffer.alloc(size));
  const { listener, port } = await serve(t, folder);
  const idle = connect(port, '127.0.0.1');
  const silent = connect(port, '127.0.0.1');
  idle.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(idle, 'readable');
  const slow = await slowClient(t, port);
  let over = false;
  const closing = listener.close({ graceMs: 60_000 }).then(() => {
    over = true;
  });
  idle.resume();
  silent.resume().on('error', () => undefined);
  await once(idle, 'close');
  assert.equal(over, false);
  let bytes = 0;
  slow.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await closing;
  await until(() => slow.closed && silent.closed);
  assert.ok(bytes >= size, `${bytes} of ${size}`);
});

test('a second close cuts what the first one waits for', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'big'), Buffer.alloc(32 << 20));
  const { listener, port, source } = await serve(t, folder);
  const slow = await slowClient(t, port);
  const closing = listener.close({ graceMs: 60_000 });
  await listener.close();
  await closing;
  slow.resume();
  await once(slow, 'close');
  await until(() => source.opened === source.closed);
});

test('by a unix socket it serves the same, and the log says so', {
  timeout: 10_000,
  ...(process.platform === 'win32' ? { skip: 'Windows has named pipes' } : {}),
}, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'file'), 'hello');
  const path = join(folder, 'x.sock');
  const records: AccessRecord[] = [];
  const options = { hosts: [path], onRequest: (record: AccessRecord) => records.push(record) };
  const { listener } = await serve(t, folder, options);
  assert.deepEqual([listener.address, listener.sockets, listener.urls], [{ host: path, port: 0 }, [path], []]);
  const body = await new Promise<string>((resolve, reject) => {
    request({ socketPath: path, path: '/file', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
  assert.equal(body, 'hello');
  await until(() => records.length === 1);
  assert.equal(records[0]?.client, 'unix');
  await listener.close();
  assert.deepEqual(await readdir(folder), ['file']);
});

test('requests that wait behind another on a connection that breaks are under way no more', {
  timeout: 10_000,
}, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'big'), Buffer.alloc(32 << 20));
  const records: AccessRecord[] = [];
  const { listener, port } = await serve(t, folder, { onRequest: (record) => records.push(record) });
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3));
  await once(socket, 'readable');
  await until(() => listener.transfers?.().length === 3);
  socket.destroy();
  await until(() => listener.transfers?.().length === 0);
  assert.deepEqual(
    records.map(({ aborted }) => aborted),
    [true, true, true],
  );
});
