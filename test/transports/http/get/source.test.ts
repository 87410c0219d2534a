import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import { entryOf, OLD, open, readText, scope, serve, serveRaw } from '../hostile-server.js';

const BODY = '0123456789';
const whole = (fields = 'ETag: "v1"\r\nAccept-Ranges: bytes', body = BODY) =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${fields}\r\n\r\n${body}`;
const part = (range: string, body: string, fields = 'ETag: "v1"') =>
  `HTTP/1.1 206 Partial Content\r\nContent-Range: ${range}\r\nContent-Length: ${body.length}\r\n${fields}\r\n\r\n${body}`;
const chunked = (status: string, body: string) =>
  `HTTP/1.1 ${status}\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

test('a plain download is one request, with all that is known of the file', { timeout: 10_000 }, async (t) => {
  const asked: IncomingMessage[] = [];
  const url = await serve(t, (request, response) => {
    asked.push(request);
    response.setHeader('ETag', '"v1"').setHeader('Last-Modified', OLD).setHeader('Accept-Ranges', 'bytes');
    response.setHeader('Content-Disposition', 'attachment; filename="../n.txt"').end(BODY);
  });
  const source = await open(t, `${url}/f?token=SECRET`);
  const entry = await entryOf(source);
  assert.deepEqual(
    { ...entry, version: '' },
    { path: '', kind: 'file', size: 10, mtimeMs: Date.parse(OLD), version: '' },
  );
  assert.ok(entry.version?.includes('"v1"'));
  assert.equal(source.name, 'n.txt');
  assert.deepEqual(source.capabilities, { ranges: true, replay: true, parallel: true, metadata: true });
  assert.ok(!source.label.includes('SECRET'));
  assert.equal(await readText(source), BODY);
  assert.equal(asked.length, 1);
  assert.equal(asked[0]?.headers['accept-encoding'], 'identity');
  assert.equal(await readText(source), BODY);
  assert.equal(asked.length, 2);
});

test('a part is asked for with the validator, and checked', { timeout: 10_000 }, async (t) => {
  const asked: (string | undefined)[][] = [];
  const url = await serve(t, (request, response) => {
    asked.push([request.headers.range, request.headers['if-range'] as string | undefined]);
    response.setHeader('ETag', '"v1"').setHeader('Accept-Ranges', 'bytes');
    const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '');
    if (!range) return void response.end(BODY);
    const end = Math.min(Number(range[2] || 9), 9);
    response.writeHead(206, { 'Content-Range': `bytes ${range[1]}-${end}/10` });
    response.end(BODY.slice(Number(range[1]), end + 1));
  });
  const source = await open(t, `${url}/f`);
  assert.equal(await readText(source, 2, 5), '234');
  assert.equal(await readText(source, 7), '789');
  assert.equal(await readText(source, 10), '');
  assert.equal(await readText(source, 4, 4), '');
  assert.deepEqual(asked.slice(1), [
    ['bytes=2-4', '"v1"'],
    ['bytes=7-', '"v1"'],
  ]);
  await assert.rejects(readText(source, 5, 12), { code: 'TRUNCATED' });
  await assert.rejects(readText(source, 11), { code: 'TRUNCATED' });
});

test('the start of a kept body is given without a second request', { timeout: 10_000 }, async (t) => {
  const source = await open(t, `${await serveRaw(t, whole(), 'no HTTP')}/f`);
  assert.equal(await readText(source, 0, 4), '0123');
});

const WRONG_PARTS: [what: string, answer: string, code: string][] = [
  ['starts elsewhere', part('bytes 3-4/10', '34'), 'RANGE_IGNORED'],
  ['is longer than asked', part('bytes 2-7/10', '234567'), 'RANGE_IGNORED'],
  ['is of another size', part('bytes 2-4/11', '234'), 'SOURCE_CHANGED'],
  ['has another ETag', part('bytes 2-4/10', '234', 'ETag: "v2"'), 'SOURCE_CHANGED'],
  ['has lost its ETag', part('bytes 2-4/10', '234', 'X: y'), 'SOURCE_CHANGED'],
  ['has a broken Content-Range', part('bytes two-4/10', '234'), 'PROTOCOL'],
  ['has a Content-Length of its own', part('bytes 2-4/10', '23456'), 'PROTOCOL'],
  ['is multipart', part('bytes 2-4/10', '234', 'Content-Type: multipart/byteranges; boundary=x'), 'RANGE_IGNORED'],
  ['comes encoded', part('bytes 2-4/10', '234', 'ETag: "v1"\r\nContent-Encoding: gzip'), 'UNSUPPORTED'],
  ['is the whole', whole(), 'RANGE_IGNORED'],
  ['is the whole of another file', whole('ETag: "v2"'), 'SOURCE_CHANGED'],
  ['is 416', 'HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n', 'SOURCE_CHANGED'],
  ['is short', `${part('bytes 2-3/10', '23')}`, 'TRUNCATED'],
  [
    'is longer than its Content-Range',
    chunked('206 P\r\nETag: "v1"\r\nContent-Range: bytes 2-4/10', '23456'),
    'PROTOCOL',
  ],
  ['is no HTTP', 'SSH-2.0-x\r\n', 'PROTOCOL'],
];

test('a part to the end that ends before it fails, where nobody knew how long the file is', {
  timeout: 10_000,
}, async (t) => {
  const begun =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: "v1"\r\nAccept-Ranges: bytes\r\n\r\na\r\n0123456789\r\n0\r\n\r\n';
  const source = await open(t, `${await serveRaw(t, begun, part('bytes 2-4/10', '234'))}/f`);
  await assert.rejects(readText(source, 2), { code: 'TRUNCATED' });
});

for (const [what, answer, code] of WRONG_PARTS) {
  test(`a part that ${what} is refused with ${code}`, { timeout: 10_000 }, async (t) => {
    const source = await open(t, `${await serveRaw(t, whole(), answer)}/f`);
    await assert.rejects(readText(source, 2, 5), { code });
  });
}

test('a date that is old enough stands in for an ETag', { timeout: 10_000 }, async (t) => {
  const dated = `Last-Modified: ${OLD}\r\nDate: Thu, 22 Oct 2015 07:28:00 GMT`;
  const good = await open(t, `${await serveRaw(t, whole(dated), part('bytes 2-4/10', '234', dated))}/f`);
  assert.equal(await readText(good, 2, 5), '234');
  const bare = await open(t, `${await serveRaw(t, whole(dated), part('bytes 2-4/10', '234', 'X: y'))}/f`);
  assert.equal(await readText(bare, 2, 5), '234');
  const later = dated.replace('21 Oct', '20 Oct');
  const changed = await open(t, `${await serveRaw(t, whole(dated), part('bytes 2-4/10', '234', later))}/f`);
  await assert.rejects(readText(changed, 2, 5), { code: 'SOURCE_CHANGED' });
});

test('If-Range that gets the whole of the same file is asked again without it', { timeout: 10_000 }, async (t) => {
  const asked: (string | undefined)[] = [];
  const url = await serve(t, (request, response) => {
    response.setHeader('ETag', '"v1"').setHeader('Accept-Ranges', 'bytes');
    asked.push(request.headers.range);
    if (request.headers.range === undefined || request.headers['if-range']) return void response.end(BODY);
    response.writeHead(206, { 'Content-Range': 'bytes 2-4/10' }).end('234');
  });
  assert.equal(await readText(await open(t, `${url}/f`), 2, 5), '234');
  assert.deepEqual(asked, [undefined, 'bytes=2-4', 'bytes=2-4']);
});

test('a whole that changed between two reads is refused', { timeout: 10_000 }, async (t) => {
  const source = await open(t, `${await serveRaw(t, whole(), whole('ETag: "v2"'), whole('ETag: "v1"', '0123'))}/f`);
  assert.equal(await readText(source), BODY);
  await assert.rejects(readText(source), { code: 'SOURCE_CHANGED' });
  await assert.rejects(readText(source), { code: 'SOURCE_CHANGED' });
  const entry = { ...(await entryOf(source)), version: 'of another day' };
  await assert.rejects(source.read(entry, { start: 0 }, scope), { code: 'SOURCE_CHANGED' });
});

test('a body that ends early, by close or in a chunk, fails', { timeout: 10_000 }, async (t) => {
  const url = await serve(t, (request, response) => {
    if (request.url === '/length') response.setHeader('Content-Length', 10);
    response.write('0123');
    setImmediate(() => setImmediate(() => response.socket?.destroy()));
  });
  await assert.rejects(readText(await open(t, `${url}/length`)), { code: 'TRUNCATED' });
  await assert.rejects(readText(await open(t, `${url}/chunked`)), { code: 'DISCONNECTED' });
});

test('a body longer than its Content-Length fails with PROTOCOL', { timeout: 10_000 }, async (t) => {
  const source = await open(t, `${await serveRaw(t, `${whole()}and more`)}/f`);
  await assert.rejects(readText(source), { code: 'PROTOCOL' });
});

test('one connection serves read after read', { timeout: 10_000 }, async (t) => {
  const ports = new Set<number | undefined>();
  const url = await serve(t, (request, response) => {
    ports.add(request.socket.remotePort);
    response.end(BODY);
  });
  const source = await open(t, `${url}/f`);
  for (let count = 0; count < 3; count++) assert.equal(await readText(source), BODY);
  assert.equal(ports.size, 1);
});

test('a body with a broken chunk fails with PROTOCOL', { timeout: 10_000 }, async (t) => {
  const url = await serveRaw(t, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\nzz\r\n');
  await assert.rejects(readText(await open(t, `${url}/f`)), { code: 'PROTOCOL' });
});

test('what comes encoded is refused, unless its name says so or it is meant', { timeout: 10_000 }, async (t) => {
  const url = await serveRaw(t, whole('Content-Encoding: gzip'));
  await assert.rejects(open(t, `${url}/f.txt`), { code: 'UNSUPPORTED', hint: /-o f\.txt\.gz/ });
  assert.equal(await readText(await open(t, `${url}/f.tar.gz`)), BODY);
});

test('203 holds the file as 200 does, and no part of it', { timeout: 10_000 }, async (t) => {
  const transformed = whole().replace('200 OK', '203 Non-Authoritative Information');
  const source = await open(t, `${await serveRaw(t, transformed)}/f`);
  assert.equal(await readText(source), BODY);
  assert.equal(await readText(source), BODY);
  await assert.rejects(readText(source, 2, 5), { code: 'RANGE_IGNORED' });
});

test('a body in another transfer coding than chunks is refused', { timeout: 10_000 }, async (t) => {
  const packed = chunked('200 OK', BODY);
  for (const coding of ['gzip, chunked', 'GZIP,chunked', 'deflate']) {
    const url = await serveRaw(t, packed.replace('chunked', coding));
    await assert.rejects(open(t, `${url}/f`), { code: 'UNSUPPORTED', message: /transfer coding (?:gzip|deflate),/ });
  }
  for (const coding of ['chunked', 'Chunked']) {
    const url = await serveRaw(t, packed.replace('chunked', coding));
    assert.equal(await readText(await open(t, `${url}/f`)), BODY);
  }
});

test('an encoded file is kept as sent, said so, and never resumed', { timeout: 10_000 }, async (t) => {
  const lines: string[] = [];
  const url = await serveRaw(t, whole('ETag: "v1"\r\nAccept-Ranges: bytes\r\nContent-Encoding: gzip'));
  const source = await open(t, `${url}/f`, { keepsEncoded: true, onNotice: (line) => lines.push(line) });
  const entry = await entryOf(source);
  assert.equal(entry.size, undefined);
  assert.equal(entry.version, undefined);
  assert.equal(source.capabilities.ranges, false);
  assert.match(lines.join(), /gzip/);
  assert.equal(await readText(source), BODY);
  await assert.rejects(readText(source, 2, 5), { code: 'UNSUPPORTED' });
});

test('a stalled body is given up, and a slow reader is not', { timeout: 10_000 }, async (t) => {
  const stalled = await open(t, `${await serveRaw(t, whole().slice(0, -3))}/f`, { idleTimeoutMs: 700 });
  await assert.rejects(readText(stalled), { code: 'TIMED_OUT' });
  const large = 'x'.repeat(4 << 20);
  const url = await serve(t, (_, response) => response.end(large));
  const source = await open(t, `${url}/f`, { idleTimeoutMs: 700 });
  const stream = await source.read(await entryOf(source), { start: 0 }, scope);
  let count = 0;
  for await (const chunk of stream) {
    if (count === 0) await new Promise((resolve) => setTimeout(resolve, 1000));
    count += (chunk as Buffer).length;
  }
  assert.equal(count, large.length);
});

test('abort in the middle of a body, destroy and close free the connection', { timeout: 10_000 }, async (t) => {
  const answers: ServerResponse[] = [];
  let freed = 0;
  let allFreed = () => {};
  const url = await serve(t, (_, response) => {
    answers.push(response);
    response.setHeader('Content-Length', 100).write(BODY);
    response.on('close', () => {
      freed++;
      if (freed === 3) allFreed();
    });
  });
  const done = new Promise<void>((resolve) => {
    allFreed = resolve;
  });
  const abort = new AbortController();
  const aborted = await open(t, `${url}/f`);
  const stream = await aborted.read(await entryOf(aborted), { start: 0 }, { signal: abort.signal });
  const reason = new Error('stopped');
  await assert.rejects(
    async () => {
      for await (const chunk of stream) if (chunk) abort.abort(reason);
    },
    (error) => error === reason,
  );
  const destroyed = await open(t, `${url}/f`);
  (await destroyed.read(await entryOf(destroyed), { start: 0 }, scope)).destroy();
  await (await open(t, `${url}/f`)).close();
  await done;
  assert.equal(answers.length, 3);
});

test('a kept body that is not wanted is let go', { timeout: 10_000 }, async (t) => {
  let freed = () => {};
  const done = new Promise<void>((resolve) => {
    freed = resolve;
  });
  const url = await serve(t, (request, response) => {
    response.setHeader('ETag', '"v1"');
    if (request.headers.range) return void response.writeHead(206, { 'Content-Range': 'bytes 2-4/100' }).end('234');
    response.on('close', freed).setHeader('Content-Length', 100).write(BODY);
  });
  const source = await open(t, `${url}/f`);
  assert.equal(await readText(source, 2, 5), '234');
  await done;
});

test('an aborted scope refuses before anything is sent', { timeout: 10_000 }, async (t) => {
  const source = await open(t, `${await serveRaw(t, whole())}/f`);
  const reason = new Error('no');
  const signal = AbortSignal.abort(reason);
  await assert.rejects(source.read(await entryOf(source), { start: 1 }, { signal }), (error) => error === reason);
});
