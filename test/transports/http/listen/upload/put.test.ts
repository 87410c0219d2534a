import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AccessRecord } from '#xfer/transports/http/listen/index.js';
import { patternBytes } from '../../../../support/fixtures.js';
import { exchange } from '../rig.js';
import { ask, namesIn, openBox, put, reasonOf } from './upload-rig.js';

const LIMIT = { timeout: 60_000 };

function digestField(bytes: Uint8Array | string, algorithm = 'sha256'): string {
  return `${algorithm.replace('sha', 'sha-')}=:${createHash(algorithm).update(bytes).digest('base64')}:`;
}

test('a file is put, whole and under its name, of any size and with any name', LIMIT, async (t) => {
  const { root, url } = await openBox(t);
  await mkdir(join(root, 'sub'));
  const files: Record<string, Buffer> = {
    empty: Buffer.alloc(0),
    'a b#?%.txt': Buffer.from('hello'),
    'sub/größe \u{1F600}.bin': patternBytes(3_000_001),
  };
  for (const [name, bytes] of Object.entries(files)) {
    const target = `${url}/${name.split('/').map(encodeURIComponent).join('/')}`;
    const answer = await put(target, bytes);
    assert.equal(answer.status, 201, await answer.text());
    assert.ok((await readFile(join(root, name))).equals(bytes), name);
    assert.ok(Buffer.from(await (await fetch(target)).arrayBuffer()).equals(bytes), name);
  }
  assert.deepEqual(await namesIn(root), ['a b#?%.txt', 'empty', 'sub', 'sub/größe \u{1F600}.bin']);
});

test('HTTP/1.0 has no chunks, and nothing is said before its answer', LIMIT, async (t) => {
  const { root, port } = await openBox(t);
  const chunked = 'PUT /f HTTP/1.0\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
  assert.match(await exchange(port, chunked), /^HTTP\/1\.1 400 /);
  assert.deepEqual(await namesIn(root), []);
  const expecting = 'PUT /f HTTP/1.0\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello';
  assert.match(await exchange(port, expecting), /^HTTP\/1\.1 201 /);
});

test('a body of unknown length is put', LIMIT, async (t) => {
  const { root, port } = await openBox(t);
  const head = 'PUT /f HTTP/1.1\r\nHost: test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n';
  assert.match(await exchange(port, `${head}5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`), /^HTTP\/1\.1 201 /);
  assert.equal(await readFile(join(root, 'f'), 'utf8'), 'hello world');
});

test('nothing is overwritten, unless that is allowed and wanted', LIMIT, async (t) => {
  const closed = await openBox(t);
  await writeFile(join(closed.root, 'f'), 'first');
  assert.deepEqual(await ask(`${closed.url}/f`, { method: 'PUT', body: 'x' }), [
    409,
    'Something has that name already, and nothing is overwritten here.',
  ]);
  const wanted = { 'If-None-Match': '*' };
  assert.equal((await put(`${closed.url}/f`, 'x', wanted)).status, 412);
  assert.equal((await put(`${closed.url}/new`, 'x', wanted)).status, 201);
  const open = await openBox(t, { overwrite: true });
  assert.equal((await put(`${open.url}/f`, 'one')).status, 201);
  assert.equal((await put(`${open.url}/f`, 'two')).status, 204);
  assert.equal((await put(`${open.url}/f`, 'x', wanted)).status, 412);
  assert.equal((await put(`${open.url}/f`, 'x', { 'If-Match': '"other"' })).status, 412);
  assert.equal((await put(`${open.url}/none`, 'x', { 'If-Match': '*' })).status, 412);
  const past = new Date(Date.now() - 60_000).toUTCString();
  assert.equal((await put(`${open.url}/f`, 'x', { 'If-Unmodified-Since': past })).status, 412);
  assert.equal(await readFile(join(open.root, 'f'), 'utf8'), 'two');
  assert.deepEqual(await namesIn(open.root), ['f']);
});

test('a file that was made meanwhile, by whomever, is not overwritten', LIMIT, async (t) => {
  const { root, port } = await openBox(t);
  const socket = connect(port, '127.0.0.1');
  socket.write('PUT /f HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: 10\r\n\r\n12345');
  while (!(await namesIn(root)).some((name) => name.endsWith('.xfer-part'))) await new Promise(setImmediate);
  await writeFile(join(root, 'f'), 'mine');
  socket.write('67890');
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  assert.match(answer, /^HTTP\/1\.1 409 /);
  assert.equal(await readFile(join(root, 'f'), 'utf8'), 'mine');
  assert.deepEqual(await namesIn(root), ['f']);
});

test('a digest that does not match is an error, and nothing has the name', LIMIT, async (t) => {
  const { root, url, port } = await openBox(t);
  const bytes = patternBytes(200_000);
  for (const [name, field, algorithm] of [
    ['a', 'Repr-Digest', 'sha256'],
    ['b', 'Content-Digest', 'sha256'],
    ['c', 'Repr-Digest', 'sha512'],
  ] as const) {
    const wrong = await put(`${url}/${name}`, bytes, { [field]: digestField('others', algorithm) });
    assert.equal(wrong.status, 400);
    assert.match(await reasonOf(wrong), /do not have the digest/);
    assert.equal((await put(`${url}/${name}`, bytes, { [field]: 'sha-256=:abc:' })).status, 400);
    assert.deepEqual((await namesIn(root)).includes(name), false);
    assert.equal((await put(`${url}/${name}`, bytes, { [field]: digestField(bytes, algorithm) })).status, 201);
  }
  for (const [repr, content] of [
    ['sha256', 'sha256'],
    ['sha256', 'sha512'],
  ] as const) {
    for (const fields of [{}, { 'Upload-Complete': '?1' }] as Record<string, string>[]) {
      const right = { ...fields, 'Repr-Digest': digestField(bytes, repr) };
      const wrong = { ...fields, 'Repr-Digest': digestField('others', repr) };
      const [good, bad] = [digestField(bytes, content), digestField('others', content)];
      assert.equal((await put(`${url}/d`, bytes, { ...right, 'Content-Digest': bad })).status, 400);
      assert.equal((await put(`${url}/d`, bytes, { ...wrong, 'Content-Digest': good })).status, 400);
      assert.deepEqual((await namesIn(root)).includes('d'), false);
      assert.equal((await put(`${url}/d`, bytes, { ...right, 'Content-Digest': good })).status, 201);
      await rm(join(root, 'd'));
    }
  }
  // One that comes after the bytes.
  for (const [name, text, status] of [
    ['good', 'hello', 201],
    ['bad', 'other', 400],
  ] as const) {
    const head = `PUT /${name} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: Repr-Digest\r\n\r\n`;
    const answer = await exchange(port, `${head}5\r\nhello\r\n0\r\nRepr-Digest: ${digestField(text)}\r\n\r\n`);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), name);
  }
  assert.deepEqual(await namesIn(root), ['a', 'b', 'c', 'good']);
});

test('what cannot be put whole is refused with the reason', LIMIT, async (t) => {
  const { root, url } = await openBox(t, { mostFileBytes: 1000 });
  await mkdir(join(root, 'folder'));
  const rows: [string, Record<string, string>, number, RegExp][] = [
    ['/f', { 'Content-Range': 'bytes 0-1/10' }, 400, /put whole/],
    ['/f', { 'Content-Encoding': 'gzip' }, 415, /without a Content-Encoding/],
    ['/no/such/f', {}, 409, /folder that it would lie in is not there/],
    ['/folder', {}, 409, /has that name/],
    ['/folder/', {}, 400, /name for the file is missing/],
    ['/.hidden', {}, 403, /not taken here/],
    [`/${'n'.repeat(256)}`, {}, 403, /not taken here/],
  ];
  for (const [path, headers, status, reason] of rows) {
    const answer = await put(`${url}${path}`, 'x', headers);
    assert.equal(answer.status, status, path);
    assert.match(await reasonOf(answer), reason);
  }
  assert.deepEqual(await ask(`${url}/f`, { method: 'PUT', body: 'x'.repeat(1001) }), [
    413,
    'A file may have 1000 bytes here, and this one has more.',
  ]);
  assert.deepEqual(await namesIn(root), ['folder']);
});

test('a body that is held back is asked for only after the checks', LIMIT, async (t) => {
  const { root, port } = await openBox(t, { mostFileBytes: 10 });
  const head = (name: string, length: number): string =>
    `PUT /${name} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
  assert.match(await exchange(port, head('large', 11)), /^HTTP\/1\.1 413 /);
  const socket = connect(port, '127.0.0.1');
  socket.write(head('f', 5));
  let answer = '';
  for await (const chunk of socket) {
    answer += chunk;
    if (answer === 'HTTP/1.1 100 Continue\r\n\r\n') socket.write('hello');
  }
  assert.match(answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /);
  assert.deepEqual(await namesIn(root), ['f']);
});

test('who sends a body that is refused can read the answer', LIMIT, async (t) => {
  const { root, url } = await openBox(t);
  await writeFile(join(root, 'f'), 'x');
  for (let round = 0; round < 20; round += 1) {
    assert.equal((await put(`${url}/f`, patternBytes(2_000_000))).status, 409);
  }
});

test('the time of a file is kept where it is given', LIMIT, async (t) => {
  const { root, url } = await openBox(t);
  await put(`${url}/f`, 'x', { 'X-OC-Mtime': '1700000000' });
  assert.equal((await stat(join(root, 'f'))).mtimeMs, 1_700_000_000_000);
});

test('a connection goes on after an upload', LIMIT, async (t) => {
  const { port, root } = await openBox(t);
  const one = (name: string, last: string): string =>
    `PUT /${name} HTTP/1.1\r\nHost: test\r\n${last}Content-Length: 1\r\n\r\n${name}`;
  const answer = await exchange(port, one('a', '') + one('b', '') + one('c', 'Connection: close\r\n'));
  assert.equal(answer.match(/HTTP\/1\.1 201 /g)?.length, 3);
  assert.deepEqual(await namesIn(root), ['a', 'b', 'c']);
});

test('a client that goes away in the middle leaves nothing', LIMIT, async (t) => {
  const { root, port } = await openBox(t);
  const socket = connect(port, '127.0.0.1');
  socket.write('PUT /f HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\nsome');
  while ((await namesIn(root)).length === 0) await new Promise(setImmediate);
  socket.destroy();
  while ((await namesIn(root)).length > 0) await new Promise(setImmediate);
});

test('what came is counted, and an upload under way is told as one', LIMIT, async (t) => {
  const told: { method: string; received: number | undefined }[] = [];
  const options = {
    metrics: true,
    onRequest: ({ method, received }: AccessRecord) => void told.push({ method, received }),
  };
  const { url, port, listener, root } = await openBox(t, {}, options);
  await put(`${url}/f`, 'x'.repeat(5000));
  const socket = connect(port, '127.0.0.1');
  socket.write('PUT /g HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\n12345');
  while ((await namesIn(root)).length < 2) await new Promise(setImmediate);
  const [transfer] = listener.transfers?.() ?? [];
  assert.deepEqual([transfer?.path, transfer?.incoming, transfer?.totalBytes], ['g', true, 10]);
  socket.destroy();
  const text = await (await fetch(`${url}/metrics`)).text();
  assert.match(text, /^xfer_http_request_bytes_total 500[05]$/m);
  assert.deepEqual(told[0], { method: 'PUT', received: 5000 });
});

test('a form goes on after a file that is refused at its first byte, or in the middle', LIMIT, async (t) => {
  const { root, url } = await openBox(t, { mostFileBytes: 1_000_000 });
  await writeFile(join(root, 'there'), 'mine');
  const body = new FormData();
  const good = patternBytes(900_000);
  for (const [name, bytes] of [
    ['there', patternBytes(500_000)],
    ['large', patternBytes(5_000_000)],
    ['good', good],
    ['.hidden', good],
    ['last', good],
  ] as const) {
    body.append('f', new Blob([bytes as unknown as BlobPart]), name);
  }
  const answer = await fetch(`${url}/`, { method: 'POST', body });
  assert.equal(answer.status, 409);
  const lines = (await answer.text()).split('\n').map((line) => line.slice(0, 22));
  assert.deepEqual(lines, [
    'saved good',
    'saved last',
    'not saved there: Somet',
    'not saved large: A fil',
    'not saved .hidden: Tha',
    '',
  ]);
  for (const name of ['good', 'last']) assert.ok((await readFile(join(root, name))).equals(good), name);
  assert.deepEqual(await namesIn(root), ['good', 'last', 'there']);
});
