import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CookieJar, parseCookies } from '#xfer/transports/http/client/cookies.js';
import { open, readText, serve } from '../hostile-server.js';

const NOW = 1_800_000_000_000;
const FILE = [
  '# Netscape HTTP Cookie File',
  'host.example\tFALSE\t/\tFALSE\t0\tsession\ts1',
  '.wide.example\tTRUE\t/deep\tFALSE\t1900000000\twide\tw1',
  '#HttpOnly_.safe.example\tTRUE\t/\tTRUE\t0\tsafe\tx y',
  'host.example\tFALSE\t/\tFALSE\t1700000000\told\tgone',
  'host.example\tFALSE\t/deep\tFALSE\t0\tlonger\tfirst',
  '',
].join('\n');

test('a cookie goes to its host, its paths and its scheme, until it ends', () => {
  const jar = parseCookies(FILE, 'c');
  const of = (url: string) => jar.fieldFor(new URL(url), NOW);
  assert.equal(of('http://host.example/'), 'session=s1');
  assert.equal(of('http://host.example/deep/er'), 'longer=first; session=s1');
  assert.equal(of('http://sub.host.example/'), undefined);
  assert.equal(of('http://a.wide.example/deep'), 'wide=w1');
  assert.equal(of('http://wide.example/deeper'), undefined);
  assert.equal(of('http://evilwide.example/deep'), undefined);
  assert.equal(of('https://safe.example/'), 'safe=x y');
  assert.equal(of('http://safe.example/'), undefined);
});

test('a line that is no cookie is refused by its number, and not repeated', () => {
  for (const line of [
    'secret',
    'h\tFALSE\t/\tFALSE\tnever\tn\tv',
    'h\tFALSE\t/\tFALSE\t0\tn\tv;w',
    'h\tFALSE\tx\tFALSE\t0\tn\tv',
  ]) {
    assert.throws(
      () => parseCookies(`# c\n${line}`, 'jar.txt'),
      (error: Error) => {
        assert.match(error.message, /cookies jar\.txt: line 2 /);
        return !error.message.includes(line);
      },
    );
  }
});

test('what an answer sets is for its host alone, whatever domain it names', () => {
  const jar = new CookieJar();
  const from = new URL('http://a.example/in/file');
  jar.take(from, ['one=1; Domain=example; Path=/', 'two=2', 'three=3; Secure', 'bad name=x', 'four=4; Max-Age=0'], NOW);
  assert.equal(jar.fieldFor(new URL('http://a.example/in/x'), NOW), 'two=2; one=1');
  assert.equal(jar.fieldFor(new URL('http://a.example/'), NOW), 'one=1');
  assert.equal(jar.fieldFor(new URL('http://b.example/'), NOW), undefined);
  jar.take(from, ['one=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], NOW);
  assert.equal(jar.fieldFor(new URL('http://a.example/'), NOW), undefined);
});

test('a redirect to the same place that sets a cookie is no circle', { timeout: 10_000 }, async (t) => {
  const seen: (string | undefined)[] = [];
  const url = await serve(t, (request, response) => {
    seen.push(request.headers.cookie);
    if (request.headers.cookie?.includes('ok=1')) response.end('body');
    else response.writeHead(302, { location: request.url, 'set-cookie': 'ok=1' }).end();
  });
  const source = await open(t, `${url}/f`, { cookies: { text: '127.0.0.1\tFALSE\t/\tFALSE\t0\tmine\tm', file: 'c' } });
  assert.equal(await readText(source), 'body');
  assert.deepEqual(seen, ['mine=m', 'mine=m; ok=1']);
  await assert.rejects(open(t, `${url}/f`), { code: 'PROTOCOL', message: /circle/ });
});
