import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { patternBytes } from '../../../../support/fixtures.js';
import { type Box, namesIn, openBox } from './upload-rig.js';

/** Elsewhere the system itself holds names to be text. */
const KEEPS_BYTES = process.platform === 'linux';
const LIMIT = { timeout: 60_000 };
const TUS = { 'Tus-Resumable': '1.0.0' };
const PART = { ...TUS, 'Content-Type': 'application/offset+octet-stream' };

const base64 = (name: string | Buffer): string => Buffer.from(name).toString('base64');

function create({ url }: Box, name: string | Buffer, fields: Record<string, string>, folder = '/', body?: Uint8Array) {
  return fetch(`${url}${folder}`, {
    method: 'POST',
    headers: { ...TUS, 'Upload-Metadata': `filename ${base64(name)}`, ...fields },
    ...(body ? { body: body as BodyInit } : {}),
  });
}

async function created(box: Box, name: string, length: number, folder = '/'): Promise<string> {
  const answer = await create(box, name, { 'Upload-Length': String(length) }, folder);
  assert.equal(answer.status, 201, await answer.text());
  return new URL(answer.headers.get('location') as string, `${box.url}${folder}`).href;
}

function patch(url: string, offset: number, bytes: Uint8Array, fields: Record<string, string> = {}) {
  const headers = { ...PART, 'Upload-Offset': String(offset), ...fields };
  return fetch(url, { method: 'PATCH', body: bytes as BodyInit, headers });
}

async function offsetAt(url: string): Promise<string | null> {
  const answer = await fetch(url, { method: 'HEAD', headers: TUS });
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  return answer.ok ? answer.headers.get('upload-offset') : String(answer.status);
}

test('a file goes up in parts, and has its name with the last of them', LIMIT, async (t) => {
  const box = await openBox(t);
  await mkdir(join(box.root, 'sub folder'));
  const bytes = patternBytes(500_000);
  const url = await created(box, 'größe.bin', bytes.length, '/sub%20folder/');
  assert.match(url, new RegExp(`^${box.url}/\\.xfer-upload/[0-9a-z]{26}$`));
  assert.equal(await offsetAt(url), '0');
  for (const [start, end] of [
    [0, 200_000],
    [200_000, 200_001],
    [200_001, 500_000],
  ] as const) {
    assert.deepEqual((await namesIn(box.root)).includes('sub folder/größe.bin'), false);
    const answer = await patch(url, start, bytes.subarray(start, end));
    assert.deepEqual([answer.status, answer.headers.get('upload-offset')], [204, String(end)]);
    assert.equal(answer.headers.get('tus-resumable'), '1.0.0');
    assert.equal(await offsetAt(url), String(end));
  }
  assert.ok((await readFile(join(box.root, 'sub folder', 'größe.bin'))).equals(bytes));
  assert.deepEqual(await namesIn(box.root), ['sub folder', 'sub folder/größe.bin']);
});

test('the end of the protocol: versions, offsets, lengths, types, what is not there', LIMIT, async (t) => {
  const box = await openBox(t, { mostFileBytes: 1000 });
  const options = await fetch(`${box.url}/`, { method: 'OPTIONS' });
  assert.equal(options.headers.get('tus-version'), '1.0.0');
  assert.equal(options.headers.get('tus-max-size'), '1000');
  assert.match(options.headers.get('tus-extension') as string, /creation.*termination.*checksum.*expiration/);
  const old = await create(box, 'f', { 'Tus-Resumable': '0.2.2', 'Upload-Length': '1' });
  assert.deepEqual([old.status, old.headers.get('tus-version')], [412, '1.0.0']);
  assert.equal((await create(box, 'f', {})).status, 400);
  assert.equal((await create(box, 'f', { 'Upload-Length': '-1' })).status, 400);
  assert.equal((await create(box, 'f', { 'Upload-Length': '1001' })).status, 413);
  assert.equal((await create(box, 'f', { 'Upload-Length': '1', 'Upload-Metadata': 'x eQ==' })).status, 400);
  assert.equal((await create(box, 'f', { 'Upload-Length': '1' }, '/none/')).status, 409);
  const url = await created(box, 'f', 10);
  const wrong = await patch(url, 3, Buffer.from('x'));
  assert.deepEqual([wrong.status, wrong.headers.get('upload-offset')], [409, '0']);
  assert.equal((await patch(url, 0, Buffer.from('x'), { 'Content-Type': 'text/plain' })).status, 415);
  assert.equal((await patch(url, 0, Buffer.alloc(11))).status, 400);
  assert.equal(await offsetAt(url), '0');
  assert.equal(await offsetAt(`${box.url}/.xfer-upload/${'a'.repeat(26)}`), '404');
  assert.equal((await fetch(url)).status, 405);
  assert.equal((await fetch(url, { method: 'DELETE', headers: TUS })).status, 204);
  assert.equal(await offsetAt(url), '404');
  assert.deepEqual(await namesIn(box.root), []);
});

test('bytes with the creation, a length that comes later, no bytes at all, and no PATCH', LIMIT, async (t) => {
  const box = await openBox(t);
  const with_ = await create(box, 'a', { ...PART, 'Upload-Length': '10' }, '/', Buffer.from('01234'));
  assert.deepEqual([with_.status, with_.headers.get('upload-offset')], [201, '5']);
  const a = new URL(with_.headers.get('location') as string, `${box.url}/`).href;
  assert.equal((await patch(a, 5, Buffer.from('56789'))).status, 204);
  const later = await create(box, 'b', { 'Upload-Defer-Length': '1' });
  const b = new URL(later.headers.get('location') as string, `${box.url}/`).href;
  const head = await fetch(b, { method: 'HEAD', headers: TUS });
  assert.equal(head.headers.get('upload-defer-length'), '1');
  assert.equal(head.headers.get('upload-metadata'), `filename ${base64('b')}`);
  assert.equal((await patch(b, 0, Buffer.from('123'))).status, 204);
  assert.equal((await patch(b, 3, Buffer.from('456'), { 'Upload-Length': '6' })).status, 204);
  assert.equal((await create(box, 'c', { 'Upload-Length': '0' })).status, 201);
  const d = await created(box, 'd', 1);
  const headers = { ...PART, 'Upload-Offset': '0', 'X-HTTP-Method-Override': 'PATCH' };
  assert.equal((await fetch(d, { method: 'POST', headers, body: 'd' })).status, 204);
  const texts = await Promise.all(['a', 'b', 'c', 'd'].map((name) => readFile(join(box.root, name), 'utf8')));
  assert.deepEqual(texts, ['0123456789', '123456', '', 'd']);
});

test('a name that is no UTF-8 is kept byte for byte', { ...LIMIT, skip: !KEEPS_BYTES }, async (t) => {
  const box = await openBox(t);
  const name = Buffer.from('caf\xe9', 'latin1');
  const answer = await create(box, name, { ...PART, 'Upload-Length': '5' }, '/', Buffer.from('hello'));
  assert.equal(answer.status, 201, await answer.text());
  assert.deepEqual(await readdir(box.root, { encoding: 'buffer' }), [name]);
});

test('a part with a wrong checksum is taken back, and nothing else', LIMIT, async (t) => {
  const box = await openBox(t);
  const url = await created(box, 'f', 10);
  const checksum = (text: string, algorithm = 'sha1'): Record<string, string> => ({
    'Upload-Checksum': `${algorithm} ${createHash(algorithm).update(text).digest('base64')}`,
  });
  assert.equal((await patch(url, 0, Buffer.from('01234'), checksum('01234'))).status, 204);
  assert.equal((await patch(url, 5, Buffer.from('xxxxx'), checksum('56789'))).status, 460);
  assert.equal((await patch(url, 5, Buffer.from('567'), checksum('56789', 'sha256'))).status, 460);
  assert.equal((await patch(url, 5, Buffer.from('56789'), { 'Upload-Checksum': 'crc1 AAAA' })).status, 400);
  assert.equal(await offsetAt(url), '5');
  assert.deepEqual((await namesIn(box.root)).includes('f'), false);
  assert.equal((await patch(url, 5, Buffer.from('56789'), checksum('56789', 'sha512'))).status, 204);
  assert.equal(await readFile(join(box.root, 'f'), 'utf8'), '0123456789');
});

test('what came before the line was lost is there, and who asks ends what still hangs', LIMIT, async (t) => {
  const box = await openBox(t);
  const bytes = patternBytes(3_000_000);
  const url = await created(box, 'f', bytes.length);
  const socket = connect(box.port, '127.0.0.1');
  const fields = `Host: test\r\nTus-Resumable: 1.0.0\r\nContent-Type: ${PART['Content-Type']}\r\nUpload-Offset: 0\r\n`;
  socket.write(`PATCH ${new URL(url).pathname} HTTP/1.1\r\n${fields}Content-Length: ${bytes.length}\r\n\r\n`);
  socket.write(bytes.subarray(0, 2_000_000));
  const [part] = await waitForPart(box.root, 2_000_000);
  // The other end of this line is gone, and nobody has told us.
  assert.equal(await offsetAt(url), '2000000');
  assert.equal((await stat(join(box.root, part as string))).size, 2_000_000);
  assert.equal((await patch(url, 2_000_000, bytes.subarray(2_000_000))).status, 204);
  socket.destroy();
  assert.ok((await readFile(join(box.root, 'f'))).equals(bytes));
});

test('a client that goes on over a new line, without asking, is not kept waiting for the old one', LIMIT, async (t) => {
  const box = await openBox(t);
  const bytes = patternBytes(3_000_000);
  const url = await created(box, 'f', bytes.length);
  const fields = `Host: test\r\nTus-Resumable: 1.0.0\r\nContent-Type: ${PART['Content-Type']}\r\nUpload-Offset: 0\r\n`;
  const socket = connect(box.port, '127.0.0.1');
  socket.write(`PATCH ${new URL(url).pathname} HTTP/1.1\r\n${fields}Content-Length: ${bytes.length}\r\n\r\n`);
  socket.write(bytes.subarray(0, 1_000_000));
  await waitForPart(box.root, 1_000_000);
  const rest = bytes.subarray(1_000_000);
  const answers = await Promise.all([patch(url, 1_000_000, rest), patch(url, 1_000_000, rest)]);
  // Of two at once the later one ends the other, and each is told something that it can go on with.
  for (const { status } of answers) assert.ok([204, 409, 503].includes(status), `${status}`);
  socket.destroy();
  if (!(await namesIn(box.root)).includes('f')) {
    const offset = Number(await offsetAt(url));
    assert.equal((await patch(url, offset, bytes.subarray(offset))).status, 204);
  }
  assert.ok((await readFile(join(box.root, 'f'))).equals(bytes));
});

test('where nothing can be noted, uploads are taken all the same, with a word', LIMIT, async (t) => {
  const told: string[] = [];
  const box = await openBox(t, { recordsDirectory: '/dev/null/here' }, { onNotice: (line) => void told.push(line) });
  assert.match(told.join(), /^no upload can go on after the end of this run: note uploads: /);
  assert.equal((await patch(await created(box, 'f', 1), 0, Buffer.from('x'))).status, 204);
  assert.equal((await fetch(`${box.url}/g`, { method: 'PUT', body: 'x' })).status, 201);
});

test('coded bytes are refused, however they are sent', LIMIT, async (t) => {
  const box = await openBox(t);
  const coded = { 'Content-Encoding': 'gzip' };
  const bytes = patternBytes(100);
  const fields = { ...PART, ...coded, 'Upload-Length': '100' };
  assert.equal((await create(box, 'f', fields, '/', bytes)).status, 415);
  const url = await created(box, 'f', 100);
  assert.equal((await patch(url, 0, bytes, coded)).status, 415);
  assert.equal(await offsetAt(url), '0');
  await fetch(url, { method: 'DELETE', headers: TUS });
  const metadata = { 'Upload-Metadata': `filename ${base64('f')}` };
  const headers = { 'Upload-Draft-Interop-Version': '8', 'Upload-Complete': '?1', ...metadata, ...coded };
  assert.equal((await fetch(box.url, { method: 'POST', headers, body: bytes as BodyInit })).status, 415);
  assert.deepEqual(await namesIn(box.root), []);
});

async function waitForPart(root: string, size: number): Promise<string[]> {
  for (;;) {
    const names = await namesIn(root);
    const [part] = names.filter((name) => name.endsWith('.xfer-part'));
    if (part !== undefined && (await stat(join(root, part))).size >= size) return names;
    await new Promise(setImmediate);
  }
}

test('an upload goes on after the listener was started again, and what is done is known', LIMIT, async (t) => {
  const box = await openBox(t);
  const url = await created(box, 'f', 10);
  await patch(url, 0, Buffer.from('01234'));
  const done = await created(box, 'done', 3);
  await patch(done, 0, Buffer.from('abc'));
  const second = await box.again();
  const now = (old: string): string => old.replace(box.url, second.url);
  assert.equal(await offsetAt(now(url)), '5');
  assert.equal(await offsetAt(now(done)), '3');
  assert.equal((await patch(now(url), 5, Buffer.from('56789'))).status, 204);
  assert.equal(await readFile(join(box.root, 'f'), 'utf8'), '0123456789');
});

test('a file that lacks nothing but its name has it once it is asked after', LIMIT, async (t) => {
  const box = await openBox(t);
  const urls = [await created(box, 'f', 10), await created(box, 'taken', 10)];
  for (const url of urls) await patch(url, 0, Buffer.from('01234'));
  for (const draft of await namesIn(box.root)) await appendFile(join(box.root, draft), '56789');
  await writeFile(join(box.root, 'taken'), 'mine');
  const second = await box.again();
  const [whole, late] = urls.map((url) => url.replace(box.url, second.url)) as [string, string];
  assert.equal(await offsetAt(whole), '10');
  assert.equal(await readFile(join(box.root, 'f'), 'utf8'), '0123456789');
  assert.equal((await fetch(late, { method: 'HEAD', headers: TUS })).status, 409);
  assert.equal(await offsetAt(late), '404');
  assert.equal(await readFile(join(box.root, 'taken'), 'utf8'), 'mine');
  assert.deepEqual(await namesIn(box.root), ['f', 'taken']);
});

test('what is given up is swept, also by the next listener, and nothing else is', LIMIT, async (t) => {
  const box = await openBox(t, { keepPartsMs: 3_600_000 });
  await writeFile(join(box.root, '.mine.xfer-part'), 'not one of ours');
  const url = await created(box, 'f', 10);
  const answer = await patch(url, 0, Buffer.from('01234'));
  const expires = Date.parse(answer.headers.get('upload-expires') as string);
  assert.ok(Math.abs(expires - Date.now() - 3_600_000) < 30_000);
  const kept = await box.again();
  assert.equal((await namesIn(box.root)).length, 2);
  const swept = await kept.again({ keepPartsMs: 1 });
  while ((await namesIn(box.root)).length > 1) await new Promise(setImmediate);
  assert.deepEqual(await namesIn(box.root), ['.mine.xfer-part']);
  assert.equal(await offsetAt(url.replace(box.url, swept.url)), '404');
  assert.deepEqual(await namesIn(box.records), []);
});

test('without a place for records nothing outlives the listener', LIMIT, async (t) => {
  const box = await openBox(t, {}, { upload: {} });
  await patch(await created(box, 'f', 10), 0, Buffer.from('01234'));
  assert.equal((await namesIn(box.root)).length, 1);
  await box.listener.close();
  assert.deepEqual(await namesIn(box.root), []);
});

test('a name that was taken meanwhile stays as it is, and no part is left', LIMIT, async (t) => {
  const box = await openBox(t);
  const url = await created(box, 'f', 10);
  await writeFile(join(box.root, 'f'), 'mine');
  assert.equal((await patch(url, 0, Buffer.alloc(10))).status, 409);
  assert.equal(await readFile(join(box.root, 'f'), 'utf8'), 'mine');
  assert.deepEqual(await namesIn(box.root), ['f']);
});
