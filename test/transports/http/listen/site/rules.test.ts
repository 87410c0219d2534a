/** What a serve.json may say. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseRules } from '#xfer/transports/http/listen/site/rules.js';
import { openLocalSource } from '#xfer/transports/local/source.js';
import { failsWith } from '../../../../support/fails-with.js';
import { serve, temporaryFolder } from '../rig.js';
import { ask, makeFiles } from './site-rig.js';

test('what is not right is said with its key', () => {
  const rule = { source: '/a', destination: '/b' };
  const rows: [unknown, string][] = [
    [[], 'serve.json: must be an object'],
    [null, 'serve.json: must be an object'],
    [{ cleanUrl: true }, 'serve.json: unknown key cleanUrl'],
    [{ cleanUrls: 'yes' }, 'serve.json: cleanUrls: must be a list'],
    [{ cleanUrls: [1] }, 'serve.json: cleanUrls[0]: must be text'],
    [{ trailingSlash: 1 }, 'serve.json: trailingSlash: must be true or false'],
    [{ symlinks: 'no' }, 'serve.json: symlinks: must be true or false'],
    [{ public: '../out' }, 'serve.json: public: not a directory below the served one'],
    [{ public: '/etc' }, 'serve.json: public: not a directory below the served one'],
    [{ rewrites: [rule, { source: '/a' }] }, 'serve.json: rewrites[1].destination: is missing'],
    [{ rewrites: [{ ...rule, type: 301 }] }, 'serve.json: rewrites[0]: unknown key type'],
    [{ redirects: [{ ...rule, type: 200 }] }, 'serve.json: redirects[0].type: none of 301, 302, 303, 307, 308'],
    [{ redirects: [{ ...rule, destination: 'javascript:alert(1)' }] }, 'serve.json: redirects[0].destination: neither'],
    [{ redirects: [{ ...rule, destination: '/a\r\nX: 1' }] }, 'serve.json: redirects[0].destination: neither'],
    [{ redirects: Array(257).fill(rule) }, 'serve.json: redirects: more than 256 of them'],
    [{ unlisted: ['x'.repeat(257)] }, 'serve.json: unlisted[0]: longer than 256 characters'],
    [{ headers: [{ source: '*' }] }, 'serve.json: headers[0].headers: is missing'],
  ];
  const field = (key: unknown, value: unknown) => ({ headers: [{ source: '*', headers: [{ key, value }] }] });
  for (const key of ['Content-Length', 'transfer-encoding', 'CONNECTION', 'Content-Range', 'Upgrade', 'Trailer']) {
    rows.push([field(key, 'x'), `serve.json: headers[0].headers[0].key: ${key} is set by the server itself`]);
  }
  for (const key of ['', 'a b', 'a:', 'a\r\nb', 'é']) {
    rows.push([field(key, 'x'), 'serve.json: headers[0].headers[0].key: not the name of a header field']);
  }
  for (const value of ['a\r\nSet-Cookie: x', 'a\0', '\u2028', 'a\n']) {
    rows.push([field('X-A', value), 'serve.json: headers[0].headers[0].value: holds a character that no header']);
  }
  for (const [value, message] of rows) {
    assert.throws(
      () => parseRules(JSON.stringify(value), 'serve.json'),
      (error: Error & { code?: string }) => error.code === 'USAGE' && error.message.startsWith(message),
      message,
    );
  }
  assert.throws(() => parseRules('{', 'serve.json'), { code: 'USAGE' });
  for (const key of ['constructor', '__proto__', 'toString']) {
    assert.throws(() => parseRules(`{"${key}": true}`, 'serve.json'), failsWith('USAGE', /unknown key/));
  }
});

test('what cannot work is said before anything is served', { timeout: 60_000 }, async (t) => {
  const root = await temporaryFolder(t);
  await makeFiles(root, { 'index.html': '', 'a.txt': '' });
  const share = await openLocalSource(root);
  const start = async (text: string): Promise<unknown> => {
    await writeFile(join(root, 'serve.json'), text);
    return serve(t, root, { share });
  };
  const rewrite = (source: string, destination = '/index.html') =>
    start(JSON.stringify({ rewrites: [{ source, destination }] }));
  await assert.rejects(start('{'), failsWith('USAGE', /^serve\.json: not JSON/));
  await assert.rejects(start(`"${'x'.repeat(300_000)}"`), failsWith('USAGE', /larger than/));
  await assert.rejects(start('{"public": "none"}'), failsWith('NOT_FOUND', /public: no directory none/));
  await assert.rejects(start('{"public": "a.txt"}'), failsWith('NOT_FOUND', /public: no directory/));
  await assert.rejects(
    rewrite('/a/:id', '/:other'),
    failsWith('USAGE', /^serve\.json: rewrites\[0\]\.destination: :other is not in its source \/a\/:id$/),
  );
  await assert.rejects(rewrite('/a/([)'), failsWith('USAGE', /rewrites\[0\]\.source: not a pattern/));
  const busy = ['/a/:x([^]+)+/end', '/(a+a+a+a+a+a+a+a+)b', '+(+(a|aa)|a)b'];
  for (const source of busy)
    await assert.rejects(rewrite(source), failsWith('USAGE', /keep this pattern busy/), source);
  // Between the stars may stand what is no letter.
  for (const pattern of ['/*,*,*,*,*,*x', '/*=*&*=*&*=*x', '**/*~*~*~*~*.html', '/*é*é*é*é*z', '/+(é|éé)']) {
    await assert.rejects(
      start(JSON.stringify({ cleanUrls: [pattern] })),
      failsWith('USAGE', /^serve\.json: cleanUrls\[0\]: a long path would keep/),
      pattern,
    );
  }
  await assert.rejects(
    start(JSON.stringify({ unlisted: ['*a*a*a*a*a*a*b'] })),
    failsWith('USAGE', /^serve\.json: unlisted\[0\]: a long path would keep/),
  );
  await start('\ufeff{"$schema": "https://json.schemastore.org/serve.json", "cleanUrls": false}');
});

test('where a site is one, and where it is not', { timeout: 20_000 }, async (t) => {
  const root = await temporaryFolder(t);
  await makeFiles(root, {
    'about.html': 'about',
    'serve.json': '{"trailingSlash": true}',
    'package.json': '{"static": 1}',
  });
  const notices: string[] = [];
  const onNotice = (line: string): void => void notices.push(line);
  const share = await openLocalSource(root);
  const byRules = await serve(t, root, { share, onNotice });
  assert.equal((await ask(byRules.port, '/about')).location, '/about/');
  assert.match(notices.join(), /by the rules of its serve\.json/);
  const never = await serve(t, root, { share, site: false });
  assert.equal((await ask(never.port, '/about')).status, 404);
  assert.equal((await ask(never.port, '/serve.json')).status, 200);
  const file = await openLocalSource(join(root, 'about.html'));
  await assert.rejects(serve(t, root, { share: file, site: true }), failsWith('USAGE', /a site is one directory/));
  await assert.rejects(serve(t, root, { share: file, single: true }), failsWith('USAGE', /a site is one directory/));
  assert.equal((await ask((await serve(t, root, { share: file })).port, '/about.html')).body, 'about');
  const rules = await openLocalSource(join(root, 'serve.json'));
  assert.match((await ask((await serve(t, root, { share: rules })).port, '/serve.json')).body, /trailingSlash/);
});
