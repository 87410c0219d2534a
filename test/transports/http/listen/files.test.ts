import assert from 'node:assert/strict';
import { chmod, mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { contentTypeOf } from '#xfer/transports/http/listen/content-type.js';
import { diskSource, exchange, get, type Served, serve, temporaryFolder } from './rig.js';

const BODY = '0123456789abcdefghijklmnopqrstuvwxyz';
const OLD = new Date('2024-05-06T07:08:09.500Z');
const BEFORE = 'Mon, 06 May 2024 07:08:08 GMT';
const EXACT = 'Mon, 06 May 2024 07:08:09 GMT';
const AFTER = 'Mon, 06 May 2024 07:08:10 GMT';

async function serveBody(t: TestContext): Promise<Served & { etag: string }> {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'f.txt'), BODY);
  await utimes(join(folder, 'f.txt'), OLD, OLD);
  await writeFile(join(folder, 'empty'), '');
  await mkdir(join(folder, 'sub'));
  const served = await serve(t, folder);
  const { headers } = await fetch(`${served.url}/f.txt`, { method: 'HEAD' });
  return { ...served, etag: headers.get('etag') ?? '' };
}

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

test('ranges', { timeout: 10_000 }, async (t) => {
  const { url, etag } = await serveBody(t);
  const part = (text: string, range: string) => ({ status: 206, text, range: `bytes ${range}/36` });
  const whole = { status: 200, text: BODY };
  const none = { status: 416, text: '416 Range Not Satisfiable\n', range: 'bytes */36' };
  const rows: [string, { status: number; text: string; range?: string }, Record<string, string>?][] = [
    ['bytes=0-0', part('0', '0-0')],
    ['bytes=10-', part(BODY.slice(10), '10-35')],
    ['bytes=-5', part('vwxyz', '31-35')],
    ['bytes=-100', part(BODY, '0-35')],
    ['bytes=30-99999999999999999999', part('uvwxyz', '30-35')],
    ['BYTES=1-2', part('12', '1-2')],
    ['bytes=1-2, ,', part('12', '1-2')],
    ['bytes=0-4,3-6', part('0123456', '0-6')],
    ['bytes=5-9,0-4', part('0123456789', '0-9')],
    ['bytes=36-', none],
    ['bytes=99999999999999999999-', none],
    ['bytes=-0', none],
    ['bytes=0-1,50-', part('01', '0-1')],
    ['bytes=5-1', whole],
    ['bytes=', whole],
    ['bytes=-', whole],
    ['bytes=a-b', whole],
    ['bytes=0x1-2', whole],
    ['bytes 0-1', whole],
    ['chars=0-1', whole],
    ['bytes=0-1,x', whole],
    ['bytes=0-,0-', whole],
    [`bytes=${Array.from({ length: 65 }, (_, index) => `${index}-${index}`).join()}`, whole],
    [`bytes=${'0-,'.repeat(1300)}`, whole],
    ['bytes=0-1', part('01', '0-1'), { 'if-range': etag }],
    ['bytes=0-1', whole, { 'if-range': `W/${etag}` }],
    ['bytes=0-1', whole, { 'if-range': '"other"' }],
    ['bytes=0-1', part('01', '0-1'), { 'if-range': EXACT }],
    ['bytes=0-1', whole, { 'if-range': AFTER }],
    ['bytes=0-1', whole, { 'if-range': 'nonsense' }],
    ['bytes=99-', whole, { 'if-range': '"other"' }],
  ];
  for (const [range, expected, fields] of rows) {
    const response = await fetch(`${url}/f.txt`, { headers: { range, ...fields } });
    const label = `${range.slice(0, 60)} ${JSON.stringify(fields ?? {})}`;
    assert.equal(response.status, expected.status, label);
    assert.equal(await response.text(), expected.text, label);
    assert.equal(response.headers.get('content-range'), expected.range ?? null, label);
  }
  const head = await fetch(`${url}/f.txt`, { method: 'HEAD', headers: { range: 'bytes=0-1' } });
  assert.equal(head.status, 200);
  const empty = await fetch(`${url}/empty`, { headers: { range: 'bytes=-5' } });
  assert.equal(empty.status, 200);
});

test('several ranges come as multipart/byteranges of the announced length', { timeout: 10_000 }, async (t) => {
  const { url } = await serveBody(t);
  const response = await fetch(`${url}/f.txt`, { headers: { range: 'bytes=10-12,0-1' } });
  assert.equal(response.status, 206);
  const boundary = /^multipart\/byteranges; boundary=(\w+)$/.exec(response.headers.get('content-type') ?? '')?.[1];
  const text = await response.text();
  assert.equal(Number(response.headers.get('content-length')), text.length);
  const head = (range: string) =>
    `--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: ${range}\r\n\r\n`;
  assert.equal(text, `${head('bytes 10-12/36')}abc\r\n${head('bytes 0-1/36')}01\r\n--${boundary}--\r\n`);
});

test('preconditions', { timeout: 10_000 }, async (t) => {
  const { url, etag } = await serveBody(t);
  const rows: [number, Record<string, string>][] = [
    [304, { 'if-none-match': etag }],
    [304, { 'if-none-match': `W/${etag}` }],
    [304, { 'if-none-match': `"a", ${etag}` }],
    [304, { 'if-none-match': '*' }],
    [200, { 'if-none-match': '"a", "b"' }],
    [200, { 'if-none-match': etag.slice(0, -1) }],
    [200, { 'if-none-match': '"a"', 'if-modified-since': AFTER }],
    [304, { 'if-modified-since': EXACT }],
    [304, { 'if-modified-since': AFTER }],
    [304, { 'if-modified-since': 'Monday, 06-May-24 07:08:09 GMT' }],
    [304, { 'if-modified-since': 'Mon May  6 07:08:09 2024' }],
    [200, { 'if-modified-since': BEFORE }],
    [200, { 'if-modified-since': '2024-05-06T07:08:09Z' }],
    [200, { 'if-modified-since': 'x'.repeat(8000) }],
    [200, { 'if-match': etag }],
    [200, { 'if-match': '*' }],
    [412, { 'if-match': '"a"' }],
    [412, { 'if-match': `W/${etag}` }],
    [304, { 'if-match': etag, 'if-none-match': etag }],
    [412, { 'if-match': '"a"', 'if-none-match': etag }],
    [412, { 'if-unmodified-since': BEFORE }],
    [200, { 'if-unmodified-since': EXACT }],
    [200, { 'if-match': etag, 'if-unmodified-since': BEFORE }],
    [412, { 'if-match': '"a"', range: 'bytes=0-1' }],
    [304, { 'if-none-match': etag, range: 'bytes=0-1' }],
  ];
  for (const method of ['GET', 'HEAD']) {
    for (const [status, headers] of rows) {
      const response = await fetch(`${url}/f.txt`, { method, headers });
      await response.arrayBuffer();
      assert.equal(response.status, status, `${method} ${JSON.stringify(headers).slice(0, 90)}`);
      if (status === 304) assert.equal(response.headers.get('etag'), etag);
    }
  }
});

test('only GET, HEAD and OPTIONS are answered', { timeout: 10_000 }, async (t) => {
  const { port } = await serveBody(t);
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND']) {
    const answer = await exchange(port, `${method} /f.txt HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 405 /, method);
    assert.match(answer, /\r\nAllow: GET, HEAD, OPTIONS\r\n/);
    assert.match(answer, /\r\nConnection: close\r\n/);
    assert.ok(!answer.includes(BODY));
  }
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

test('a file that cannot be read is refused, and one that fails on its way is cut', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'secret'), 'x');
  for (const name of ['fails', 'short']) {
    await writeFile(join(folder, `${name}-small`), 'x'.repeat(1000));
    await writeFile(join(folder, `${name}-big`), 'x'.repeat(1_000_000));
  }
  await chmod(join(folder, 'secret'), 0);
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
  if (process.getuid?.() !== 0) assert.equal((await fetch(`${url}/secret`)).status, 403);
  for (const path of ['fails-small', 'short-small', 'fails-big', 'short-big']) {
    await assert.rejects(async () => (await fetch(`${url}/${path}`)).text(), `${path} looked whole`);
  }
  assert.equal(share.opened, share.closed);
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
