import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { XferError } from '#xfer/errors.js';
import type { AccessRecord, HttpListenOptions } from '#xfer/transports/http/listen/index.js';
import { listen } from '#xfer/transports/http/listen/index.js';
import { encryptedUrl } from '#xfer/transports/http/listen/tls/redirect.js';
import type { TlsIdentity } from '#xfer/transports/http/listen/tls/tls-identity.js';
import { failsWith } from '../../../../support/fails-with.js';
import { assertNoMoreThan, countOpen } from '../../../../support/leaks.js';
import { diskSource, exchange, get, type Served, serve, temporaryFolder, until } from '../rig.js';
import { makeIdentity } from './identity.js';

const limit = { timeout: 20_000 };
const identity = makeIdentity();

async function serveTls(t: TestContext, options: Partial<HttpListenOptions> = {}): Promise<Served> {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'f'), 'over TLS');
  await writeFile(join(folder, 'big'), Buffer.alloc(8 << 20));
  return serve(t, folder, { tls: identity, allowHosts: ['test', 'box', 'box.local'], ...options });
}

/** The text at a path, by a client that trusts the certificate and checks the name. */
function getTls(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, ca: identity.cert, agent: false } as const;
    request(options, (response) => resolve(text(response)))
      .on('error', reject)
      .end();
  });
}

function handshake(port: number, options: object): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, ca: identity.cert, ...options }, () => resolve(socket));
    socket.on('error', reject);
  });
}

test('its addresses are https, and TLS 1.2 and 1.3 are spoken, and nothing older', limit, async (t) => {
  const { listener, port } = await serveTls(t);
  assert.deepEqual(listener.urls, [`https://127.0.0.1:${port}/`]);
  assert.equal(await getTls(port, '/f'), 'over TLS');
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const offered = { minVersion: version, maxVersion: version, ALPNProtocols: ['h2', 'http/1.1'] };
    const socket = await handshake(port, offered);
    assert.deepEqual([socket.getProtocol(), socket.alpnProtocol], [version, 'http/1.1']);
    socket.destroy();
  }
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
  await assert.rejects(handshake(port, old), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
});

test('plain HTTP on the same port is sent to https, and gets nothing else', limit, async (t) => {
  const records: AccessRecord[] = [];
  const { port, source } = await serveTls(t, { onRequest: (record) => records.push(record) });
  assert.match(await get(port, '/f'), /\r\nLocation: https:\/\/test:80\/f\r\n/);
  assert.match(await get(port, '/f', 'Host: evil.example\r\n'), /^HTTP\/1\.1 400 /);
  const misdirected = await exchange(port, 'GET /f HTTP/1.1\r\nHost: evil.example\r\n\r\n');
  assert.match(misdirected, /^HTTP\/1\.1 421 .*--allow-host evil\.example/s);
  assert.doesNotMatch(misdirected, /Location/);
  for (const [method, more] of [
    ['GET', ''],
    ['OPTIONS', ''],
    ['POST', 'Content-Length: 3\r\n'],
    ['PUT', 'Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n'],
  ] as const) {
    const fields = `Host: box.local:${port}\r\nAuthorization: Basic YTpi\r\n${more}`;
    const said = await exchange(port, `${method} /a/b?c=%E9 HTTP/1.1\r\n${fields}\r\n`);
    assert.match(said, /^HTTP\/1\.1 307 /);
    assert.match(said, new RegExp(`\r\nLocation: https://box\\.local:${port}/a/b\\?c=%E9\r\n`));
    assert.match(said, /\r\nConnection: close\r\n/);
    assert.doesNotMatch(said, /Strict-Transport-Security/i);
  }
  assert.match(await exchange(port, 'GET /f HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.match(await exchange(port, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.equal(source.opened, 0);
  assert.deepEqual(new Set(records.map(({ status }) => status)), new Set([307, 400, 421]));
});

test('a first byte that comes alone is not lost, whichever protocol it begins', limit, async (t) => {
  const { port } = await serveTls(t);
  const slowly = (bytes: Buffer): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true }, async () => {
        for (const byte of bytes) await new Promise((sent) => socket.write(Buffer.of(byte), sent));
      });
      socket.on('error', reject);
      resolve(text(socket));
    });
  const plain = await slowly(Buffer.from('GET /f HTTP/1.1\r\nHost: box\r\n\r\n'));
  assert.match(plain, /^HTTP\/1\.1 307 .*\r\nLocation: https:\/\/box:80\/f\r\n/s);
  // The first flight of a TLS client goes through a pipe that sends one byte at a time.
  const { createServer } = await import('node:net');
  const pipe = createServer((near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    near.on('data', (bytes) => {
      for (const byte of bytes) far.write(Buffer.of(byte));
    });
    far.pipe(near);
    for (const end of [near, far]) end.on('error', () => undefined).on('close', () => near.destroy());
    near.on('close', () => far.destroy());
  });
  await new Promise<void>((resolve) => pipe.listen(0, '127.0.0.1', resolve));
  t.after(() => pipe.close());
  assert.equal(await getTls((pipe.address() as { port: number }).port, '/f'), 'over TLS');
});

/** Connects, does what is said, and resolves when the other end has closed. */
function closedAfter(port: number, act: (socket: Socket) => void): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => act(socket));
    socket.on('error', () => undefined).on('close', () => resolve());
    socket.resume();
  });
}

const HELLO = Buffer.from([0x16, 3, 1, 2, 0]);

test('who sends nothing, stops in a handshake or hangs up half is cut', limit, async (t) => {
  const { port } = await serveTls(t, { headersTimeoutMs: 300 });
  await Promise.all([
    closedAfter(port, () => undefined),
    closedAfter(port, (socket) => socket.write(HELLO)),
    closedAfter(port, (socket) => socket.end()),
    closedAfter(port, (socket) => socket.end(HELLO)),
    closedAfter(port, (socket) => socket.write(Buffer.alloc(1 << 20, 0x16))),
    closedAfter(port, (socket) => socket.write('GET /f HTTP/1.1\r\nHo')),
    getTls(port, '/f').then((said) => assert.equal(said, 'over TLS', 'others are served meanwhile')),
  ]);
  const idle = await handshake(port, {});
  await new Promise((resolve) => idle.once('close', resolve).resume());
});

/** Longer than a test may take. */
const PATIENT = { headersTimeoutMs: 600_000 };

test('who hangs up before the first byte is let go at once', limit, async (t) => {
  const { port } = await serveTls(t, PATIENT);
  await closedAfter(port, (socket) => socket.end());
});

test('close ends every connection, at whatever point it is', limit, async (t) => {
  const { listener, port, source } = await serveTls(t, PATIENT);
  const stalled = [closedAfter(port, () => undefined), closedAfter(port, (socket) => socket.write(HELLO))];
  const idle = await handshake(port, {});
  const busy = await handshake(port, {});
  busy.write('GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until(() => source.opened === 1);
  const gone = [idle, busy].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  for (const socket of [idle, busy]) socket.on('error', () => undefined).resume();
  await listener.close();
  await Promise.all([...stalled, ...gone]);
  await until(() => source.closed === 1);
});

test('a download ends within the grace of a close, and who says nothing does not hold it up', limit, async (t) => {
  const { listener, port, source } = await serveTls(t, PATIENT);
  const silent = closedAfter(port, () => undefined);
  const busy = await handshake(port, {});
  busy.write('GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until(() => source.opened === 1);
  const closing = listener.close({ graceMs: 15_000 });
  await silent;
  assert.ok((await text(busy)).length > 8 << 20);
  await closing;
});

test('clients that come and go in any way leave nothing open', { timeout: 60_000 }, async (t) => {
  const { port, source } = await serveTls(t, { headersTimeoutMs: 2000 });
  await getTls(port, '/f');
  const before = countOpen();
  const acts: ((socket: Socket) => void)[] = [
    (socket) => socket.destroy(),
    (socket) => socket.resetAndDestroy(),
    (socket) => socket.write(HELLO, () => socket.resetAndDestroy()),
    (socket) => socket.write('G', () => socket.resetAndDestroy()),
    (socket) => socket.write('GET /f HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    (socket) => socket.write('\x16nonsense, and not a handshake at all'),
  ];
  for (let round = 0; round < 20; round++) {
    await Promise.all(acts.flatMap((act) => [closedAfter(port, act), closedAfter(port, act)]));
    assert.equal(await getTls(port, '/f'), 'over TLS');
  }
  await until(() => source.opened === source.closed);
  await assertNoMoreThan(before);
});

test('a key and a certificate that do not fit are refused before anything is bound', limit, async (t) => {
  const folder = await temporaryFolder(t);
  const scope = { signal: new AbortController().signal };
  const attempt = (tls: { cert: string; key: string }) =>
    listen({ hosts: ['127.0.0.1'], port: 0, share: diskSource(folder), tls }, scope);
  await assert.rejects(
    attempt({ cert: identity.cert, key: makeIdentity().key }),
    failsWith('USAGE', /certificate and key/),
  );
  await assert.rejects(attempt({ cert: 'nonsense', key: identity.key }), failsWith('USAGE', /certificate and key/));
});

test(
  'a certificate that is renewed is shown to new connections, and a bad one is told once and not used',
  limit,
  async (t) => {
    const notices: string[] = [];
    const others = [
      makeIdentity(),
      { cert: identity.cert, key: 'nonsense' },
      { cert: 'nonsense', key: '' },
      'fail',
      'fail',
    ];
    let reads = 0;
    let isKept = false;
    const read = async (): Promise<TlsIdentity> => {
      if (!isKept) return identity;
      const next = others[Math.min(reads++, others.length - 1)];
      if (typeof next === 'object') return next;
      throw new XferError('USAGE', 'certificate c.pem: it expired');
    };
    const onNotice = (line: string): void => void notices.push(line);
    const { port, listener } = await serveTls(t, { tlsRenewal: { read, everyMs: 20 }, onNotice });
    const kept = await handshake(port, {});
    isKept = true;
    await until(() => reads > others.length + 1);
    const shown = await handshake(port, { ca: others[0] && (others[0] as TlsIdentity).cert });
    assert.equal(shown.getProtocol(), 'TLSv1.3');
    shown.destroy();
    assert.equal(notices.length, 3, notices.join('\n'));
    assert.match(notices[2] ?? '', /^certificate c\.pem: it expired; the last certificate is served on$/);
    kept.write('GET /f HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    assert.match(await text(kept), /over TLS$/);
    await listener.close();
    const before = reads;
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(reads, before, 'nobody asks on');
  },
);

test('where a plain request is sent', () => {
  const rows: [host: string | undefined, target: string, url: string | undefined][] = [
    ['box', '/', 'https://box:80/'],
    ['Box.local:8000', '/a?b#c', 'https://Box.local:8000/a?b#c'],
    ['[::1]:8000', '/a', 'https://[::1]:8000/a'],
    ['[::1]', '//evil.example/..', 'https://[::1]:80//evil.example/..'],
    ['box:8000', 'http://evil.example/a', 'https://box:8000/a'],
    ['box:8000', '/\u00ff \t', 'https://box:8000/%FF%20%09'],
    [undefined, '/', undefined],
    ['', '/', undefined],
    ['box:', '/', undefined],
    ['box:99999', '/', undefined],
    ['user@box', '/', undefined],
    ['box/evil', '/', undefined],
    ['box\\evil', '/', undefined],
    ['box evil', '/', undefined],
    ['[::1', '/', undefined],
    ['[:::::]', '/', undefined],
    ['b\u00f6x', '/', undefined],
    ['x'.repeat(300), '/', undefined],
    ['box', '*', undefined],
    ['box', 'evil.example', undefined],
    ['box', 'http://evil.example', undefined],
  ];
  for (const [host, target, url] of rows) assert.equal(encryptedUrl(host, target), url, `${host} ${target}`);
});
