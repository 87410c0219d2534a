import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { listenerUrls } from '#xfer/listen-address.js';
import { type AccessRecord, formatAccess, listen } from '#xfer/transports/http/listen/index.js';
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
    message: `listen on port ${port}: the port is in use`,
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
  };
  const v4 = 'http://192.168.1.7:8000/';
  const v6 = 'http://[2001:db8::7]:8000/';
  const local = 'http://localhost:8000/';
  assert.deepEqual(listenerUrls('http', ['::', '0.0.0.0'], 8000, interfaces), [local, v4, v6]);
  assert.deepEqual(listenerUrls('http', ['0.0.0.0'], 8000, interfaces), [local, v4]);
  assert.deepEqual(listenerUrls('http', ['::'], 8000, interfaces), [local, v4, v6]);
  assert.deepEqual(listenerUrls('http', ['::1'], 8000, interfaces), ['http://[::1]:8000/']);
  assert.deepEqual(listenerUrls('http', ['192.168.1.7'], 8000, interfaces), [v4]);
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

test('a line of the log holds nothing that a terminal obeys', () => {
  const record = {
    time: new Date('2026-01-02T03:04:05Z'),
    client: '::1',
    method: 'GET',
    target: '/a"b\\\x1b]0;evil\x07\u009b\u202e',
    status: 200,
    bytes: 12,
    durationMs: 1,
    aborted: false,
  };
  const line = formatAccess(record);
  assert.equal(
    line,
    '::1 - - [02/Jan/2026:03:04:05 +0000] "GET /a\\"b\\\\\\x1b]0;evil\\x07\\x9b\\u{202e} HTTP/1.1" 200 12',
  );
  assert.match(formatAccess({ ...record, bytes: 0 }), / 200 -$/);
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
