/**
 * Requests that are not well formed, or only just (RFC 9110, 9112, and what smuggling is made of): each has the statuses
 * that it may get, and the server must go on. 0: the connection is closed without an answer.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { exchange, get, serve, temporaryFolder } from './rig.js';

const HOST = 'Host: test\r\n';
const CLOSE = 'Connection: close\r\n';
const END = `${HOST}${CLOSE}\r\n`;

const rows: readonly [request: string, ...statuses: number[]][] = [
  // The request line.
  [`GET /f HTTP/1.1\r\n${END}`, 200],
  [`GET http://test/f HTTP/1.1\r\n${END}`, 200],
  [`\r\nGET /f HTTP/1.1\r\n${END}`, 200],
  [`get /f HTTP/1.1\r\n${END}`, 400, 405, 501],
  [`G(T /f HTTP/1.1\r\n${END}`, 400],
  [`FROBNICATE /f HTTP/1.1\r\n${END}`, 400, 405, 501],
  [`GET  /f HTTP/1.1\r\n${END}`, 200, 400],
  [` GET /f HTTP/1.1\r\n${END}`, 400],
  [`GET /f  HTTP/1.1\r\n${END}`, 200, 400],
  [`GET /f\tHTTP/1.1\r\n${END}`, 400],
  [`GET /f y HTTP/1.1\r\n${END}`, 400],
  [`GET /f HTTP/1.2\r\n${END}`, 200, 400, 505],
  [`GET /f HTTP/2.0\r\n${END}`, 400, 505],
  [`GET /f HTTP/9.9\r\n${END}`, 400, 505],
  [`GET /f HTTP/11\r\n${END}`, 400],
  [`GET /f http/1.1\r\n${END}`, 400],
  [`GET /f\r\n${END}`, 0, 400, 505],
  [`GET * HTTP/1.1\r\n${END}`, 400],
  [`GET f HTTP/1.1\r\n${END}`, 400],
  [`GET test:80 HTTP/1.1\r\n${END}`, 400],
  [`GET /f#part HTTP/1.1\r\n${END}`, 400, 404],
  [`GET /\x00 HTTP/1.1\r\n${END}`, 400],
  [`GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${END}`, 414, 431],
  [`CONNECT test:80 HTTP/1.1\r\n${END}`, 0, 400, 405],
  [`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`, 0, 400, 505],
  ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 0, 400],
  // The fields.
  [`GET /f HTTP/1.1\r\n${CLOSE}\r\n`, 400],
  [`GET /f HTTP/1.1\r\nHost : test\r\n${CLOSE}\r\n`, 400],
  [`GET /f HTTP/1.1\r\n Host: test\r\n${CLOSE}\r\n`, 400],
  [`GET /f HTTP/1.1\r\n${HOST}X: a\r\n b\r\n${CLOSE}\r\n`, 200, 400],
  [`GET /f HTTP/1.1\r\n${HOST}no colon\r\n${CLOSE}\r\n`, 400],
  [`GET /f HTTP/1.1\r\n${HOST}: none\r\n${CLOSE}\r\n`, 400],
  [`GET /f HTTP/1.1\r\n${HOST}X[]: a\r\n${CLOSE}\r\n`, 400],
  [`GET /f HTTP/1.1\r\n${HOST}X: a\x00b\r\n${CLOSE}\r\n`, 400],
  [`GET /f HTTP/1.1\r\n${HOST}X: a\rb\r\n${CLOSE}\r\n`, 400],
  [`GET /f HTTP/1.1\r\n${HOST}X: ${'a'.repeat(20_000)}\r\n${CLOSE}\r\n`, 431],
  [`GET /f HTTP/1.1\r\n${HOST}${'X: a\r\n'.repeat(3000)}${CLOSE}\r\n`, 431],
  [`GET /f HTTP/1.1\r\n${HOST}Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nConnection: close, Upgrade\r\n\r\n`, 200],
  [`GET /f HTTP/1.1\r\n${HOST}Expect: the-impossible\r\n${CLOSE}\r\n`, 417],
  // Lengths, and what smuggling is made of.
  [`POST /f HTTP/1.1\r\n${HOST}Content-Length: 4\r\nContent-Length: 5\r\n${CLOSE}\r\nabcd`, 400],
  [`POST /f HTTP/1.1\r\n${HOST}Content-Length: 4, 5\r\n${CLOSE}\r\nabcd`, 400],
  [`POST /f HTTP/1.1\r\n${HOST}Content-Length: +4\r\n${CLOSE}\r\nabcd`, 400],
  [`POST /f HTTP/1.1\r\n${HOST}Content-Length: -1\r\n${CLOSE}\r\n`, 400],
  [`POST /f HTTP/1.1\r\n${HOST}Content-Length: 0x4\r\n${CLOSE}\r\nabcd`, 400],
  [`POST /f HTTP/1.1\r\n${HOST}Content-Length: 99999999999999999999\r\n${CLOSE}\r\n`, 400],
  [`POST /f HTTP/1.1\r\n${HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n${CLOSE}\r\n0\r\n\r\n`, 400],
  [`POST /f HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n${CLOSE}\r\n0\r\n\r\n`, 400, 405, 501],
  [`POST /f HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, identity\r\n${CLOSE}\r\n0\r\n\r\n`, 400, 501],
  [`POST /f HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n${CLOSE}\r\n0\r\n\r\n`, 501],
  [`POST /f HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n${CLOSE}\r\n0\r\n\r\n`, 501],
  [`POST /f HTTP/1.1\r\n${HOST}Transfer-Encoding: Chunked\r\n${CLOSE}\r\n0\r\n\r\n`, 405],
  [`POST /f HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n${CLOSE}\r\nzz\r\n\r\n`, 400, 405],
  [`POST /f HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n${CLOSE}\r\n0\r\n\r\n`, 400],
  [`GET /f HTTP/1.1\r\n${HOST}Content-Length: 30\r\n\r\nGET /other HTTP/1.1\r\nHost: te`, 200],
  // What only looks odd.
  [`GET /f HTTP/1.0\r\n\r\n`, 200],
  [`GET /f HTTP/1.1\r\nHOST: test\r\nconnection: CLOSE\r\n\r\n`, 200],
  [`HEAD /f HTTP/1.1\r\n${END}`, 200],
  [`OPTIONS * HTTP/1.1\r\n${END}`, 204],
  [`TRACE /f HTTP/1.1\r\n${END}`, 405],
];

test('each request gets an answer that it may get, and never two', { timeout: 60_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'f'), 'fine');
  const { port } = await serve(t, folder, { headersTimeoutMs: 500, idleTimeoutMs: 1000 });
  const wrong: string[] = [];
  for (const [request, ...statuses] of rows) {
    const answer = await exchange(port, request).catch(() => '');
    const found = [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
    const status = found[0] ?? 0;
    if (statuses.includes(status) && found.length <= 1) continue;
    wrong.push(
      `${JSON.stringify(request.slice(0, 90))}: ${found.join(' and ') || 'closed'}, not ${statuses.join(' or ')}`,
    );
  }
  assert.deepEqual(wrong, []);
  assert.match(await get(port, '/f'), /^HTTP\/1\.1 200 .*fine$/s);
});

test('fields of eight thousand characters are read at once', { timeout: 30_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'f'), 'fine');
  const { port } = await serve(t, folder);
  const fillings = ['%00', '*', '{}', '0-,', '"a",', 'W/"', ',', ';q=0.5', '0-0,', ' ', '((((', 'a=', 'bytes='];
  const fields = ['Range', 'If-Range', 'If-Match', 'If-None-Match', 'If-Modified-Since', 'Accept', 'Accept-Encoding'];
  fields.push('Want-Repr-Digest', 'Cookie', 'User-Agent', 'Authorization');
  for (const field of fields) {
    const startMs = performance.now();
    for (const filling of fillings) {
      const value = filling.repeat(8000 / filling.length);
      for (const start of ['', 'bytes=', '"', 'Basic ']) {
        const answer = await get(port, '/f', `${field}: ${start}${value}\r\n`);
        assert.match(answer, /^HTTP\/1\.1 (?:200|206|304|400|401|412|416) /, `${field}: ${start}${filling}`);
      }
    }
    assert.ok(performance.now() - startMs < 50 * fillings.length * 4, field);
  }
});

test('a time that is none is USAGE', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  for (const ms of [0, -1, Number.NaN]) {
    await assert.rejects(serve(t, folder, { headersTimeoutMs: ms }), { code: 'USAGE' });
    await assert.rejects(serve(t, folder, { idleTimeoutMs: ms }), { code: 'USAGE' });
  }
});
