import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { proxyFor, proxySettings } from '#xfer/transports/http/client/proxies.js';
import { pinOf } from '#xfer/transports/http/pins.js';
import { open, readText, serve } from '../hostile-server.js';
import { makeIdentity } from '../listen/tls/identity.js';

test('the environment names proxies as it does for curl', () => {
  const { http, https, none } = proxySettings({ http_proxy: 'a', HTTP_PROXY: 'no', HTTPS_PROXY: 'b', NO_PROXY: 'c' });
  assert.deepEqual([http, https, none], ['a', 'b', 'c']);
  assert.deepEqual(proxySettings({ HTTP_PROXY: 'evil' }), { http: undefined, https: undefined, none: undefined });
  assert.equal(proxySettings({ all_proxy: 'd', http_proxy: '' }).http, 'd');
});

test('a proxy is a URL or host:port, with a login that no message shows', () => {
  const proxy = proxyFor(new URL('http://x.example/'), { http: 'http://an%40na:s3cret@p.example:3128' });
  assert.equal(proxy?.login, `Basic ${Buffer.from('an@na:s3cret').toString('base64')}`);
  assert.equal(proxy?.label, 'http://p.example:3128');
  assert.deepEqual([proxy?.host, proxy?.port, proxy?.secure], ['p.example', 3128, false]);
  assert.equal(proxyFor(new URL('https://x.example/'), { http: 'p:1' }), undefined);
  assert.equal(proxyFor(new URL('http://x.example/'), { http: 'p:1' })?.port, 1);
  assert.throws(
    () => proxyFor(new URL('http://x/'), { http: 'socks5://u:hidden@p:1' }),
    (error: Error) => {
      return /socks5:\/\/p:1/.test(error.message) && !error.message.includes('hidden');
    },
  );
});

const EXCEPTED: [none: string, url: string, excepted: boolean][] = [
  ['*', 'http://a.example/', true],
  ['example', 'http://a.example/', true],
  ['.a.example, b.example', 'http://a.example/', true],
  ['*.example', 'http://a.example/', true],
  ['a.example', 'http://ba.example/', false],
  ['a.example:8080', 'http://a.example:8080/', true],
  ['a.example:8080', 'http://a.example/', false],
  ['127.0.0.0/8', 'http://127.0.0.1:8000/', true],
  ['127.0.0.1', 'http://127.0.0.2/', false],
  ['10.0.0.0/8 ::1', 'http://[::1]:8000/', true],
  ['[::1]:8000', 'http://[::1]:8000/', true],
  ['0.0.1', 'http://127.0.0.1/', false],
  ['', 'http://a.example/', false],
];

for (const [none, url, excepted] of EXCEPTED) {
  test(`no_proxy=${none}: ${url} ${excepted ? 'goes straight' : 'goes by the proxy'}`, () => {
    assert.equal(proxyFor(new URL(url), { http: 'p:1', none }) === undefined, excepted);
  });
}

interface Passed {
  readonly url: string;
  readonly asked: (string | undefined)[];
  readonly heads: string[];
}

/** A proxy that passes on what it is asked for, and notes the requests that it sees. */
async function startProxy(t: TestContext, status = 200): Promise<Passed> {
  const asked: (string | undefined)[] = [];
  const heads: string[] = [];
  const note = (request: IncomingMessage) => {
    asked.push(`${request.method} ${request.url}`);
    heads.push(request.rawHeaders.join('\n'));
  };
  const server = createServer(async (request, response) => {
    note(request);
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const answer = await fetch(request.url ?? '', { headers: { range: headers.range ?? '' } });
    response.writeHead(answer.status, { 'content-length': answer.headers.get('content-length') ?? 0 });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  server.on('connect', (request, near) => {
    note(request);
    if (status !== 200) return near.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const port = Number(request.url?.split(':').at(-1));
    const far = connect(port, '127.0.0.1', () => near.write('HTTP/1.1 200 OK\r\n\r\n'));
    far.on('error', () => near.destroy());
    near.on('error', () => far.destroy());
    return far.pipe(near).pipe(far);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://anna:pass@127.0.0.1:${(server.address() as AddressInfo).port}`, asked, heads };
}

test('a plain URL is asked of the proxy whole, with its login', { timeout: 10_000 }, async (t) => {
  const proxy = await startProxy(t);
  const url = await serve(t, (_, response) => response.end('through'));
  const source = await open(t, `${url}/a?b=c`, { proxies: { http: proxy.url } });
  assert.equal(await readText(source), 'through');
  assert.deepEqual(proxy.asked, [`GET ${url}/a?b=c`]);
  assert.match(proxy.heads[0] ?? '', /proxy-authorization\nBasic YW5uYTpwYXNz/i);
});

test('an https URL goes through CONNECT, and the proxy sees neither login nor path', { timeout: 10_000 }, async (t) => {
  const proxy = await startProxy(t);
  const identity = makeIdentity();
  const seen: (string | undefined)[] = [];
  const server = createSecureServer({ cert: identity.cert, key: identity.key }, (request, response) => {
    seen.push(request.headers.authorization, request.headers['proxy-authorization']);
    response.end('sealed');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const options = { proxies: { https: proxy.url }, auth: 'bob:hidden' };
  await assert.rejects(open(t, `https://127.0.0.1:${port}/secret`, options), { code: 'DENIED' });
  const source = await open(t, `https://127.0.0.1:${port}/secret`, {
    ...options,
    pins: [pinOf(new X509Certificate(identity.cert))],
  });
  assert.equal(await readText(source), 'sealed');
  assert.deepEqual(seen, [`Basic ${Buffer.from('bob:hidden').toString('base64')}`, undefined]);
  assert.deepEqual(proxy.asked, [`CONNECT 127.0.0.1:${port}`, `CONNECT 127.0.0.1:${port}`]);
  assert.ok(proxy.heads.every((head) => !head.includes('Ym9iOmhpZGRlbg') && !head.includes('secret')));
});

test('a proxy that refuses is told as itself', { timeout: 10_000 }, async (t) => {
  for (const [status, code] of [
    [407, 'DENIED'],
    [403, 'DENIED'],
    [502, 'UNREACHABLE'],
    [200, 'UNREACHABLE'],
  ] as const) {
    const proxy = await startProxy(t, status);
    const place = status === 200 ? 'http://anna:pass@127.0.0.1:1' : proxy.url;
    await assert.rejects(
      open(t, 'https://127.0.0.1:9/x', { proxies: { https: place } }),
      (error: Error & { code: string }) => {
        assert.match(error.message, /by proxy http:\/\/127\.0\.0\.1:/);
        assert.doesNotMatch(error.message, /pass/);
        return error.code === code;
      },
    );
  }
});
