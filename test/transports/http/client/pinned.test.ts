/** What a client with a pin sends, and to whom. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createServer, type SecureVersion, type TLSSocket } from 'node:tls';
import { pinOf } from '#xfer/transports/http/pins.js';
import { failsWith } from '../../../support/fails-with.js';
import { open, readText } from '../hostile-server.js';
import { DAY_MS, type IdentityTerms, makeIdentity } from '../listen/tls/identity.js';

const limit = { timeout: 20_000 };
const LOGIN = { headers: ['Authorization: Bearer hunter2'] };

interface Listening {
  readonly url: string;
  readonly pin: string;
  readonly cert: string;
  /** All that clients have said, decrypted. */
  said(): string;
  handshakes(): number;
}

interface Wanted extends IdentityTerms {
  /** A body, or a whole answer. */
  readonly answer?: string;
  readonly version?: SecureVersion;
}

/** Speaks TLS and answers each request with `answer`. */
async function listenTls(t: TestContext, wanted: Wanted = {}): Promise<Listening> {
  const { answer = 'ok', version = 'TLSv1.3', ...terms } = wanted;
  const identity = makeIdentity(terms);
  let said = '';
  let handshakes = 0;
  const sockets = new Set<TLSSocket>();
  const server = createServer({ ...identity, minVersion: version, maxVersion: version }, (socket) => {
    handshakes += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1');
      if (said.endsWith('\r\n\r\n')) socket.write(answer.startsWith('HTTP') ? answer : whole(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/f`,
    pin: pinOf(new X509Certificate(identity.cert)),
    cert: identity.cert,
    said: () => said,
    handshakes: () => handshakes,
  };
}

/** Ends its connection, so that the next request makes another. */
function whole(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`over ${version}, a server of another pin gets not a byte of the request`, limit, async (t) => {
    const { url, pin, said } = await listenTls(t, { version });
    const other = pinOf(new X509Certificate(makeIdentity().cert));
    await assert.rejects(open(t, url, { ...LOGIN, pins: [other] }), (error) => {
      assert.ok(failsWith('DENIED', /^connect https:\/\/127\.0\.0\.1:\d+: /)(error));
      assert.ok((error as Error).message.includes(pin), 'the pin that was shown is told');
      return true;
    });
    // A request after it, on a connection of its own, shows that what was before had its time to come.
    await readText(await open(t, url, { headers: ['X-Second: 1'], pins: [pin] }));
    assert.match(said(), /^GET \/f HTTP\/1\.1\r\n/);
    assert.match(said(), /x-second: 1/i);
    assert.doesNotMatch(said(), /hunter2/);
  });

  test(`over ${version}, the right pin lets the request go, on each connection`, limit, async (t) => {
    const { url, pin, said, handshakes } = await listenTls(t, { version, answer: 'content' });
    const other = pinOf(new X509Certificate(makeIdentity().cert));
    const source = await open(t, url, { ...LOGIN, pins: [other, pin] });
    for (let round = 0; round < 3; round++) assert.equal(await readText(source), 'content');
    assert.equal(handshakes(), 3);
    assert.match(said(), /authorization: Bearer hunter2/i);
  });
}

test('neither name nor date of a pinned certificate matter, its key alone', limit, async (t) => {
  const terms = { names: ['elsewhere.example'], notAfter: new Date(Date.now() - DAY_MS / 2) };
  const { url, pin, cert } = await listenTls(t, terms);
  assert.equal(await readText(await open(t, url, { pins: [pin] })), 'ok');
  assert.equal(await readText(await open(t, url, { pins: [new X509Certificate(cert).fingerprint256] })), 'ok');
});

test('a redirect to another origin is checked as ever, whatever its pin', limit, async (t) => {
  const other = await listenTls(t);
  const redirect = `HTTP/1.1 307 Temporary Redirect\r\nLocation: ${other.url}\r\nContent-Length: 0\r\n\r\n`;
  const { url, pin } = await listenTls(t, { answer: redirect });
  await assert.rejects(open(t, url, { ...LOGIN, pins: [pin, other.pin] }), failsWith('DENIED', /not trusted/));
  assert.equal(other.said(), '');
  const source = await open(t, url, { ...LOGIN, pins: [pin], ca: [other.cert] });
  assert.equal(await readText(source), 'ok');
  assert.doesNotMatch(other.said(), /hunter2/);
});

test('further authorities are trusted, and names are checked then', limit, async (t) => {
  const { url, cert } = await listenTls(t);
  await assert.rejects(open(t, url), failsWith('DENIED', /DEPTH_ZERO_SELF_SIGNED_CERT/));
  assert.equal(await readText(await open(t, url, { ca: [makeIdentity().cert, cert] })), 'ok');
  const named = await listenTls(t, { names: ['elsewhere.example'] });
  await assert.rejects(open(t, named.url, { ca: [named.cert] }), failsWith('DENIED', /ERR_TLS_CERT_ALTNAME_INVALID/));
  await assert.rejects(open(t, url, { ca: ['nonsense'] }), failsWith('USAGE', /holds no certificate/));
  const broken = cert.replace(/\n[^\n]{64}\n/, '\n');
  await assert.rejects(open(t, url, { ca: [broken] }), failsWith('USAGE', /is broken/));
});

test('a pin on an address without encryption is refused', limit, async (t) => {
  const { url, pin } = await listenTls(t);
  await assert.rejects(open(t, url.replace('https:', 'http:'), { pins: [pin] }), {
    code: 'USAGE',
    hint: /https:\/\/127/,
  });
});

test('a server that stays in its handshake is given up, pin or not', limit, async (t) => {
  const { createServer: createPlain } = await import('node:net');
  const server = createPlain((socket) => socket.on('error', () => undefined).resume());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  const { pin } = await listenTls(t);
  const waiting = open(t, `https://127.0.0.1:${port}/f`, { pins: [pin], connectTimeoutMs: 50 });
  await assert.rejects(waiting, failsWith('UNREACHABLE', /no connection in 50 ms/));
});
