/** What servers say to a put, in words and codes; where they send on to; and that nothing secret goes along. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import type { ErrorCode, XferError } from '#xfer/errors.js';
import type { Sink } from '#xfer/transport.js';
import type { HttpOptions } from '#xfer/transports/http/index.js';
import { failsWith } from '../../../support/fails-with.js';
import { patternBytes } from '../../../support/fixtures.js';
import { scope, serve } from '../hostile-server.js';
import { afterBody, DRAFT, featured, openSinkAt, putFile, TUS } from './put-rig.js';

const TIME = { timeout: 20_000 };
const LARGE = patternBytes(3_000_000);

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** A server that notes what came, and answers by `answer`. */
async function noting(t: TestContext, answer: (seen: Seen, response: ServerResponse) => void) {
  const seen: Seen[] = [];
  const url = await serve(t, (request, response) => {
    const { method = '', url: target = '', headers } = request;
    afterBody(request, (body) => {
      const one = { method, url: target, headers, body };
      seen.push(one);
      answer(one, response);
    });
  });
  return { url, seen };
}

async function putSmall(sink: Sink, path: string, text: string, mtimeMs?: number): Promise<void> {
  const bytes = Buffer.from(text);
  const entry = { path, kind: 'file' as const, size: bytes.length, ...(mtimeMs === undefined ? {} : { mtimeMs }) };
  await sink.put?.(entry, bytes, mtimeMs !== undefined, scope);
}

async function refused(t: TestContext, status: number, fields: Record<string, string> = {}, text = '') {
  const { url } = await noting(t, ({ method }, response) => {
    if (method === 'OPTIONS') response.writeHead(200).end();
    else if (method === 'HEAD') response.writeHead(404).end();
    else response.writeHead(status, fields).end(text);
  });
  const sink = await openSinkAt(t, `${url}/`, { replace: false });
  return putSmall(sink, 'f', 'abc').then(
    () => assert.fail('it was taken'),
    (error: unknown) => error as XferError,
  );
}

test('a server that takes Digest logins alone is said to, and one that takes Basic too is not', TIME, async (t) => {
  const digest = 'Digest realm="a", qop="auth", nonce="b"';
  const hint = async (challenge: string) => (await refused(t, 401, { 'WWW-Authenticate': challenge })).hint ?? '';
  assert.match(await hint(digest), /Digest logins alone/);
  assert.match(await hint(`${digest}, Basic realm="a"`), /-u user/);
});

test('each refusal has its code, and a hint of what to do', TIME, async (t) => {
  const rows: [status: number, code: ErrorCode, message: RegExp, hint?: RegExp][] = [
    [400, 'PROTOCOL', /says 400/],
    [401, 'DENIED', /a login is wanted/, /-u user/],
    [403, 'DENIED', /may not be put there/],
    [404, 'NOT_FOUND', /no such folder/, /make the folder first/],
    [405, 'UNSUPPORTED', /takes no files there/, /--upload/],
    [409, 'NOT_FOUND', /the folder that it would lie in/],
    [411, 'UNSUPPORTED', /the length before/],
    [412, 'EXISTS', /has that name already/, /--overwrite/],
    [413, 'NO_SPACE', /larger than the server takes/, /--chunk/],
    [423, 'DENIED', /locked/],
    [429, 'DISCONNECTED', /too many requests/],
    [500, 'DISCONNECTED', /says 500/],
    [507, 'NO_SPACE', /no room/],
  ];
  for (const [status, code, message, hint] of rows) {
    const error = await refused(t, status);
    assert.equal(error.code, code, String(status));
    assert.match(error.message, message);
    if (hint) assert.match(error.hint ?? '', hint);
  }
});

test('the reason that a server gives is told, in one printable line', TIME, async (t) => {
  const plain = { 'Content-Type': 'text/plain' };
  const error = await refused(t, 403, plain, '403 Forbidden\nYour \x1b[31mtray is full.\nmore\n');
  assert.match(error.message, /says 403: Your \\x1b\[31mtray is full$/);
  const page = await refused(t, 403, { 'Content-Type': 'text/html' }, '<h1>no</h1>');
  assert.match(page.message, /says 403: it may not be put there$/);
});

test('Retry-After is kept for whoever tries again', TIME, async (t) => {
  const busy = await refused(t, 409, { 'Retry-After': '3' });
  assert.deepEqual([busy.code, busy.retryAfterMs], ['DISCONNECTED', 3000]);
  assert.equal((await refused(t, 503, { 'Retry-After': '7' })).retryAfterMs, 7000);
});

test('a small file is one request, with its digest, its time, and a wish that nothing is replaced', TIME, async (t) => {
  const { url, seen } = await noting(t, (_seen, response) => response.writeHead(201, DRAFT).end());
  const careful = await openSinkAt(t, `${url}/in/`, { replace: false });
  await putSmall(careful, 'a b/ü#?.txt', 'abc', 1_600_000_000_123);
  const replacing = await openSinkAt(t, `${url}/in?key=1`);
  await putSmall(replacing, '', 'abc');
  const [asked, put, , whole] = seen as [Seen, Seen, Seen, Seen];
  assert.equal(asked.method, 'OPTIONS');
  assert.deepEqual([put.method, put.url, put.body.toString()], ['PUT', '/in/a%20b/%C3%BC%23%3F.txt', 'abc']);
  const digest = createHash('sha256').update('abc').digest('base64');
  const { 'if-none-match': none, 'repr-digest': repr, 'x-oc-mtime': time, 'content-length': length } = put.headers;
  assert.deepEqual([none, repr, time, length], ['*', `sha-256=:${digest}:`, '1600000000', '3']);
  assert.deepEqual([whole.url, whole.headers['if-none-match']], ['/in?key=1', undefined]);
});

test('what has the name already and is the same file is no failure', TIME, async (t) => {
  const digest = `sha-256=:${createHash('sha256').update('abc').digest('base64')}:`;
  const large = `sha-256=:${createHash('sha256').update(LARGE).digest('base64')}:`;
  let conditional = true;
  const url = await serve(t, (request, response) => {
    const isLarge = request.url === '/large';
    const fields = { 'Repr-Digest': isLarge ? large : digest, 'Content-Length': isLarge ? LARGE.length : 3 };
    if (request.method === 'OPTIONS') response.writeHead(200, conditional ? DRAFT : {}).end();
    else if (request.method === 'HEAD') response.writeHead(200, fields).end();
    else response.writeHead(412).end();
  });
  for (conditional of [true, false]) {
    const sink = await openSinkAt(t, `${url}/`, { replace: false });
    await putSmall(sink, 'f', 'abc');
    await assert.rejects(putSmall(sink, 'f', 'abd'), failsWith('EXISTS'));
    await putFile(sink, 'large', LARGE);
    await assert.rejects(putFile(sink, 'large', Buffer.concat([LARGE, Buffer.from('x')])), failsWith('EXISTS'));
    await assert.rejects(putFile(sink, 'large', patternBytes(LARGE.length, 2)), failsWith('EXISTS'));
    await assert.rejects(putFile(sink, 'f', LARGE.subarray(0, 300_000)), failsWith('EXISTS'));
  }
});

test('a server that would replace what is there is asked before', TIME, async (t) => {
  const date = 'Sun, 13 Sep 2020 12:26:40 GMT';
  const { url, seen } = await noting(t, ({ method, url: target }, response) => {
    if (method === 'OPTIONS') response.writeHead(405).end();
    else if (method !== 'HEAD') response.writeHead(201).end();
    else if (target === '/new') response.writeHead(404).end();
    else response.writeHead(200, { 'Content-Length': '3', 'Last-Modified': date }).end();
  });
  const sink = await openSinkAt(t, `${url}/`, { replace: false });
  await assert.rejects(putSmall(sink, 'old', 'abc', 1_500_000_000_000), failsWith('EXISTS'));
  await assert.rejects(putSmall(sink, 'old', 'abcd', 1_600_000_000_500), failsWith('EXISTS'));
  await assert.rejects(putFile(sink, 'old', LARGE), failsWith('EXISTS'));
  // By length and time it is the file itself.
  await putSmall(sink, 'old', 'abc', 1_600_000_000_500);
  await putSmall(sink, 'new', 'abc');
  await putSmall(await openSinkAt(t, `${url}/`, { replace: true }), 'old', 'abc');
  assert.deepEqual(
    seen.filter(({ method }) => method === 'PUT').map(({ url: target }) => target),
    ['/new', '/old'],
  );
});

test('a large body is held back until the server wants it', TIME, async (t) => {
  let taken = 0;
  const server = featured({}, (request, response) => {
    request.on('data', (piece: Buffer) => {
      taken += piece.length;
    });
    response.writeHead(413).end();
  });
  const refusing = await serveExpecting(t, server);
  const sink = await openSinkAt(t, `${refusing}/`);
  await assert.rejects(putFile(sink, 'f', LARGE), failsWith('NO_SPACE'));
  assert.equal(taken, 0);
});

/** A server that answers requests with Expect by the same function, and never with 100. */
function serveExpecting(t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  return serve(t, answer, true);
}

test('a server that refuses to be asked before gets the body unasked, and the next one too', TIME, async (t) => {
  const expected: (string | undefined)[] = [];
  const server = featured({}, (request, response) => {
    if (request.method === 'HEAD') return response.writeHead(404).end();
    expected.push(request.headers.expect);
    if (request.headers.expect !== undefined) return response.writeHead(417).end();
    return afterBody(request, () => response.writeHead(201).end());
  });
  const sink = await openSinkAt(t, `${await serveExpecting(t, server)}/`);
  await putFile(sink, 'f', LARGE);
  await putFile(sink, 'g', LARGE);
  assert.deepEqual(expected, ['100-continue', undefined, undefined]);
});

test('a server that knows no 100-continue gets the body nevertheless', TIME, async (t) => {
  let got = 0;
  const url = await serveExpecting(
    t,
    featured({}, (request, response) => {
      afterBody(request, (body) => {
        got = body.length;
        response.writeHead(201).end();
      });
    }),
  );
  await putFile(await openSinkAt(t, `${url}/`), 'f', LARGE);
  assert.equal(got, LARGE.length);
});

const SECRETS: HttpOptions = { headers: ['Authorization: Basic c2VjcmV0', 'X-Key: secret'], replace: true };

test('307 and 308 are followed, and no secret goes to another host', TIME, async (t) => {
  const there = await noting(t, (_seen, response) => response.writeHead(201).end());
  const other = there.url.replace('127.0.0.1', 'localhost');
  const near = await noting(t, ({ method }, response) => {
    if (method === 'OPTIONS') response.writeHead(200).end();
    else response.writeHead(method === 'PUT' ? 307 : 308, { Location: `${other}/moved` }).end();
  });
  const sink = await openSinkAt(t, `${near.url}/`, SECRETS);
  await putSmall(sink, 'f', 'abc');
  const [first] = there.seen as [Seen];
  assert.deepEqual([first.method, first.url, first.body.toString()], ['PUT', '/moved', 'abc']);
  assert.deepEqual([first.headers.authorization, first.headers['x-key']], [undefined, undefined]);
  assert.equal(near.seen.at(-1)?.headers.authorization, 'Basic c2VjcmV0');
});

test('a large body follows a redirect that comes before it', TIME, async (t) => {
  const there = await noting(t, (_seen, response) => response.writeHead(201).end());
  const near = await serveExpecting(
    t,
    featured({}, (_request, response) => response.writeHead(308, { Location: `${there.url}/moved` }).end()),
  );
  await putFile(await openSinkAt(t, `${near}/`), 'f', LARGE);
  assert.ok(there.seen[0]?.body.equals(LARGE));
});

test('a file that is sent unasked follows a redirect, before its end and after it', TIME, async (t) => {
  for (const size of [65_537, 1 << 20]) {
    const bytes = patternBytes(size);
    const there = await noting(t, (_seen, response) => response.writeHead(201).end());
    const moved = { Location: `${there.url}/moved` };
    const late = await noting(t, ({ method }, response) =>
      response.writeHead(method === 'PUT' ? 307 : 200, moved).end(),
    );
    const early = await serve(
      t,
      featured({}, (_request, response) => response.writeHead(308, { ...moved, Connection: 'close' }).end()),
    );
    for (const url of [late.url, early]) await putFile(await openSinkAt(t, `${url}/`), 'f', bytes);
    const bodies = there.seen.filter(({ method }) => method === 'PUT').map(({ body }) => body);
    assert.ok(bodies.length === 2 && bodies.every((body) => body.equals(bytes)));
  }
});

test('other redirects would lose the file, and are refused with the new address', TIME, async (t) => {
  for (const status of [301, 302, 303]) {
    const error = await refused(t, status, { Location: 'https://example.org/in/f' });
    assert.equal(error.code, 'PROTOCOL');
    assert.equal(error.hint, 'name the new address: https://example.org/in/f');
  }
});

test('redirects in a circle, and without end', TIME, async (t) => {
  const circle = await noting(t, ({ method }, response) => {
    if (method === 'OPTIONS') response.writeHead(200).end();
    else response.writeHead(307, { Location: '/f' }).end();
  });
  await assert.rejects(putSmall(await openSinkAt(t, `${circle.url}/`), 'f', 'a'), failsWith('PROTOCOL', /in a circle/));
  let hop = 0;
  const endless = await noting(t, ({ method }, response) => {
    hop += 1;
    if (method === 'OPTIONS') response.writeHead(200).end();
    else response.writeHead(307, { Location: `/${hop}` }).end();
  });
  const sink = await openSinkAt(t, `${endless.url}/`, { maxRedirects: 5 });
  await assert.rejects(putSmall(sink, 'f', 'a'), failsWith('PROTOCOL', /more than 5 redirects/));
  assert.ok(hop < 10);
});

test('a digest that does not fit at the server is CORRUPT', TIME, async (t) => {
  const text = '400 Bad Request\nThe bytes that came do not have the digest that was given; nothing was saved.\n';
  const error = await refused(t, 400, { 'Content-Type': 'text/plain; charset=utf-8' }, text);
  assert.equal(error.code, 'CORRUPT');
});

test('what a server says of its limits is kept to before a byte is sent', TIME, async (t) => {
  const seen: string[] = [];
  const url = await serve(t, (request, response) => {
    seen.push(request.method ?? '');
    response.writeHead(204, { 'Upload-Limit': 'max-age=60, max-size=1000' }).end();
  });
  const sink = await openSinkAt(t, `${url}/`);
  await assert.rejects(putFile(sink, 'f', LARGE), failsWith('NO_SPACE', /3000000 bytes, and the server takes 1000/));
  await assert.rejects(putSmall(sink, 'f', 'x'.repeat(1001)), failsWith('NO_SPACE'));
  assert.deepEqual(seen, ['OPTIONS']);
});

test('pieces are refused where the server would take each for the file', TIME, async (t) => {
  const { url, seen } = await noting(t, (_seen, response) => response.writeHead(201).end());
  const sink = await openSinkAt(t, `${url}/`, { chunkBytes: 1_000_000 });
  await assert.rejects(putFile(sink, 'f', LARGE), failsWith('UNSUPPORTED', /takes no file in pieces/));
  assert.equal(seen.length, 1);
});

test('a server of tus alone takes files, small ones too, and no folders', TIME, async (t) => {
  const { url, seen } = await noting(t, ({ method, headers, body }, response) => {
    const whole = { ...TUS, 'Tus-Extension': 'creation,creation-with-upload' };
    if (method === 'OPTIONS') response.writeHead(204, whole).end();
    else if (method === 'POST') {
      response.writeHead(201, { Location: '/files/1', 'Upload-Offset': String(body.length) }).end();
    } else if (method === 'PATCH') {
      response.writeHead(204, { 'Upload-Offset': String(Number(headers['upload-offset']) + body.length) }).end();
    } else response.writeHead(404).end();
  });
  const sink = await openSinkAt(t, `${url}/files`);
  assert.equal((await sink.stat('', scope))?.kind, 'directory');
  await putSmall(sink, 'süß.txt', 'abc');
  await putFile(sink, 'large', LARGE);
  await assert.rejects(sink.create({ path: 'd', kind: 'directory' }, scope), failsWith('UNSUPPORTED', /no folders/));
  const [, small, begin, ...parts] = seen as [Seen, Seen, Seen, ...Seen[]];
  assert.deepEqual([small.method, small.url, small.body.toString()], ['POST', '/files', 'abc']);
  assert.equal(small.headers['upload-metadata'], `filename ${Buffer.from('süß.txt').toString('base64')}`);
  assert.equal(begin.headers['upload-length'], String(LARGE.length));
  assert.ok(Buffer.concat(parts.map(({ body }) => body)).equals(LARGE));
});

test('a small file whose answer was lost is known again', TIME, async (t) => {
  let puts = 0;
  const url = await serve(t, (request, response) => {
    if (request.method === 'OPTIONS') response.writeHead(200, DRAFT).end();
    else if (request.method === 'HEAD') response.writeHead(200, { 'Content-Length': '3' }).end();
    else {
      puts += 1;
      afterBody(request, () => (puts === 1 ? request.socket.destroy() : response.writeHead(412).end()));
    }
  });
  const sink = await openSinkAt(t, `${url}/`, { replace: false });
  await assert.rejects(putSmall(sink, 'f', 'abc'), failsWith('DISCONNECTED'));
  await putSmall(sink, 'f', 'abc');
  // One that this run never sent is somebody else's.
  await assert.rejects(putSmall(sink, 'g', 'abc'), failsWith('EXISTS'));
  assert.equal(puts, 3);
});

test('no message holds the place of an upload, by which others could go on with it', TIME, async (t) => {
  for (const fields of [DRAFT, TUS]) {
    const url = await serve(
      t,
      featured(fields, (request, response) => {
        if (request.method === 'POST') response.writeHead(201, { Location: '/up/secret' }).end();
        else if (request.method === 'PUT') {
          response.socket?.write('HTTP/1.1 104 Upload Resumption Supported\r\nLocation: /up/secret\r\n\r\n');
          afterBody(request, () => response.writeHead(201, { Location: '/up/secret' }).end());
        } else request.socket.destroy();
      }),
    );
    const sink = await openSinkAt(t, `${url}/`);
    await assert.rejects(putFile(sink, 'f', LARGE), (error: XferError) => {
      assert.equal(error.code, 'DISCONNECTED');
      assert.doesNotMatch(`${error.message} ${error.hint}`, /secret/);
      assert.match(error.message, /^put http:\/\/127\.0\.0\.1:\d+\/f: /);
      return true;
    });
  }
});
