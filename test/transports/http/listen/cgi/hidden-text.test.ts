/** The text of a script is not had by any spelling or way. */
import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ScriptlessShare } from '#xfer/transports/http/listen/cgi/scriptless-share.js';
import { openLocalSource } from '#xfer/transports/local/source.js';
import { failsWith } from '../../../../support/fails-with.js';
import { collectEntries } from '../../../../support/fixtures.js';
import { exchange, serve, temporaryFolder } from '../rig.js';
import { ask, makeFiles } from '../site/site-rig.js';
import { HEAD, serveScripts } from './cgi-rig.js';

const scope = { signal: new AbortController().signal };
const SCRIPT = `# MARKER\n${HEAD}; echo ran`;

test('no spelling of its address', { timeout: 60_000 }, async (t) => {
  for (const site of [false, true]) {
    const { port } = await serveScripts(t, { 'cgi-bin/x.sh': SCRIPT }, {}, { files: { 'a/b': '' }, options: { site } });
    const spellings = [
      '/cgi-bin/x.sh',
      'cgi-bin/x.sh',
      '//cgi-bin/x.sh',
      '///nocgi.py/../cgi-bin/x.sh',
      '////////nocgi.py/../cgi-bin/x.sh',
      '/a/../cgi-bin/x.sh',
      '/./cgi-bin/x.sh',
      '/cgi-bin/./x.sh',
      '/cgi-bin//x.sh',
      '/cgi-bin/../cgi-bin/x.sh',
      '/cgi-bin%2fx.sh',
      '/cgi-bin%2Fx.sh',
      '/%63gi-bin/x.sh',
      '/cgi%2dbin/x%2esh',
      '/cgi-bin/x.sh/',
      '/cgi-bin/x.sh/..',
      '/cgi-bin/x.sh%2f',
      '/cgi-bin/x.sh%00',
      '/cgi-bin/x.sh%20',
      '/cgi-bin/x.sh.',
      '/cgi-bin/x.sh::$DATA',
      '/cgi-bin\\x.sh',
      '/cgi-bin%5cx.sh',
      '/CGI-BIN/x.sh',
      '/Cgi-Bin/X.SH',
      '/cgi-bin/X.SH',
      '/cgi-bin/x.sh?json',
      '/?archive=zip',
      '/cgi-bin/?archive=tar',
      '/?json',
      'http://other.example/cgi-bin/x.sh',
      // How the peer of this feature shortens a path, in its own tests.
      ...[
        '',
        '/',
        '/..',
        '/../a',
        '/a/..',
        '/a/b/../..',
        '/.',
        '//a',
        '///a',
        '/a/./b/../c',
        '/a//b',
        '/a/b/../../c',
      ].map((start) => `${start}/../cgi-bin/x.sh`),
    ];
    for (const spelling of spellings) {
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS', 'PROPFIND']) {
        const text = `${method} ${spelling} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nRange: bytes=0-99\r\n\r\n`;
        assert.doesNotMatch(await exchange(port, text), /MARKER/, `${method} ${spelling}`);
      }
    }
    assert.equal((await ask(port, '/%63gi-bin/x.sh')).body, 'ran\n');
    const archive = (await ask(port, '/?archive=tar')).body;
    assert.doesNotMatch(archive, /cgi-bin|MARKER/);
    if (!site) assert.match(archive, /a\/b/);
    assert.doesNotMatch((await ask(port, '/?json')).body, /cgi-bin/);
    assert.doesNotMatch((await ask(port, '/')).body, /cgi-bin|x\.sh/);
  }
});

test('no link to it, and no rule of a site', { timeout: 20_000 }, async (t) => {
  const rules = {
    cleanUrls: false,
    rewrites: [
      { source: '/rewritten', destination: '/cgi-bin/x.sh' },
      { source: '/any/:a/:b', destination: '/:a/:b' },
    ],
    renderSingle: true,
  };
  const files = { 'pub/a.txt': 'a', 'serve.json': JSON.stringify(rules) };
  const { port, root } = await serveScripts(t, { 'cgi-bin/x.sh': SCRIPT }, {}, { files });
  await symlink(join('..', 'cgi-bin', 'x.sh'), join(root, 'pub', 'link.txt'));
  await symlink('cgi-bin', join(root, 'dir'));
  await symlink('dir', join(root, 'dir2'));
  await symlink(join('..', 'cgi-bin', 'x.sh'), join(root, 'pub', 'index.html'));
  await symlink(join('cgi-bin', 'x.sh'), join(root, '404.html'));
  for (const path of [
    '/pub/link.txt',
    '/dir/x.sh',
    '/dir2/x.sh',
    '/dir',
    '/dir/',
    '/pub/',
    '/rewritten',
    '/any/cgi-bin/x.sh',
  ]) {
    const { body, status } = await ask(port, path);
    assert.doesNotMatch(body, /MARKER|x\.sh|link\.txt/, path);
    assert.ok([200, 301, 404].includes(status), path);
  }
});

test('the share without its scripts', { timeout: 20_000 }, async (t) => {
  const root = await temporaryFolder(t);
  await makeFiles(root, { 'cgi-bin/x.sh': 'MARKER', 'cgi-bin/sub/y': 'MARKER', 'a.txt': 'a', 'pub/b.txt': 'b' });
  await symlink(join('..', 'cgi-bin', 'x.sh'), join(root, 'pub', 'link'));
  await symlink('cgi-bin', join(root, 'dir'));
  const whole = await openLocalSource(root);
  const share = new ScriptlessShare(whole, ['cgi-bin']);
  assert.deepEqual([...(await collectEntries(share, scope)).keys()].sort(), ['', 'a.txt', 'pub', 'pub/b.txt']);
  const names = async (path: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const entry of share.list(path, scope)) found.push(entry.path);
    return found.sort();
  };
  assert.deepEqual(await names(''), ['a.txt', 'pub']);
  assert.deepEqual(await names('pub'), ['pub/b.txt']);
  for (const path of ['cgi-bin', 'dir', 'cgi-bin/sub']) await assert.rejects(names(path), failsWith('NOT_FOUND'));
  for (const path of ['cgi-bin/x.sh', 'dir/x.sh', 'pub/link', 'cgi-bin/sub/y', 'dir/sub/y']) {
    assert.equal(await share.stat(path, scope), undefined);
    await assert.rejects(share.open(path, scope), failsWith('NOT_FOUND'));
    const entry = { path, kind: 'file', size: 6 } as const;
    await assert.rejects(share.read(entry, { start: 0 }, scope), failsWith('NOT_FOUND'));
  }
  await share.open('a.txt', scope).then((file) => file.close());
  // A directory that is moved away and made anew is the directory of scripts still, and the old one is none.
  await rename(join(root, 'cgi-bin'), join(root, 'old'));
  await mkdir(join(root, 'cgi-bin'));
  await writeFile(join(root, 'cgi-bin', 'z'), 'MARKER');
  await assert.rejects(share.open('dir/z', scope), failsWith('NOT_FOUND'));
  assert.equal((await share.stat('old/x.sh', scope))?.kind, 'file');
  await rm(join(root, 'cgi-bin'), { recursive: true });
  assert.equal((await share.stat('a.txt', scope))?.kind, 'file');
});

test('no link that is put in the way of it between a look and the open', { timeout: 20_000 }, async (t) => {
  const root = await temporaryFolder(t);
  await makeFiles(root, { 'cgi-bin/x.sh': 'MARKER', 'pub/x.sh': 'plain', 'away/x.sh': 'plain' });
  const whole = await openLocalSource(root);
  const swapped = new ScriptlessShare(
    new Proxy(whole, {
      get(target, name) {
        if (name !== 'open')
          return Reflect.get(target, name, target)?.bind?.(target) ?? Reflect.get(target, name, target);
        return async (path: string) => {
          await rename(join(root, 'pub'), join(root, 'kept'));
          await symlink('cgi-bin', join(root, 'pub'));
          const file = await target.open(path, scope);
          await rm(join(root, 'pub'));
          await rename(join(root, 'kept'), join(root, 'pub'));
          return file;
        };
      },
    }),
    ['cgi-bin'],
  );
  if (process.platform === 'linux') await assert.rejects(swapped.open('pub/x.sh', scope), failsWith('NOT_FOUND'));
  // The directory of scripts may be a link itself.
  await rename(join(root, 'cgi-bin'), join(root, 'scripts'));
  await symlink('scripts', join(root, 'cgi-bin'));
  if (process.platform === 'linux') await assert.rejects(swapped.open('pub/x.sh', scope), failsWith('NOT_FOUND'));
  await new ScriptlessShare(whole, ['cgi-bin']).open('away/x.sh', scope).then((file) => file.close());
});

test('what cannot hold scripts', { timeout: 10_000 }, async (t) => {
  const root = await temporaryFolder(t);
  await makeFiles(root, { 'cgi-bin': 'file', 'a.txt': '' });
  const share = await openLocalSource(root);
  const start = (directories?: string[]) => serve(t, root, { share, cgi: directories ? { directories } : {} });
  await assert.rejects(start(), failsWith('NOT_FOUND', /no such directory in/));
  await assert.rejects(start(['none']), failsWith('NOT_FOUND'));
  for (const path of ['', '..', '../x', '/abs', 'a//b']) await assert.rejects(start([path]), failsWith('USAGE'), path);
  const { place: _, ...rest } = { ...share, place: undefined, stat: share.stat, list: share.list, open: share.open };
  assert.equal(_, undefined);
  await assert.rejects(
    serve(t, root, {
      share: { ...rest, entries: share.entries, read: share.read, close: share.close, stat: share.stat.bind(share) },
      cgi: {},
    }),
    failsWith('UNSUPPORTED', /on no disk/),
  );
});
