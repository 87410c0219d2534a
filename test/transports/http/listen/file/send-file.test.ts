import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { type ErrorCode, XferError } from '#xfer/errors.js';
import { contentTypeOf } from '#xfer/transports/http/listen/file/content-type.js';
import { diskSource, exchange, get, serve, temporaryFolder } from '../rig.js';
import { BODY, EXACT, serveBody } from './body-rig.js';

test('a file comes whole, with its validators', { timeout: 10_000 }, async (t) => {
  const { url, etag, source } = await serveBody(t);
  assert.match(etag, /^"[\w-]+"$/);
  const response = await fetch(`${url}/f.txt`);
  assert.equal(response.status, 200);
  assert.equal(await response.text(), BODY);
  const expected = {
    'content-length': '36',
    'content-type': 'text/plain; charset=utf-8',
    'last-modified': EXACT,
    'cache-control': 'no-cache',
    'accept-ranges': 'bytes',
    'x-content-type-options': 'nosniff',
    etag,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(response.headers.get(name), value, name);
  const empty = await fetch(`${url}/empty`);
  assert.deepEqual([empty.status, await empty.text()], [200, '']);
  assert.match(empty.headers.get('etag') ?? '', /^W\//, 'a file changed just now has a weak tag');
  const read = source.bytesRead;
  const head = await fetch(`${url}/f.txt`, { method: 'HEAD' });
  assert.equal(head.headers.get('content-length'), '36');
  assert.equal(source.bytesRead, read, 'HEAD reads nothing');
});

test('only GET, HEAD and OPTIONS are answered', { timeout: 30_000 }, async (t) => {
  const { port } = await serveBody(t);
  // All at once, since each client may go on with its body for a while.
  const refused = ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND'].map(async (method) => {
    const answer = await exchange(port, `${method} /f.txt HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 405 /, method);
    assert.match(answer, /\r\nAllow: GET, HEAD, OPTIONS\r\n/);
    assert.match(answer, /\r\nConnection: close\r\n/);
    assert.ok(!answer.includes(BODY));
  });
  await Promise.all(refused);
  const options = await exchange(port, 'OPTIONS * HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n');
  assert.match(options, /^HTTP\/1\.1 204 [\s\S]*\r\nAllow: GET, HEAD, OPTIONS\r\n/);
  const expect = 'Expect: 100-continue\r\nContent-Length: 9';
  const put = await exchange(port, `PUT /new HTTP/1.1\r\nHost: test\r\n${expect}\r\n\r\n`);
  assert.match(put, /^HTTP\/1\.1 405 /, 'the body is not asked for');
});

test('folders redirect, relative and with their query; files take no slash', { timeout: 10_000 }, async (t) => {
  const { port } = await serveBody(t);
  const folder = await get(port, '/sub?a=1');
  assert.match(folder, /^HTTP\/1\.1 301 [\s\S]*\r\nLocation: \.\/sub\/\?a=1\r\n/);
  assert.match(await get(port, '/f.txt/'), /^HTTP\/1\.1 404 /);
  assert.match(await get(port, '/nothing'), /^HTTP\/1\.1 404 /);
  assert.match(await get(port, 'http://test/f.txt'), /^HTTP\/1\.1 200 /);
});

test('an index file stands for its folder, except in JSON', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'index.html'), '<p>home');
  const { url } = await serve(t, folder);
  const page = await fetch(`${url}/`);
  assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.equal(await page.text(), '<p>home');
  const json = (await (await fetch(`${url}/?json`)).json()) as { entries: { name: string }[] };
  assert.deepEqual(
    json.entries.map(({ name }) => name),
    ['index.html'],
  );
});

test('names that start with a dot are there only when asked for', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, '.git'));
  await writeFile(join(folder, '.git', 'config'), 'secret');
  await writeFile(join(folder, '.env'), 'secret');
  const closed = await serve(t, folder);
  for (const path of ['/.env', '/%2eenv', '/.git/config', '/.git/', '/.git']) {
    assert.match(await get(closed.port, path), /^HTTP\/1\.1 404 /, path);
  }
  assert.ok(!(await (await fetch(`${closed.url}/`)).text()).includes('.env'));
  const open = await serve(t, folder, { hidden: true });
  assert.equal(await (await fetch(`${open.url}/.git/config`)).text(), 'secret');
  assert.ok((await (await fetch(`${open.url}/`)).text()).includes('.env'));
});

test('a share that is one file serves it and nothing beside it', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, '.one file'), 'one');
  await writeFile(join(folder, 'two'), 'two');
  const share = diskSource(join(folder, '.one file'), '.one file');
  const { url } = await serve(t, folder, { share });
  assert.equal(await (await fetch(`${url}/.one%20file`)).text(), 'one');
  const listing = (await (await fetch(`${url}/?json`)).json()) as { entries: { name: string; href: string }[] };
  assert.deepEqual(
    listing.entries.map(({ name, href }) => [name, href]),
    [['.one file', '.one%20file']],
  );
  for (const path of ['/two', '/.one%20file/', '/.one%20file/x'])
    assert.equal((await fetch(url + path)).status, 404, path);
});

test('a file that fails on its way is cut', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of ['fails', 'short']) {
    await writeFile(join(folder, `${name}-small`), 'x'.repeat(1000));
    await writeFile(join(folder, `${name}-big`), 'x'.repeat(1_000_000));
  }
  const share = diskSource(folder);
  const open = share.open;
  share.open = async (path, scope) => {
    const file = await (open as NonNullable<typeof open>)(path, scope);
    if (path.startsWith('short')) return { ...file, read: () => Readable.from([Buffer.from('x'.repeat(10))]) };
    if (!path.startsWith('fails')) return file;
    const read = () =>
      new Readable({
        read() {
          this.push('y'.repeat(10));
          this.destroy(new Error('the disk failed'));
        },
      });
    return { ...file, read };
  };
  const { url } = await serve(t, folder, { share });
  for (const path of ['fails-small', 'short-small', 'fails-big', 'short-big']) {
    await assert.rejects(async () => (await fetch(`${url}/${path}`)).text(), `${path} looked whole`);
  }
  assert.equal(share.opened, share.closed);
});

test('what a source refuses has a status, and no word of the cause', { timeout: 10_000 }, async (t) => {
  const rows: [ErrorCode, number][] = [
    ['NOT_FOUND', 404],
    ['UNSAFE_PATH', 404],
    ['DENIED', 403],
    ['NO_SPACE', 503],
    ['INTERNAL', 500],
  ];
  const share = diskSource(await temporaryFolder(t));
  share.open = (path) => Promise.reject(new XferError(path as ErrorCode, 'open /etc/secret'));
  const { url } = await serve(t, '', { share });
  for (const [code, status] of rows) {
    const response = await fetch(`${url}/${code}`);
    assert.equal(response.status, status, code);
    assert.doesNotMatch(await response.text(), /secret/);
  }
});

test('a download that is slow but moves is not cut', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'slow'), 'x'.repeat(100_000));
  const share = diskSource(folder);
  const open = share.open as NonNullable<typeof share.open>;
  const slowly = async function* () {
    for (let piece = 0; piece < 10; piece += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      yield Buffer.alloc(10_000);
    }
  };
  share.open = async (path, scope) => ({ ...(await open(path, scope)), read: () => Readable.from(slowly()) });
  const { url } = await serve(t, folder, { share, idleTimeoutMs: 500, headersTimeoutMs: 200 });
  assert.equal((await (await fetch(`${url}/slow`)).arrayBuffer()).byteLength, 100_000);
});

test('content types', () => {
  const rows: Record<string, string> = {
    'a.mjs': 'text/javascript; charset=utf-8',
    'a.b.WASM': 'application/wasm',
    'x.avif': 'image/avif',
    'x.svg': 'image/svg+xml',
    'x.md': 'text/markdown; charset=utf-8',
    json: 'application/octet-stream',
    'a.constructor': 'application/octet-stream',
  };
  for (const [name, type] of Object.entries(rows)) assert.equal(contentTypeOf(name), type, name);
});

test('?download has a browser save the file under its name, as it is', async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'sub'));
  await writeFile(join(folder, 'sub', 'ü"b.html'), '<p>');
  await writeFile(join(folder, 'sub', 'ü"b.html.gz'), 'compressed');
  const { url } = await serve(t, folder);
  const init = { headers: { 'accept-encoding': 'gzip', range: 'bytes=1-1' } };
  const saved = await fetch(`${url}/sub/%C3%BC%22b.html?download`, init);
  const expected = `attachment; filename="__b.html"; filename*=UTF-8''%C3%BC%22b.html`;
  assert.equal(saved.headers.get('content-disposition'), expected);
  assert.deepEqual([saved.status, saved.headers.get('content-encoding'), await saved.text()], [206, null, 'p']);
  const shown = await fetch(`${url}/sub/%C3%BC%22b.html`);
  assert.equal(shown.headers.get('content-disposition'), null);
});
