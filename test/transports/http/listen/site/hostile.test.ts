/** What strangers ask of a site. */
import assert from 'node:assert/strict';
import { chmod, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLocalSource } from '#xfer/transports/local/source.js';
import { assertNoMoreThan, countOpen } from '../../../../support/leaks.js';
import { diskSource, exchange, get as rawGet, serve, temporaryFolder, until } from '../rig.js';
import { makeFiles, serveSite } from './site-rig.js';

const RULES = {
  cleanUrls: ['/**'],
  rewrites: [
    { source: '/app/**', destination: '/index.html' },
    { source: '**/edit', destination: '/edit.html' },
    { source: '/files/:rest*', destination: '/:rest' },
  ],
  redirects: [
    { source: '/old/**', destination: '/new' },
    { source: '**/gone', destination: '/' },
    { source: '/to/:where', destination: '/:where' },
  ],
  headers: [{ source: '**/*.@(png|jpg)', headers: [{ key: 'X-Own', value: 'v' }] }],
  trailingSlash: true,
  unlisted: ['**/secret*'],
};

test('no spelling leaves the site, by whatever rule', { timeout: 60_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  await makeFiles(folder, {
    'root/index.html': 'home',
    'root/in/.hidden': 'MARKER',
    'root/.env': 'MARKER',
    'root/.git/config': 'MARKER',
    'root/.well-known/acme': 'token',
    'root_evil/secret': 'MARKER',
    secret: 'MARKER',
    'secret.html': 'MARKER',
    '404.html': 'MARKER',
  });
  const root = join(folder, 'root');
  for (const rules of [RULES, { ...RULES, trailingSlash: false }, {}, { renderSingle: true, cleanUrls: false }]) {
    await writeFile(join(root, 'serve.json'), JSON.stringify(rules));
    const { port, listener } = await serve(t, root, { share: await openLocalSource(root) });
    const ups = ['..', '%2e%2e', '.%2e', '..%2f', '%2e%2e%2f', '..%5c', '%252e%252e', '..%00', '%2e%2e%5c', '.'];
    const ends = ['secret', 'root_evil/secret', '404', '.env', '.git/config', 'in/.hidden', 'serve.json', '%2eenv'];
    const starts = ['', 'in/', 'files/', 'to/', 'app/', '/', 'files/in/', 'old/..%2f'];
    const paths = starts.flatMap((start) => ups.flatMap((up) => ends.map((end) => `/${start}${up}/${end}`)));
    paths.push(...starts.flatMap((start) => ends.map((end) => `/${start}${end}`)));
    for (let at = 0; at < paths.length; at += 64) {
      const batch = paths.slice(at, at + 64);
      const text = batch.map((path) => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`).join('');
      const answers = await exchange(port, `${text}GET /end HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`);
      assert.doesNotMatch(answers, /MARKER/, batch.join(' '));
      assert.doesNotMatch(answers, /cleanUrls|rewrites/, 'the rules themselves');
      assert.equal(answers.match(/HTTP\/1\.1 \d/g)?.length, batch.length + 1);
    }
    const known = await rawGet(port, `/.well-known/acme${'trailingSlash' in rules && rules.trailingSlash ? '/' : ''}`);
    assert.match(known, /^HTTP\/1\.1 (?:200 [\s\S]*token|404 )/);
    await listener.close();
  }
});

test('an address for well-known things is answered', { timeout: 10_000 }, async (t) => {
  const { get } = await serveSite(t, {}, { '.well-known/acme-challenge/t': 'token', 'a/.well-known/x': 'MARKER' });
  assert.equal((await get('/.well-known/acme-challenge/t')).body, 'token');
  assert.equal((await get('/a/.well-known/x')).status, 404);
  assert.doesNotMatch((await get('/')).body, /well-known/);
});

test('no redirect leads to another host or breaks out of its field', { timeout: 20_000 }, async (t) => {
  for (const trailingSlash of [true, false, undefined]) {
    const rules = { ...RULES, ...(trailingSlash === undefined ? {} : { trailingSlash }) };
    const { port } = await serveSite(t, trailingSlash === undefined ? { ...rules, trailingSlash: undefined } : rules, {
      'evil.example/index.html': '',
      'list/a.txt': '',
    });
    for (const path of [
      '//evil.example/%2e%2e',
      '/\\evil.example',
      '/%5cevil.example/index.html',
      '/%5cevil.example/index',
      '//evil.example/index.html',
      '/%2f/evil.example/index.html',
      '/%09/evil.example.html',
      '/to/%5cevil.example',
      '/to/%2fevil.example',
      '/to//evil.example',
      '/to/%0d%0aX-Injected:%201',
      '/x%0d%0aX-Injected:%201.html',
      '/x%0d%0aX-Injected:%201/index',
      '/list?\r',
      '/list?%0d%0aX-Injected:1',
      'http://evil.example/list',
    ]) {
      const answer = await rawGet(port, path);
      const location = /^location: (.*)\r$/im.exec(answer)?.[1];
      if (location !== undefined) assert.match(location, /^(?:\/(?![/\\])|\.\/)[\x21-\x7e]*$/, path);
      assert.doesNotMatch(answer, /^X-Injected/im, path);
    }
  }
});

test('no path keeps a rule busy', { timeout: 60_000 }, async (t) => {
  const sources = ['/a/**', '**/x/edit', '/docs/:lang/**', '/**/b/**/c/**', '/a/*/b/*', '/:a-:b-:c', '**/*.@(jpg|png)'];
  const many = Array.from({ length: 200 }, (_, index) => ({
    source: `/n${index}${sources[index % sources.length]}`.replace('**/', '/**/').replace('//', '/'),
    destination: '/index.html',
  }));
  const rewrites = [...sources.map((source) => ({ source, destination: '/index.html' })), ...many];
  const headers = sources.map((source) => ({ source, headers: [{ key: 'X-Own', value: 'v' }] }));
  const { get } = await serveSite(
    t,
    { rewrites, redirects: rewrites, headers, cleanUrls: sources },
    { 'index.html': '' },
  );
  for (const unit of ['/x', 'a/', '-', 'a-', '.', 'a.', '%0a', '/%0a', '*', '/*', '{}', '%00', '/b/c', 'é']) {
    for (const start of ['/a', '/docs/en', '/n1/a', '/']) {
      for (const end of ['', '%0a', '~', '/edi']) {
        const path = (start + unit.repeat(8000)).slice(0, 8000).replace(/%.?$/, '') + end;
        const short = (start + unit.repeat(800)).slice(0, 900).replace(/%.?$/, '') + end;
        for (const target of [path, short]) {
          const startMs = performance.now();
          const { status } = await get(encodeURI(decodeSafely(target)));
          const tookMs = performance.now() - startMs;
          assert.ok(status >= 200 && status < 500, target.slice(0, 20));
          assert.ok(tookMs < 1500, `${Math.round(tookMs)} ms for ${target.slice(0, 40)}`);
        }
      }
    }
  }
});

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

test('2,000 tags that match and 2,000 hang-ups leave no file open', { timeout: 60_000 }, async (t) => {
  const root = await temporaryFolder(t);
  await makeFiles(root, { 'index.html': 'home', 'big.bin': 'x'.repeat(4 << 20), '404.html': 'gone' });
  const source = diskSource(root);
  const { get, port } = await serveSite(t, undefined, {}, { share: source });
  const { etag } = (await get('/')).fields;
  await new Promise((resolve) => setImmediate(resolve));
  const before = countOpen();
  const batch = `GET / HTTP/1.1\r\nHost: test\r\nIf-None-Match: ${etag}\r\n\r\n`.repeat(100);
  for (let round = 0; round < 20; round += 1) {
    const answers = await exchange(port, `${batch}GET /none HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`);
    assert.equal(answers.match(/HTTP\/1\.1 304 /g)?.length, 100);
  }
  for (let round = 0; round < 100; round += 1) {
    await Promise.all(Array.from({ length: 20 }, () => hangUp(port, '/big.bin')));
  }
  await until(() => source.opened === source.closed);
  await assertNoMoreThan(before);
  assert.equal((await get('/')).body, 'home');
});

/** Asks, waits for the first bytes, and goes. */
function hangUp(port: number, path: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`));
    socket.once('data', () => socket.destroy());
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
  });
}

test('ranges, If-Range and methods are ours in a site too', { timeout: 20_000 }, async (t) => {
  const { get, source } = await serveSite(t, undefined, { 'about.html': '0123456789' });
  const { fields } = await get('/about');
  const ask = async (extra: Record<string, string>) => {
    const { status, body } = await get('/about', extra);
    return [status, body];
  };
  assert.deepEqual(await ask({ range: 'bytes=2-3' }), [206, '23']);
  assert.equal((await ask({ range: 'bytes=0-1,5-6' }))[0], 206);
  assert.deepEqual(await ask({ range: 'bytes=2-3', 'if-range': '"stale"' }), [200, '0123456789']);
  assert.deepEqual(await ask({ range: 'bytes=20-' }), [416, '416 Range Not Satisfiable\n']);
  assert.deepEqual(await ask({ range: 'lines=1-2' }), [200, '0123456789']);
  assert.deepEqual(await ask({ 'if-match': '"x"' }), [412, '412 Precondition Failed\n']);
  assert.deepEqual(await ask({ 'if-none-match': `"x", ${fields.etag}` }), [304, '']);
  assert.deepEqual(await ask({ 'if-modified-since': String(fields['last-modified']) }), [304, '']);
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'TRACE']) {
    const { status, body } = await get('/about', {}, method);
    assert.equal(status, 405);
    assert.doesNotMatch(body, /0123/);
  }
  const head = await get('/about', {}, 'HEAD');
  assert.deepEqual([head.status, head.fields['content-length'], head.body], [200, '10', '']);
  assert.ok(source);
});

test('an unreadable file, one that is gone and a name that is not text', { timeout: 20_000 }, async (t) => {
  const { get, root, port } = await serveSite(t, {}, { 'closed.txt': 'MARKER', '403.html': 'own 403', 'a.html': '' });
  await chmod(join(root, 'closed.txt'), 0);
  if (process.getuid?.() !== 0) {
    const { status, body } = await get('/closed.txt');
    assert.deepEqual([status, body], [403, 'own 403']);
  }
  await symlink('loop', join(root, 'loop'));
  assert.equal((await get('/loop')).status, 404);
  assert.equal((await get(`/${'n'.repeat(300)}`)).status, 404);
  if (process.platform !== 'linux') return;
  await writeFile(Buffer.concat([Buffer.from(`${root}/n`), Buffer.of(0xe9), Buffer.from('.html')]), 'odd');
  for (const path of ['/n%e9.html', '/n%e9'])
    assert.match(await rawGet(port, path), /^HTTP\/1\.1 200 [\s\S]*odd$/, path);
  await writeFile(join(root, 'q?#.html'), 'question');
  for (const path of ['/q%3f%23.html', '/q%3F%23']) assert.equal((await get(path)).body, 'question', path);
});
