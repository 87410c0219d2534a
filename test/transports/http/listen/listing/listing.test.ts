import assert from 'node:assert/strict';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { bytesFromName } from '#xfer/names.js';
import { diskSource, get, serve, temporaryFolder } from '../rig.js';
import { entryLinks, markupOf } from './page-parts.js';

const NAMES = [
  'space name',
  'percent%41',
  '100%',
  'a#b?c&d;e',
  'quote"and\'apostrophe',
  '<img src=x onerror=alert(1)>',
  '"><script>alert(1)<script>',
  'javascript:alert(1)',
  'new\nline',
  'back\\slash',
  'emoji 👩‍🚀',
  '日本語',
  'rtl\u202etxt.exe',
  '~tilde+[x]*',
  'latin1\udce9.txt',
];

test('every name comes back by the hrefs of the page and of the JSON', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  const names = process.platform === 'linux' ? NAMES : ['space name', 'percent%41', '100%', '日本語'];
  await mkdir(join(folder, 'da#y'));
  for (const name of names) {
    await writeFile(Buffer.concat([Buffer.from(`${folder}/da#y/`), bytesFromName(name)]), bytesFromName(name));
  }
  const { url } = await serve(t, folder);
  const base = `${url}/da%23y/`;
  const page = await (await fetch(base)).text();
  const json = (await (await fetch(base, { headers: { accept: 'application/json' } })).json()) as {
    path: string;
    entries: { name: string; href: string; kind: string; size: number; mtime: string }[];
  };
  assert.equal(json.path, '/da#y/');
  assert.deepEqual(json.entries.map(({ name }) => name).sort(), [...names].sort());
  assert.deepEqual(
    entryLinks(page),
    json.entries.map(({ href }) => href),
  );
  for (const { name, href, kind, size, mtime } of json.entries) {
    const body = Buffer.from(await (await fetch(new URL(href, base))).arrayBuffer());
    assert.deepEqual(body, bytesFromName(name), href);
    assert.deepEqual([kind, size, mtime], ['file', body.length, new Date(mtime).toISOString()]);
  }
  assert.ok(!JSON.stringify(json).includes(folder), 'no path of the server');
});

test('no name of a file becomes markup', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of NAMES.slice(4, 8)) await writeFile(join(folder, name), '');
  await mkdir(join(folder, '"><svg onload=alert(1)>'));
  const { url } = await serve(t, folder);
  for (const path of ['/', '/%22%3E%3Csvg%20onload=alert(1)%3E/', '/?"><svg/onload=1>', '/%3Cscript%3E']) {
    const response = await fetch(url + path);
    const text = markupOf(await response.text()).replace('<script></script>', '');
    assert.doesNotMatch(text, /<(?:img|script|svg)|"onmouse/i, path);
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    if (response.status === 200) {
      assert.match(response.headers.get('content-security-policy') ?? '', /^default-src 'none'; style-src 'sha256-/);
    }
  }
});

test('folders come first, and Accept decides the form', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'z'));
  for (const name of ['b', 'a']) await writeFile(join(folder, name), 'x'.repeat(1536));
  const { url, port } = await serve(t, folder);
  const page = await (await fetch(`${url}/`)).text();
  assert.deepEqual(entryLinks(page), ['z/', 'a', 'b']);
  assert.match(page, /title="1536 bytes">1\.5 KiB</);
  assert.match(await (await fetch(`${url}/z/`)).text(), /href="\.\.\/"/);
  const rows: Record<string, 'json' | 'html' | 'plain'> = {
    '*/*': 'html',
    'application/json': 'json',
    'application/json, */*': 'json',
    'text/html, application/json;q=0.9': 'html',
    'text/html;q=0.5, application/json;q=0.9': 'json',
    'application/json;q=0': 'html',
    'text/plain': 'plain',
    'text/plain, application/json': 'json',
    'text/plain;q=0.3, text/html;q=0.2': 'plain',
    'text/plain;q=x, */*': 'plain',
  };
  for (const [accept, form] of Object.entries(rows)) {
    const { headers } = await fetch(`${url}/`, { headers: { accept } });
    assert.ok(headers.get('content-type')?.includes(form), accept);
  }
  assert.doesNotMatch(await get(port, '/z/x'), /share/);
  const head = await fetch(`${url}/`, { method: 'HEAD' });
  assert.equal(Number(head.headers.get('content-length')), Buffer.byteLength(page));
});

test('a folder of 20,000 comes in pieces, and whole', { timeout: 10_000 }, async (t) => {
  const share = diskSource('/');
  share.stat = (path) => Promise.resolve({ path, kind: 'directory' });
  share.open = () => Promise.reject(new Error('nothing is opened'));
  share.list = async function* () {
    for (let index = 0; index < 20_000; index += 1) yield { path: `sub/file ${index}`, kind: 'file', size: index };
  };
  const { url } = await serve(t, '/', { share });
  const page = await (await fetch(`${url}/sub/`)).text();
  assert.equal(entryLinks(page).length, 20_000);
  assert.ok(page.endsWith('</html>\n'));
  const json = (await (await fetch(`${url}/sub/?json`)).json()) as { entries: { name: string }[] };
  assert.equal(new Set(json.entries.map(({ name }) => name)).size, 20_000);
});

test('plain text has one line for each entry, whatever its name', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  const names =
    process.platform === 'linux' ? ['new\nline', 'back\\nslash', 'bell\u0007', 'rtl\u202ex', 'latin1\udce9'] : [];
  for (const name of ['two words', ...names]) {
    await writeFile(Buffer.concat([Buffer.from(`${folder}/`), bytesFromName(name)]), '');
  }
  await mkdir(join(folder, 'zoo é'));
  await writeFile(join(folder, 'index.html'), '<h1>not this</h1>');
  const { url } = await serve(t, folder);
  const response = await fetch(`${url}/?plain`);
  assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8');
  const escaped = [
    'back\\\\nslash',
    'bell\\x07',
    'index.html',
    'latin1\\xe9',
    'new\\nline',
    'rtl\\u{202e}x',
    'two words',
  ];
  const expected = process.platform === 'linux' ? escaped : ['index.html', 'two words'];
  assert.equal(await response.text(), `${['zoo é/', ...expected].join('\n')}\n`);
});

test('without a script a form sorts, and the other forms of a listing follow it', { timeout: 10_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'folder'));
  for (const [name, length] of [
    ['file 10', 1],
    ['File 9', 3000],
    ['file 1', 20],
  ] as const) {
    await writeFile(join(folder, name), 'x'.repeat(length));
    await utimes(join(folder, name), 0, 1000 + length);
  }
  const { url } = await serve(t, folder);
  const rows: Record<string, string[]> = {
    '': ['file%201', 'File%209', 'file%2010'],
    '?sort=name&order=desc': ['file%2010', 'File%209', 'file%201'],
    '?sort=size&order=desc': ['File%209', 'file%201', 'file%2010'],
    '?sort=size': ['file%2010', 'file%201', 'File%209'],
    '?order=asc&sort=time': ['file%2010', 'file%201', 'File%209'],
    '?sort=<b>&order=%ff': ['file%201', 'File%209', 'file%2010'],
  };
  for (const [query, files] of Object.entries(rows)) {
    const page = await (await fetch(`${url}/${query}`)).text();
    assert.deepEqual(entryLinks(page), ['folder/', ...files], query);
    const json = (await (await fetch(`${url}/${query || '?'}&json`)).json()) as { entries: { href: string }[] };
    assert.deepEqual(
      json.entries.map(({ href }) => href),
      ['folder/', ...files],
      query,
    );
  }
  const page = markupOf(await (await fetch(`${url}/?sort=size&order=desc`)).text());
  assert.deepEqual(
    [...page.matchAll(/<th scope="col"([^>]*)><form><input[^>]* value="(\w+)"><button[^>]* value="(\w+)">/g)].map(
      (found) => found.slice(1),
    ),
    [
      ['', 'name', 'asc'],
      [' aria-sort="descending"', 'size', 'asc'],
      ['', 'time', 'desc'],
    ],
  );
});
