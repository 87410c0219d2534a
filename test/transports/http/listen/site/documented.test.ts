/** Every option in the README of serve-handler, with the examples that stand there. */
import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLocalSource } from '#xfer/transports/local/source.js';
import { serve, temporaryFolder } from '../rig.js';
import { ask, makeFiles, serveSite } from './site-rig.js';

const OUTCOME = { timeout: 20_000 };

test('public: a sub directory is the site', OUTCOME, async (t) => {
  const files = { '_site/index.html': 'home', '_site/a.txt': 'A', 'outside.txt': 'no', '404.html': 'not this' };
  const { get } = await serveSite(t, { public: '_site' }, { ...files, '_site/404.html': 'gone' });
  assert.equal((await get('/')).body, 'home');
  assert.equal((await get('/a.txt')).body, 'A');
  for (const path of ['/outside.txt', '/serve.json', '/_site/a.txt', '/../outside.txt']) {
    const { status, body } = await get(path);
    assert.deepEqual([status, body], [404, 'gone'], path);
  }
});

test('cleanUrls: on by default, with a redirect from what ends in .html or /index', OUTCOME, async (t) => {
  const { get } = await serveSite(t, undefined, {
    'index.html': 'home',
    'about.html': 'about',
    'docs/index.html': 'docs',
  });
  assert.equal((await get('/about')).body, 'about');
  assert.equal((await get('/docs')).body, 'docs');
  assert.equal((await get('/docs/')).body, 'docs');
  assert.equal((await get('/')).body, 'home');
  assert.equal((await get('/plain.txt/')).status, 404, 'a file is no directory');
  for (const [from, to] of Object.entries({
    '/about.html': '/about',
    '/about.html?a=1&b=2': '/about?a=1&b=2',
    '/docs/index.html': '/docs/index',
    '/docs/index': '/docs',
    '/index.html': '/index',
    '/none.html': '/none',
  })) {
    const { status, location } = await get(from);
    assert.deepEqual([status, location], [301, to], from);
  }
});

test('cleanUrls: false, and for some paths', OUTCOME, async (t) => {
  const files = { 'index.html': 'home', 'app/x.html': 'x', 'components/y.html': 'y' };
  const off = await serveSite(t, { cleanUrls: false }, files);
  assert.equal((await off.get('/app/x.html')).body, 'x');
  assert.equal((await off.get('/app/x')).status, 404);
  assert.equal((await off.get('/')).body, 'home', 'an index is shown all the same');
  const some = await serveSite(t, { cleanUrls: ['/app/**', '/!components/**'] }, files);
  assert.equal((await some.get('/app/x')).body, 'x');
  assert.equal((await some.get('/app/x.html')).location, '/app/x');
  assert.equal((await some.get('/components/y.html')).body, 'y');
  assert.equal((await some.get('/components/y')).status, 404);
});

test('rewrites: of globs and of segments', OUTCOME, async (t) => {
  const rewrites = [
    { source: 'app/**', destination: '/index.html' },
    { source: 'projects/*/edit', destination: '/edit-project.html' },
    { source: '/named/:id/edit', destination: '/edit-project-:id.html' },
    { source: '/deep/:rest*', destination: '/files/:rest' },
    { source: '/sent', destination: '/files' },
  ];
  const files = {
    'index.html': 'home',
    'edit-project.html': 'edit',
    'edit-project-123.html': 'edit 123',
    'edit-project-a b.html': 'edit a b',
    'files/one/two.txt': 'two',
    'app/real.txt': 'real',
  };
  const { get } = await serveSite(t, { rewrites }, files);
  for (const [path, body] of Object.entries({
    '/app': 'home',
    '/app/a/b/c?x=1': 'home',
    '/app/real.txt': 'real',
    '/projects/7/edit': 'edit',
    '/named/123/edit': 'edit 123',
    '/named/a%20b/edit': 'edit a b',
    '/deep/one/two.txt': 'two',
  })) {
    const answer = await get(path);
    assert.deepEqual([answer.status, answer.body], [200, body], path);
  }
  assert.equal((await get('/named/456/edit')).status, 404);
  assert.match((await get('/sent/?json')).body, /"name":"one"/);
});

test('redirects: of globs and of segments, with their own status, and the query is kept', OUTCOME, async (t) => {
  const redirects = [
    { source: '/from', destination: '/to' },
    { source: '/old-pages/**', destination: '/home' },
    { source: '/old-docs/:id', destination: '/new-docs/:id' },
    { source: '/old', destination: '/new', type: 302 },
    { source: '/far/:page', destination: 'https://example.com:8443/:page?a=1#top' },
    { source: '/tree/:rest*', destination: '/new-tree/:rest' },
    { source: '/any(.+)', destination: '/:0' },
  ];
  const { get } = await serveSite(t, { redirects }, { 'old-pages/x.txt': '' });
  for (const [from, [status, to]] of Object.entries<[number, string]>({
    '/from': [301, '/to'],
    '/from/': [301, '/to'],
    '/from?q=1': [301, '/to?q=1'],
    '/old-pages': [301, '/home'],
    '/old-pages/x.txt': [301, '/home'],
    '/old-pages/a/b/c?x': [301, '/home?x'],
    '/old-docs/12': [301, '/new-docs/12'],
    '/old-docs/a%20b%25': [301, '/new-docs/a%20b%25'],
    '/old': [302, '/new'],
    '/far/x?b=2': [301, 'https://example.com:8443/x?a=1&b=2#top'],
    '/tree/a/b': [301, '/new-tree/a/b'],
    '/any/evil.example/x': [301, '/evil.example/x'],
    '/any/%5cevil.example': [301, '/%5Cevil.example'],
  })) {
    const answer = await get(from);
    assert.deepEqual([answer.status, answer.location], [status, to], from);
  }
  assert.equal((await get('/old-docs/12/13')).status, 404);
});

test('headers: set, replaced and taken away, by globs', OUTCOME, async (t) => {
  const headers = [
    { source: '**/*.@(jpg|jpeg|gif|png)', headers: [{ key: 'Cache-Control', value: 'max-age=7200' }] },
    { source: '404.html', headers: [{ key: 'Cache-Control', value: 'max-age=300' }] },
    {
      source: '*.data',
      headers: [
        { key: 'content-type', value: 'application/x-own' },
        { key: 'X-Content-Type-Options', value: null },
        { key: 'Last-Modified', value: null },
        { key: 'Access-Control-Allow-Origin', value: '*' },
      ],
    },
    { source: 'tagged.txt', headers: [{ key: 'ETag', value: 'v1' }] },
    {
      source: 'twice.txt',
      headers: [
        { key: 'X-Own', value: 'first' },
        { key: 'x-own', value: 'second' },
      ],
    },
  ];
  const files = { 'a/b.png': '', '404.html': 'gone', 'x.data': '0123456789', 'tagged.txt': '', 'twice.txt': '' };
  const { get } = await serveSite(t, { headers }, files);
  assert.equal((await get('/a/b.png')).fields['cache-control'], 'max-age=7200');
  const gone = await get('/none');
  assert.deepEqual([gone.status, gone.body, gone.fields['cache-control']], [404, 'gone', 'max-age=300']);
  assert.match(String(gone.fields['content-type']), /^text\/html/);
  for (const range of [undefined, 'bytes=2-4', 'bytes=0-1,4-5']) {
    const { fields, status, body } = await get('/x.data', range === undefined ? {} : { range });
    assert.equal(status, range === undefined ? 200 : 206);
    assert.equal(fields['x-content-type-options'], undefined);
    assert.equal(fields['last-modified'], undefined);
    assert.equal(fields['access-control-allow-origin'], '*');
    if (range?.includes(',')) assert.match(body, /Content-Type: application\/x-own\r\n/);
    else assert.equal(fields['content-type'], 'application/x-own');
  }
  const tagged = await get('/tagged.txt');
  assert.equal(tagged.fields.etag, '"v1"');
  assert.equal((await get('/tagged.txt', { 'if-none-match': '"v1"' })).status, 304);
  assert.equal((await get('/tagged.txt', { 'if-none-match': '"v2"' })).status, 200);
  assert.equal((await get('/tagged.txt', { range: 'bytes=0-2', 'if-range': '"v1"' })).status, 206);
  assert.equal((await get('/tagged.txt', { range: 'bytes=0-2', 'if-range': '"v0"' })).status, 200);
  assert.equal((await get('/twice.txt')).fields['x-own'], 'second');
});

test('directoryListing: off, and for some paths', OUTCOME, async (t) => {
  const files = { 'assets/a.txt': '', 'assets/private/b.txt': '', 'other/c.txt': '', 'withindex/index.html': 'index' };
  const off = await serveSite(t, { directoryListing: false }, files);
  for (const path of ['/', '/assets', '/assets/', '/assets/?json'])
    assert.equal((await off.get(path)).status, 404, path);
  assert.equal((await off.get('/withindex')).body, 'index');
  const some = await serveSite(t, { directoryListing: ['/assets/**', '/!assets/private'] }, files);
  assert.equal((await some.get('/assets/private/')).status, 200);
  assert.equal((await some.get('/other/')).status, 404);
  assert.equal((await some.get('/')).status, 404);
  const single = await serveSite(t, { directoryListing: false, renderSingle: true }, { 'two/a': '', 'two/b': '' });
  assert.equal((await single.get('/two/')).status, 404, 'renderSingle does not bring the listing back');
});

test('unlisted: not in the listing, and still there', OUTCOME, async (t) => {
  const files = {
    'a.txt': '',
    'b.secret': '',
    'node_modules/x': '',
    'sub/b.secret': '',
    'sub/c.txt': '',
    'ü "x".txt': '',
  };
  const { get } = await serveSite(t, { unlisted: ['*.secret', 'node_modules'] }, files);
  const names = async (path: string): Promise<string[]> =>
    (JSON.parse((await get(path)).body) as { entries: { name: string }[] }).entries.map(({ name }) => name);
  assert.deepEqual(await names('/?json'), ['sub', 'a.txt', 'ü "x".txt']);
  assert.deepEqual(await names('/sub/?json'), ['c.txt']);
  assert.equal((await get('/b.secret')).body, 'b.secret');
  assert.equal((await get('/')).body.includes('secret'), false);
});

test('trailingSlash: true and false', OUTCOME, async (t) => {
  const files = { 'test.html': 'test', 'dir/a.txt': 'a', 'dir/index/x': '', 'list/b.txt': '' };
  const on = await serveSite(t, { trailingSlash: true }, files);
  for (const [from, to] of Object.entries({
    '/test': '/test/',
    '/test?q': '/test/?q',
    '/list': '/list/',
    '/test.html': '/test',
  })) {
    const { status, location } = await on.get(from);
    assert.deepEqual([status, location], [301, to], from);
  }
  assert.equal((await on.get('/test/')).body, 'test');
  assert.equal((await on.get('/dir/a.txt')).body, 'a');
  const off = await serveSite(t, { trailingSlash: false }, files);
  assert.equal((await off.get('/test/?q')).location, '/test?q');
  assert.equal((await off.get('/test')).body, 'test');
  assert.equal((await off.get('/none/')).location, '/none');
  assert.equal((await off.get('/list')).location, './list/', 'a listing has its slash');
  assert.match((await off.get('/list/')).body, /href="b\.txt"/);
  assert.match((await off.get('/list/?json')).body, /"b\.txt"/);
});

test('renderSingle: one file alone in its directory', OUTCOME, async (t) => {
  const files = {
    'one/a.png': 'picture',
    'one/.DS_Store': '',
    'two/a.txt': '',
    'two/b.txt': '',
    'deep/one/a.txt': 'deep',
  };
  const { get } = await serveSite(t, { renderSingle: true }, files);
  for (const path of ['/one', '/one/']) {
    const { body, fields } = await get(path);
    assert.deepEqual([body, fields['content-type']], ['picture', 'image/png']);
  }
  assert.match((await get('/two/')).body, /href="b\.txt"/);
  assert.match((await get('/deep/')).body, /href="one\/"/, 'a directory alone is no file');
});

test('symlinks and etag: no link leads out whatever is said, and the tags are ours', OUTCOME, async (t) => {
  for (const symlinks of [true, false]) {
    const folder = await temporaryFolder(t);
    const root = join(folder, 'root');
    await makeFiles(folder, {
      'root/in/a.txt': 'inside',
      'outside/secret.txt': 'secret',
      'outside/index.html': 'secret',
    });
    await symlink(join('in', 'a.txt'), join(root, 'link'));
    await symlink(join('..', 'outside'), join(root, 'dir'));
    await symlink(join('..', 'outside', 'secret.txt'), join(root, 'file.txt'));
    await symlink(join('..', 'outside', 'index.html'), join(root, '404.html'));
    const rules = { symlinks, etag: false, rewrites: [{ source: '/rewritten', destination: '/dir/secret.txt' }] };
    await writeFile(join(root, 'serve.json'), JSON.stringify(rules));
    const { port } = await serve(t, root, { share: await openLocalSource(root) });
    const inside = await ask(port, '/link');
    assert.equal(inside.body, 'inside');
    assert.match(String(inside.fields.etag), /^(?:W\/)?"/);
    for (const path of ['/dir', '/dir/', '/dir/secret.txt', '/file.txt', '/rewritten', '/none', '/dir/index', '/404']) {
      const { status, body } = await ask(port, path);
      assert.ok([301, 404].includes(status), path);
      assert.doesNotMatch(body, /secret/, path);
    }
  }
});

test('error pages: <status>.html of the site', OUTCOME, async (t) => {
  const files = { '404.html': 'own 404', '400.html': 'own 400', '403.html': 'own 403', 'closed/': '' };
  const { get, source } = await serveSite(t, {}, files);
  assert.deepEqual([(await get('/none')).status, (await get('/none')).body], [404, 'own 404']);
  assert.deepEqual([(await get('/%zz')).status, (await get('/%zz')).body], [400, 'own 400']);
  const head = await get('/none', {}, 'HEAD');
  assert.deepEqual([head.status, head.body, head.fields['content-length']], [404, '', '7']);
  const long = await get(`/${'a/'.repeat(600)}`);
  assert.equal(long.status, 414);
  assert.ok(source);
  const plain = await serveSite(t, {}, {});
  assert.deepEqual([(await plain.get('/none')).status, (await plain.get('/none')).body], [404, '404 Not Found\n']);
  await mkdir(join(plain.root, '404.html'));
  assert.equal((await plain.get('/none')).body, '404 Not Found\n');
});

test('single: what is not there is index.html', OUTCOME, async (t) => {
  const { get } = await serveSite(
    t,
    undefined,
    { 'index.html': 'app', 'a.js': 'script', 'sub/b.css': 'style' },
    { single: true },
  );
  for (const path of ['/', '/any', '/any/where/else?x', '/none.js', '/sub', '/%C3%A9%20/x', '/%e9/x']) {
    const { status, body } = await get(path);
    assert.deepEqual([status, body], [200, 'app'], path);
  }
  assert.equal((await get('/a.js')).body, 'script');
  assert.equal((await get('/sub/b.css')).body, 'style');
  assert.equal((await get('/any', {}, 'POST')).status, 405);
  const head = await get('/any', {}, 'HEAD');
  assert.deepEqual([head.status, head.body, head.fields['content-length']], [200, '', '3']);
});

test('what is compressed beside a page goes with the rules of the page', OUTCOME, async (t) => {
  const rules = {
    headers: [
      { source: 'app.js', headers: [{ key: 'Cache-Control', value: 'max-age=60' }] },
      { source: 'own.js', headers: [{ key: 'ETag', value: 'v1' }] },
    ],
  };
  const files = { 'app.js': 'plain', 'app.js.gz': 'packed', 'own.js': 'plain', 'own.js.gz': 'packed' };
  const { get } = await serveSite(t, rules, files);
  const packed = await get('/app.js', { 'accept-encoding': 'gzip' });
  assert.deepEqual([packed.body, packed.fields['content-encoding']], ['packed', 'gzip']);
  assert.equal(packed.fields['cache-control'], 'max-age=60');
  assert.match(String(packed.fields['content-type']), /^text\/javascript/);
  const own = await get('/own.js', { 'accept-encoding': 'gzip' });
  assert.deepEqual([own.body, own.fields['content-encoding'], own.fields.etag], ['plain', undefined, '"v1"']);
});
