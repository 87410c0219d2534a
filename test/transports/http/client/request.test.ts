import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import { parseLocation } from '#xfer/location.js';
import { parseFields } from '#xfer/transports/http/client/fields.js';
import { requestError } from '#xfer/transports/http/client/request-error.js';
import { transport } from '#xfer/transports/http/index.js';
import { open, readText, scope, serve, serveRaw } from '../hostile-server.js';

const STATUSES: [status: number, code: string][] = [
  [204, 'PROTOCOL'],
  [206, 'PROTOCOL'],
  [304, 'PROTOCOL'],
  [400, 'PROTOCOL'],
  [401, 'DENIED'],
  [403, 'DENIED'],
  [404, 'NOT_FOUND'],
  [407, 'DENIED'],
  [408, 'TIMED_OUT'],
  [410, 'NOT_FOUND'],
  [425, 'DISCONNECTED'],
  [429, 'DISCONNECTED'],
  [500, 'DISCONNECTED'],
  [501, 'UNSUPPORTED'],
  [503, 'DISCONNECTED'],
  [504, 'TIMED_OUT'],
];

for (const [status, code] of STATUSES) {
  test(`status ${status} is ${code}`, { timeout: 10_000 }, async (t) => {
    const url = await serve(t, (_, response) => response.writeHead(status, { 'Retry-After': '7' }).end());
    await assert.rejects(open(t, `${url}/f`), (error) => {
      assert.ok(error instanceof XferError);
      assert.equal(error.code, code);
      if (status === 503) assert.equal(error.retryAfterMs, 7000);
      return true;
    });
  });
}

test('redirects are followed, relative ones too', { timeout: 10_000 }, async (t) => {
  const url = await serve(t, (request, response) => {
    if (request.url === '/a/b') response.writeHead(302, { Location: '../c?x=1' }).end();
    else response.end(request.url);
  });
  const source = await open(t, `${url}/a/b`);
  assert.equal(source.name, 'b');
  assert.equal(await readText(source), '/c?x=1');
});

test('a redirect in a circle and one too many are refused', { timeout: 10_000 }, async (t) => {
  let count = 0;
  const url = await serve(t, (request, response) => {
    const next = request.url === '/loop' ? '/loop2' : request.url === '/loop2' ? '/loop#x' : `/${count++}`;
    response.writeHead(301, { Location: next }).end();
  });
  await assert.rejects(open(t, `${url}/loop`), { code: 'PROTOCOL', message: /circle/ });
  await assert.rejects(open(t, `${url}/many`), { code: 'PROTOCOL', message: /more than 20 redirects/ });
  assert.ok(count <= 21);
  await assert.rejects(open(t, `${url}/few`, { maxRedirects: 0 }), { code: 'PROTOCOL' });
});

test('a redirect to what is no web address is refused', { timeout: 10_000 }, async (t) => {
  for (const location of ['file:///etc/passwd', 'http://[', 'data:,x']) {
    const url = await serve(t, (_, response) => response.writeHead(302, { Location: location }).end());
    await assert.rejects(open(t, `${url}/f`), { code: 'PROTOCOL' });
  }
});

test('what a person adds goes to the origin that was named, and not to another', { timeout: 10_000 }, async (t) => {
  const seen: IncomingHttpHeaders[] = [];
  const other = await serve(t, (request, response) => {
    seen.push(request.headers);
    response.end('ok');
  });
  const url = await serve(t, (request, response) => {
    seen.push(request.headers);
    response.writeHead(307, { Location: request.url === '/f' ? '/same' : other.replace('//', '//evil:pw@') }).end();
  });
  const login = url.replace('//', '//us%C3%A9r:p%40ss@');
  await open(t, `${login}/f`, { headers: ['X-Token: abc', 'Accept: text/plain'], userAgent: 'mine/1' });
  const basic = `Basic ${Buffer.from('usér:p@ss').toString('base64')}`;
  assert.deepEqual(
    seen.map((fields) => [fields.authorization, fields['x-token'], fields.accept, fields['user-agent']]),
    [
      [basic, 'abc', 'text/plain', 'mine/1'],
      [basic, 'abc', 'text/plain', 'mine/1'],
      [undefined, undefined, 'text/plain', 'mine/1'],
    ],
  );
});

test('a password is in no message and no label', { timeout: 10_000 }, async (t) => {
  const url = await serve(t, (request, response) => {
    if (request.url?.startsWith('/ok')) response.end('ok');
    else if (request.url === '/loop') response.writeHead(302, { Location: '/loop' }).end();
    else response.writeHead(401).end();
  });
  const login = url.replace('//', '//user:hunter2@');
  for (const path of ['/denied?token=hunter2', '/loop']) {
    await assert.rejects(open(t, login + path, { headers: { Cookie: 'hunter2' } }), (error) => {
      assert.ok(error instanceof XferError);
      assert.ok(!`${error.stack}${error.hint}${JSON.stringify(error)}`.includes('hunter2'));
      return true;
    });
  }
  assert.ok(!(await open(t, `${login}/ok?token=hunter2`)).label.includes('hunter2'));
  assert.throws(
    () => parseFields(['X-Token: hunter2\x00']),
    (error: Error) => !error.message.includes('hunter2'),
  );
  assert.throws(
    () => parseFields(['hunter2 and no colon']),
    (error: Error) => !error.message.includes('hunter2'),
  );
});

test('a login that is not spoken is named, whether one was given or not', { timeout: 10_000 }, async (t) => {
  const url = await serve(t, (_, response) =>
    response.writeHead(401, { 'WWW-Authenticate': 'Digest realm="a"' }).end(),
  );
  for (const from of [url, url.replace('//', '//user:pw@')]) {
    await assert.rejects(open(t, `${from}/f`), { code: 'DENIED', hint: /Digest logins alone/ });
  }
});

test('a password is asked for where the URL has a user alone', { timeout: 10_000 }, async (t) => {
  const url = await serve(t, (request, response) => response.end(request.headers.authorization));
  const prompt = { secret: async () => 'typed', line: async () => undefined };
  const source = await open(t, `${url.replace('//', '//user@')}/f`, { prompt });
  assert.equal(await readText(source), `Basic ${Buffer.from('user:typed').toString('base64')}`);
  const gone = { secret: async () => undefined, line: async () => undefined };
  await assert.rejects(open(t, `${url.replace('//', '//user@')}/f`, { prompt: gone }), { code: 'DENIED' });
});

test('fields that a copy sets by itself, and malformed ones, are refused', () => {
  for (const field of [
    'Range: bytes=0-',
    'accept-encoding: gzip',
    'If-Range: "x"',
    'Bad name: x',
    ': x',
    'X: a\nY: b',
  ]) {
    assert.throws(() => parseFields([field]), { code: 'USAGE' }, field);
  }
  assert.deepEqual(parseFields(['X-A:  b: c ']), { 'x-a': 'b: c' });
});

test('headers without an end, and what is no HTTP, are refused', { timeout: 10_000 }, async (t) => {
  const endless = await serveRaw(t, `HTTP/1.1 200 OK\r\n${`X-Filler: ${'y'.repeat(1000)}\r\n`.repeat(200)}`);
  await assert.rejects(open(t, `${endless}/f`), { code: 'PROTOCOL' });
  const banner = await serveRaw(t, 'SSH-2.0-OpenSSH_9.2\r\n');
  await assert.rejects(open(t, `${banner}/f`), { code: 'PROTOCOL' });
});

test('a change of protocol that nobody asked for, and interim answers without end, are refused', {
  timeout: 10_000,
}, async (t) => {
  const other = await serveRaw(t, 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nx');
  await assert.rejects(open(t, `${other}/f`), { code: 'PROTOCOL', message: /goes over to another protocol/ });
  const early = 'HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n'.repeat(500);
  const url = await serve(t, (_request, response) => {
    const more = setInterval(() => response.socket?.write(early), 1);
    response.on('close', () => clearInterval(more));
  });
  await assert.rejects(open(t, `${url}/f`), { code: 'PROTOCOL', message: /interim answers come without end/ });
});

test('a server that never answers is given up, and can be aborted', { timeout: 10_000 }, async (t) => {
  const url = await serve(t, () => {});
  await assert.rejects(open(t, `${url}/f`, { idleTimeoutMs: 50 }), { code: 'TIMED_OUT' });
  const reason = new Error('stopped');
  const abort = new AbortController();
  const waiting = transport.openSource?.(parseLocation(`${url}/f`), {}, { signal: abort.signal });
  setImmediate(() => abort.abort(reason));
  await assert.rejects(waiting ?? Promise.resolve(), (error) => error === reason);
});

test('a port where nobody listens is UNREACHABLE, and one that hangs up DISCONNECTED', {
  timeout: 10_000,
}, async (t) => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await assert.rejects(open(t, `http://127.0.0.1:${port}/f`), { code: 'DISCONNECTED' });
  await new Promise((resolve) => server.close(resolve));
  await assert.rejects(open(t, `http://127.0.0.1:${port}/f`), { code: 'UNREACHABLE' });
});

test('TLS to a server that speaks none is PROTOCOL, and an unknown certificate DENIED', {
  timeout: 10_000,
}, async (t) => {
  const url = await serveRaw(t, 'HTTP/1.1 400 Bad Request\r\n\r\n');
  await assert.rejects(open(t, `${url.replace('http:', 'https:')}/f`), { code: 'PROTOCOL' });
  const untrusted = Object.assign(new Error('self-signed'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  assert.equal(requestError(untrusted, 'get x').code, 'DENIED');
});

test('a location that is no web address is USAGE', async () => {
  const opened = transport.openSource?.({ scheme: 'http', host: '', path: '/' }, {}, scope);
  await assert.rejects(opened ?? Promise.resolve(), { code: 'USAGE' });
});
