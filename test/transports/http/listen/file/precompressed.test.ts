import assert from 'node:assert/strict';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { acceptedCodings } from '#xfer/transports/http/listen/file/precompressed.js';
import { get, serve, temporaryFolder, until } from '../rig.js';

const PAGE = '<p>hello</p>';

async function serveSite(t: TestContext) {
  const folder = await temporaryFolder(t);
  const write = async (name: string, bytes: string | Buffer, ageSeconds: number) => {
    await writeFile(join(folder, name), bytes);
    const time = Date.now() / 1000 - ageSeconds;
    await utimes(join(folder, name), time, time);
  };
  await write('index.html', PAGE, 100);
  await write('index.html.gz', gzipSync(PAGE), 100);
  await write('index.html.br', brotliCompressSync(PAGE), 50);
  await write('stale.js', 'new', 100);
  await write('stale.js.gz', gzipSync('old'), 101);
  await write('plain.css', 'p{}', 100);
  await write('notes.txt', 'now', 100);
  await write('notes.txt.gz', gzipSync('a backup of last year'), 10);
  return serve(t, folder);
}

/** Coding and body, which `fetch` takes apart again. */
async function fetched(url: string, accept: string) {
  const response = await fetch(url, { headers: { 'accept-encoding': accept } });
  return [response.headers.get('content-encoding'), await response.text()];
}

test('what is accepted and at least as new is sent compressed', async (t) => {
  const { url } = await serveSite(t);
  assert.deepEqual(await fetched(`${url}/index.html`, 'gzip, deflate, br, zstd'), ['br', PAGE]);
  assert.deepEqual(await fetched(`${url}/`, 'gzip, br'), ['br', PAGE], 'as the index of its folder too');
  assert.deepEqual(await fetched(`${url}/index.html`, 'br;q=0.5, gzip'), ['gzip', PAGE]);
  assert.deepEqual(await fetched(`${url}/index.html`, 'zstd'), [null, PAGE], 'there is none');
  assert.deepEqual(await fetched(`${url}/index.html`, 'identity'), [null, PAGE]);
  assert.deepEqual(await fetched(`${url}/stale.js`, 'gzip'), [null, 'new']);
  assert.deepEqual(await fetched(`${url}/plain.css`, 'gzip'), [null, 'p{}']);
});

test('a compressed file beside one that is no part of a page is another file', async (t) => {
  const { url } = await serveSite(t);
  assert.deepEqual(await fetched(`${url}/notes.txt`, 'gzip'), [null, 'now']);
  const response = await fetch(`${url}/notes.txt.gz`, { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(response.headers.get('content-encoding'), null, 'asked for by its own name it is itself');
  assert.equal(response.headers.get('content-type'), 'application/gzip');
});

test('each coding has its own tag, type and length, and caches are told', async (t) => {
  const { url, port, source } = await serveSite(t);
  const head = async (accept: string) =>
    (await fetch(`${url}/index.html`, { method: 'HEAD', headers: { 'accept-encoding': accept } })).headers;
  const [plain, gzip] = [await head('identity'), await head('gzip')];
  assert.notEqual(plain.get('etag'), gzip.get('etag'));
  assert.equal(gzip.get('content-type'), 'text/html; charset=utf-8');
  assert.equal(gzip.get('content-length'), String(gzipSync(PAGE).length));
  assert.equal(plain.get('vary'), 'Accept-Encoding');
  assert.equal((await fetch(`${url}/`)).headers.get('vary'), 'Accept, Accept-Encoding');
  const tagged = `If-None-Match: ${gzip.get('etag')}\r\nAccept-Encoding: gzip\r\n`;
  assert.match(await get(port, '/index.html', tagged), /^HTTP\/1\.1 304 /);
  const part = await get(port, '/index.html', 'Range: bytes=0-1\r\nAccept-Encoding: gzip\r\n');
  assert.match(part, /\r\n\r\n\x1f\x8b$/, 'a range is one of the compressed bytes');
  await until(() => source.opened === source.closed);
});

test('Accept-Encoding is read by weight', () => {
  const codings = (field: string) => acceptedCodings(field).map(({ coding }) => coding);
  assert.deepEqual(codings('*'), ['br', 'zstd', 'gzip']);
  assert.deepEqual(codings('gzip;q=0, *;q=0.1'), ['br', 'zstd']);
  assert.deepEqual(codings('GZIP ; Q=0.3 , br;q=0.2'), ['gzip', 'br']);
  assert.deepEqual(codings('br;q=x'), []);
  assert.deepEqual(codings(''), []);
});
