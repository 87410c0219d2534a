/** Scripts that answer, as `python3 -m http.server --cgi` and RFC 3875 have it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AccessRecord } from '#xfer/transports/http/listen/index.js';
import { readVersion } from '#xfer/version.js';
import { patternBytes } from '../../../../support/fixtures.js';
import { needs } from '../../../../support/peers.js';
import { exchange, get as rawGet, until } from '../rig.js';
import { ask } from '../site/site-rig.js';
import { HEAD, post, serveScripts } from './cgi-rig.js';

const ANY_TIME = { timeout: 30_000 };

test('a script of sh says hello, in its own directory and without arguments', ANY_TIME, async (t) => {
  const { port, root, notices } = await serveScripts(t, {
    'cgi-bin/hello': `${HEAD}; echo "Hello $#"; pwd; echo to the log >&2`,
    'cgi-bin/deep/er/hello': `${HEAD}; pwd`,
  });
  const hello = await ask(port, '/cgi-bin/hello?-s&%20x');
  assert.equal(hello.status, 200);
  assert.equal(hello.fields['content-type'], 'text/plain');
  assert.equal(hello.body, `Hello 0\n${join(root, 'cgi-bin')}\n`);
  assert.deepEqual(notices, ['cgi /cgi-bin/hello: to the log']);
  assert.equal((await ask(port, '/cgi-bin/deep/er/hello')).body, `${join(root, 'cgi-bin/deep/er')}\n`);
});

test('a script of python3 reads a form', { ...ANY_TIME, ...needs('python3') }, async (t) => {
  const { port } = await serveScripts(t, {
    'cgi-bin/form.py': [
      '#!/usr/bin/env python3',
      'import os, sys, urllib.parse',
      'body = sys.stdin.buffer.read(int(os.environ["CONTENT_LENGTH"])).decode()',
      'form = urllib.parse.parse_qs(body)',
      'print("Content-Type: text/html; charset=utf-8\\nX-Form: yes\\n")',
      'print("%s, %s, %s" % (form["spam"][0], form["eggs"][0], os.environ["CONTENT_TYPE"]))',
    ].join('\n'),
  });
  const type = 'application/x-www-form-urlencoded';
  const { status, fields, body } = await post(port, '/cgi-bin/form.py', Buffer.from('spam=1&eggs=a%20b'), {
    'content-type': type,
  });
  assert.deepEqual([status, fields['x-form'], body.toString()], [200, 'yes', `1, a b, ${type}\n`]);
});

test('the environment is what is listed, and no more', ANY_TIME, async (t) => {
  const before = { ...process.env };
  process.env.XFER_TEST_SECRET = 'secret';
  t.after(() => delete process.env.XFER_TEST_SECRET);
  const { port, root } = await serveScripts(t, { 'cgi-bin/env': `${HEAD}; exec env` });
  const fields = [
    'Authorization: Basic c2VjcmV0',
    'Proxy-Authorization: Basic c2VjcmV0',
    'Proxy: http://evil.example/',
    'X-Own-Field: ü',
    'X_Own_Field: shadow',
    'X-Named: hop',
    'Accept: text/html',
    'Accept: text/plain',
    'Cookie: a=1',
    'Cookie: b=2',
    'Content-Type: text/x-own; a="b"',
    'Content-Length: 3',
    'TE: trailers',
    'Keep-Alive: 3',
  ];
  const target = '/cgi-bin/env/path%20info/%C3%A9/?a=b?c=d&//q//p//=//%C3%A9%2F';
  const answer = await exchange(
    port,
    `POST ${target} HTTP/1.1\r\nHost: own.example:81\r\nConnection: close, X-Named\r\n${Buffer.from(fields.join('\r\n')).toString('latin1')}\r\n\r\nabc`,
  );
  const body = Buffer.from(answer.slice(answer.indexOf('\r\n\r\n') + 4), 'latin1').toString();
  const found = Object.fromEntries(
    [...body.matchAll(/^([A-Za-z_0-9]+)=(.*)$/gm)].map(([, name, value]) => [name as string, value as string]),
  );
  // The shell's own, whoever starts it.
  for (const name of ['PWD', 'SHLVL', '_', 'OLDPWD']) delete found[name];
  assert.deepEqual(found, {
    CONTENT_LENGTH: '3',
    CONTENT_TYPE: 'text/x-own; a="b"',
    GATEWAY_INTERFACE: 'CGI/1.1',
    HTTP_ACCEPT: 'text/html, text/plain',
    HTTP_COOKIE: 'a=1; b=2',
    HTTP_HOST: 'own.example:81',
    HTTP_X_OWN_FIELD: 'ü',
    PATH: process.env.PATH,
    PATH_INFO: '/path info/é/',
    PATH_TRANSLATED: `${root}/path info/é/`,
    QUERY_STRING: 'a=b?c=d&//q//p//=//%C3%A9%2F',
    REMOTE_ADDR: '127.0.0.1',
    REMOTE_HOST: '127.0.0.1',
    REQUEST_METHOD: 'POST',
    SCRIPT_NAME: '/cgi-bin/env',
    SERVER_NAME: 'own.example',
    SERVER_PORT: String(port),
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_SOFTWARE: `xfer/${readVersion()}`,
  });
  const plain = (await ask(port, '/cgi-bin/env')).body;
  assert.doesNotMatch(plain, /CONTENT_|PATH_TRANSLATED|secret/);
  assert.match(plain, /^PATH_INFO=$/m);
  assert.match(plain, /^QUERY_STRING=$/m);
  delete process.env.XFER_TEST_SECRET;
  assert.deepEqual({ ...process.env }, before, 'our own environment is as it was');
});

test('bodies of 10 MB go through a script and come back', ANY_TIME, async (t) => {
  const { port } = await serveScripts(t, {
    'cgi-bin/cat': `${HEAD}; exec cat`,
    'cgi-bin/first': `${HEAD}; head -c 5`,
    'cgi-bin/deaf': `${HEAD}; echo deaf`,
  });
  const bytes = patternBytes(10_000_000);
  const whole = await post(port, '/cgi-bin/cat', bytes);
  assert.ok(whole.body.equals(bytes));
  const waited = await post(port, '/cgi-bin/cat', bytes, { expect: '100-continue' });
  assert.ok(waited.body.equals(bytes));
  assert.ok(
    (await post(port, '/cgi-bin/first', bytes)).body.equals(bytes.subarray(0, 5)),
    'one that reads on no further',
  );
  assert.equal((await post(port, '/cgi-bin/deaf', bytes)).body.toString(), 'deaf\n');
  assert.equal((await post(port, '/cgi-bin/cat', Buffer.alloc(0))).body.length, 0);
  const get = 'Host: test\r\nContent-Length: 4\r\nConnection: close\r\n\r\nwith';
  assert.match(await exchange(port, `GET /cgi-bin/cat HTTP/1.1\r\n${get}`), /^HTTP\/1\.1 200 [\s\S]*with/);
});

test('one connection carries several answers of scripts', ANY_TIME, async (t) => {
  const { port } = await serveScripts(t, { 'cgi-bin/cat': `${HEAD}; exec cat` });
  const one = 'POST /cgi-bin/cat HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\n';
  const answers = await exchange(
    port,
    `${one}first\n${one}secondPOST /cgi-bin/cat HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nConnection: close\r\n\r\nthird`,
  );
  assert.deepEqual(answers.match(/first|second|third/g), ['first', 'second', 'third']);
});

test('status, redirects and fields', ANY_TIME, async (t) => {
  const say = (...lines: string[]): string => `printf '${lines.join('\\n')}\\n\\nbody\\n'`;
  const { port } = await serveScripts(t, {
    'cgi-bin/gone': say('Status: 410 Gone Away', 'Content-Type: text/plain'),
    'cgi-bin/local': say('Location: /else/where?a=1'),
    'cgi-bin/far': say('Location: https://example.com/', 'Status: 303'),
    'cgi-bin/crlf': "printf 'Content-Type: text/plain\\r\\nX-Own:  a b \\r\\n\\r\\nbody\\n'",
    'cgi-bin/cookies': say('Content-Type: text/plain', 'Set-Cookie: a=1', 'set-cookie: b=2', 'Connection: close, X'),
    'cgi-bin/empty': say('Status: 204'),
    'cgi-bin/length': say('Content-Type: text/plain', 'Content-Length: 5'),
    'cgi-bin/method': `${HEAD}; echo $REQUEST_METHOD`,
  });
  const told = async (name: string, method = 'GET') => {
    const { status, body, location } = await ask(port, `/cgi-bin/${name}`, {}, method);
    return [status, body, location];
  };
  assert.deepEqual(await told('gone'), [410, 'body\n', undefined]);
  assert.deepEqual(await told('local'), [302, 'body\n', '/else/where?a=1']);
  assert.deepEqual(await told('far'), [303, 'body\n', 'https://example.com/']);
  assert.deepEqual(await told('empty'), [204, '', undefined]);
  assert.deepEqual(await told('method'), [200, 'GET\n', undefined]);
  assert.equal((await ask(port, '/cgi-bin/crlf')).fields['x-own'], 'a b');
  const { fields } = await ask(port, '/cgi-bin/cookies');
  assert.deepEqual(fields['set-cookie'], ['a=1', 'b=2']);
  assert.equal((await ask(port, '/cgi-bin/length')).fields['content-length'], '5');
  const head = await rawGet(port, '/cgi-bin/length');
  assert.match(head, /\r\n\r\nbody\n$/);
  for (const name of ['method', 'length', 'gone']) {
    const answer = await exchange(port, `HEAD /cgi-bin/${name} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 (?:200|410) [\s\S]*\r\n\r\n$/, name);
  }
});

test('what is asked of scripts in other ways is refused', ANY_TIME, async (t) => {
  const { port, notices } = await serveScripts(
    t,
    {
      'cgi-bin/cat': `${HEAD}; exec cat`,
      'cgi-bin/nph-own': "printf 'HTTP/1.1 200 OK\\r\\n\\r\\nown'",
      'cgi-bin/.hidden': HEAD,
    },
    { maxBodyBytes: 100 },
    { files: { 'cgi-bin/plain.txt': 'MARKER', 'cgi-bin/sub/x': 'MARKER', 'page.html': 'page' } },
  );
  const status = async (line: string, fields = ''): Promise<string> => {
    const answer = await exchange(port, `${line} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n${fields}\r\n`);
    assert.doesNotMatch(answer, /MARKER/);
    return answer.slice(9, 12);
  };
  assert.equal(await status('PUT /cgi-bin/cat'), '405');
  assert.equal(await status('DELETE /cgi-bin/cat'), '405');
  assert.equal(await status('OPTIONS /cgi-bin/cat'), '204');
  assert.equal(await status('POST /page.html'), '405');
  assert.equal(await status('GET /cgi-bin/nph-own'), '501');
  assert.equal(await status('GET /cgi-bin/none'), '404');
  assert.equal(await status('GET /cgi-bin/.hidden'), '404');
  assert.equal(await status('GET /cgi-bin/sub/'), '403');
  assert.equal(await status('GET /cgi-bin'), '403');
  assert.equal(await status('GET /cgi-bin/'), '403');
  assert.equal(await status('GET /cgi-bin/plain.txt'), '403');
  assert.equal(await status('GET /cgi-bin/sub/x/info'), '403');
  assert.match(notices.at(-1) ?? '', /^cgi \/cgi-bin\/sub\/x: it is no program/);
  assert.equal(await status('POST /cgi-bin/cat', 'Content-Length: 101\r\n'), '413');
  assert.equal(await status('POST /cgi-bin/cat', 'Transfer-Encoding: chunked\r\n'), '411');
  assert.equal(await status('GET /cgi-bin/cat/%00'), '404');
  assert.equal(await status('GET /cgi-bin/cat/%e9'), '404');
});

test('directories of scripts elsewhere, and links inside the root', ANY_TIME, async (t) => {
  const { port } = await serveScripts(
    t,
    {
      'sub/dir/run/hello': `${HEAD}; echo $SCRIPT_NAME`,
      'cgi-bin/hello': HEAD,
      'htbin/hello': `${HEAD}; echo $SCRIPT_NAME`,
    },
    { directories: ['sub/dir/run', 'htbin'] },
  );
  assert.equal((await ask(port, '/sub/dir/run/hello')).body, '/sub/dir/run/hello\n');
  assert.equal((await ask(port, '/htbin/hello/x')).body, '/htbin/hello\n');
  assert.match((await ask(port, '/cgi-bin/hello')).body, /printf/, 'no directory of scripts here');
});

test('a limit of the speed holds for what scripts say, and takes nothing away', ANY_TIME, async (t) => {
  const options = { limitBytesPerSecond: 4_000_000 };
  const { port } = await serveScripts(t, { 'cgi-bin/cat': `${HEAD}; exec cat` }, {}, { options });
  const bytes = patternBytes(2_000_000);
  assert.ok((await post(port, '/cgi-bin/cat', bytes)).body.equals(bytes));
});

test('a request with a body is one line of the log, when its answer has ended', ANY_TIME, async (t) => {
  const records: AccessRecord[] = [];
  const options = { onRequest: (record: AccessRecord) => void records.push(record) };
  const { port, listener } = await serveScripts(t, { 'cgi-bin/late': `cat; sleep 0.3; ${HEAD}` }, {}, { options });
  assert.equal((await post(port, '/cgi-bin/late', Buffer.from('no head'))).status, 502);
  await until(() => records.length > 0);
  assert.deepEqual(
    records.map(({ method, status, aborted }) => [method, status, aborted]),
    [['POST', 502, false]],
  );
  assert.equal(listener.transfers?.().length ?? 0, 0);
});
