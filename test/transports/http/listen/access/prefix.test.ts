import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Prefix } from '#xfer/transports/http/listen/access/prefix.js';
import { type AccessRecord, formatAccess } from '#xfer/transports/http/listen/index.js';
import { failsWith } from '../../../../support/fails-with.js';
import { exchange, get, serve, temporaryFolder, until } from '../rig.js';

const TOKEN = 'abcdefghij-KLMNOPQRST_0123';

test('what is left of a target below the base path and the token', () => {
  const both = new Prefix('/my files/x/', TOKEN);
  assert.equal(both.text, `/my%20files/x/${TOKEN}`);
  assert.equal(both.below, `my%20files/x/${TOKEN}/`);
  const rows: Record<string, unknown> = {
    [`${both.text}/`]: '/',
    [`${both.text}/a?b=/c`]: '/a?b=/c',
    [`${both.text}//a`]: '//a',
    [both.text]: { location: `./${TOKEN}/` },
    [`${both.text}?json`]: { location: `./${TOKEN}/?json` },
    '/my%20files/x': undefined,
    '/my%20files/x/': undefined,
    [`/my%20files/x/${TOKEN.toLowerCase()}/`]: undefined,
    [`/my%20files/x/${TOKEN.slice(1)}/`]: undefined,
    [`/my%20files/x/${TOKEN}x/`]: undefined,
    [`/my%20files/x//${TOKEN}/`]: undefined,
    [`/my files/x/${TOKEN}/`]: undefined,
    [`/${TOKEN}/`]: undefined,
    '/': undefined,
    '*': undefined,
  };
  for (const [target, expected] of Object.entries(rows)) assert.deepEqual(both.strip(target), expected, target);
  const base = new Prefix('files', undefined);
  assert.equal(base.strip('/files/?x'), '/?x');
  assert.deepEqual(base.strip('/files?x'), { location: './files/?x' });
  assert.equal(base.strip('/filesystem/'), undefined);
  assert.equal(base.strip('/file'), undefined);
  assert.equal(new Prefix('/', undefined).strip('/a'), '/a');
  assert.equal(new Prefix('/a%20b', undefined).text, '/a%20b');
});

test('what is no base path, and what is no token, is refused', () => {
  for (const path of ['///', '/a//b', '/../a', '/a/.', '/a?b', '/a#b', '/%2e%2e', '/a%2fb', '/a\0']) {
    assert.throws(() => new Prefix(path, undefined), failsWith('USAGE', /base path/), path);
  }
  for (const token of [
    '',
    'x'.repeat(21),
    'x'.repeat(129),
    `${'x'.repeat(30)}/`,
    `${'x'.repeat(30)}%`,
    'ä'.repeat(30),
  ]) {
    const refused = failsWith('USAGE', /^token: not 22 to 128 letters, digits, - and _$/);
    assert.throws(() => new Prefix(undefined, token), refused, token);
  }
});

test('over the wire: the printed URLs work, nothing else is there, and no record holds the token', {
  timeout: 10_000,
}, async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'sub'));
  await writeFile(join(folder, 'sub', 'a.txt'), 'hello');
  const records: AccessRecord[] = [];
  const onRequest = (record: AccessRecord) => records.push(record);
  const { listener, port } = await serve(t, folder, { basePath: '/files', token: TOKEN, onRequest });
  const [url] = listener.urls as [string];
  assert.equal(url, `http://127.0.0.1:${port}/files/${TOKEN}/`);
  // As wget -r does: relative links, and a Referer.
  const fields = { Referer: url };
  assert.match(await (await fetch(url, { headers: fields })).text(), /href="sub\/"/);
  const file = await fetch(new URL('sub/a.txt', url), { headers: fields });
  assert.equal(await file.text(), 'hello');
  assert.equal(file.headers.get('referrer-policy'), 'no-referrer');
  // Both the folder's and the prefix's own missing `/` lead to where the share is, and are relative.
  for (const path of [`/files/${TOKEN}`, `/files/${TOKEN}/sub`]) {
    assert.match(await get(port, path), /^HTTP\/1\.1 30[18] [\s\S]*\r\nLocation: \.\/[^/]+\/\r\n/, path);
    assert.equal((await fetch(`http://127.0.0.1:${port}${path}`)).status, 200, path);
  }
  const bare = (answer: string): string => answer.replace(/^Date: .*\r\n/m, '');
  const missing = bare(await get(port, `/files/${TOKEN}/missing`));
  assert.match(missing, /^HTTP\/1\.1 404 /);
  const elsewhere = ['/', '/files', '/files/', `/${TOKEN}/`, `/files/${TOKEN}x/`, '/sub/a.txt', '/files/sub/a.txt'];
  for (const path of elsewhere) assert.equal(bare(await get(port, path)), missing, path);
  assert.match(await exchange(port, 'OPTIONS * HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n'), / 404 /);
  await get(port, `/files/${TOKEN}/`, `User-Agent: ${TOKEN}\r\n`);
  await until(() => records.length >= 14);
  assert.ok(!JSON.stringify(records).includes(TOKEN));
  assert.ok(records.some(({ target }) => target === '/files/***/sub/a.txt'));
  assert.match(formatAccess(records[0] as AccessRecord), /"GET \/files\/\*\*\*\/ HTTP\/1\.1" 200/);
});
