import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { HostNames, parseHost } from '#xfer/transports/http/listen/access/host-names.js';
import { isForeign } from '#xfer/transports/http/listen/access/origin.js';
import { failsWith } from '../../../../support/fails-with.js';
import { exchange, get, serve, temporaryFolder } from '../rig.js';

test('a Host is a name or an address, and maybe a port', () => {
  const rows: Record<string, string | undefined> = {
    'a.example': 'a.example|',
    'A.Example.:8000': 'a.example|8000',
    'a_b:': 'a_b|',
    '127.0.0.1:65535': '127.0.0.1|65535',
    '[::1]:80': '::1|80',
    '[FE80::1%eth0]': 'fe80::1%eth0|',
    '': undefined,
    '.': undefined,
    'a:65536': undefined,
    'a:80:80': undefined,
    'a:x': undefined,
    'a b': undefined,
    'a@b': undefined,
    'a/b': undefined,
    '::1': undefined,
    '[::1': undefined,
    '[a.example]': undefined,
    '[127.0.0.1]': undefined,
    'm\u00fcller.example': undefined,
    [`${'a'.repeat(256)}`]: undefined,
  };
  for (const [text, expected] of Object.entries(rows)) {
    const host = parseHost(text);
    assert.equal(host && `${host.name}|${host.port}`, expected, text);
  }
});

test('names that a page of another site could have are not answered to', () => {
  const names = new HostNames(['files.example.org', '*.lan'], ['Bound.example'], 'Box.example.com');
  const allows = (text: string) => names.allows(parseHost(text) ?? assert.fail(text));
  for (const text of [
    '127.0.0.1',
    '10.1.2.3:80',
    '[::1]',
    '[fe80::1%eth0]',
    'localhost:1',
    'a.localhost',
    'LOCALHOST.',
  ]) {
    assert.ok(allows(text), text);
  }
  for (const text of [
    'box',
    'box.local',
    'box.example.com',
    'bound.example',
    'files.example.org',
    'box.lan',
    'a.b.lan',
  ]) {
    assert.ok(allows(text), text);
  }
  for (const text of [
    'evil.example',
    'xlocalhost',
    'localhost.evil.example',
    'evil.local',
    'x.box.local',
    'lan',
    'evillan',
  ]) {
    assert.ok(!allows(text), text);
  }
  // What the system's own resolver takes for an address, and a Host field does not.
  for (const text of ['2130706433', '0x7f.1', '127.1', '0', 'x.files.example.org']) assert.ok(!allows(text), text);
  const [fine, foreign] = [parseHost('box') ?? assert.fail(), parseHost('evil.example') ?? assert.fail()];
  for (let count = 0; count < 3; count += 1)
    assert.deepEqual([names.allows(fine), names.allows(foreign)], [true, false]);
  assert.ok(new HostNames(['*'], [], '').allows({ name: 'evil.example', port: '' }));
  assert.ok(!new HostNames([], [], '').allows({ name: 'local', port: '' }));
  for (const text of ['', 'http://a', 'a:80', 'a b', '*a', '*.*', 'a.*']) {
    assert.throws(() => new HostNames([text], [], 'box'), failsWith('USAGE', /not a name/), text);
  }
});

test('a page of another site may change nothing, and a program may', () => {
  const host = parseHost('a.example:8000');
  const own = ['http://a.example:8000', 'https://a.example:8000', 'http://A.example:8000'];
  for (const origin of own) assert.equal(isForeign({ origin }, host), false, origin);
  assert.equal(isForeign({}, host), false);
  assert.equal(isForeign({ 'sec-fetch-site': 'none' }, host), false);
  assert.equal(isForeign({ origin: own[0], 'sec-fetch-site': 'same-origin' }, host), false);
  const others = [
    'null',
    '',
    'http://a.example',
    'http://b.example:8000',
    'http://a.example:8000.evil.example',
    'x://a',
  ];
  others.push(
    'http://a.example:8000/',
    'http://a.example:8000, http://b.example',
    'http://u@a.example:8000',
    'file://',
  );
  for (const origin of others) assert.equal(isForeign({ origin }, host), true, origin);
  for (const site of ['cross-site', 'same-site', '', 'same-origin, cross-site']) {
    assert.equal(isForeign({ origin: own[0], 'sec-fetch-site': site }, host), true, site);
  }
  // The usual port may be left out, of either scheme.
  assert.equal(isForeign({ origin: 'https://a.example' }, parseHost('a.example:443')), false);
  assert.equal(isForeign({ origin: 'http://a.example' }, parseHost('a.example:80')), false);
  assert.equal(isForeign({ origin: 'http://a.example' }, parseHost('a.example:443')), true);
  assert.equal(isForeign({ origin: 'http://a.example' }, undefined), true);
});

test('over the wire: no Host, several, malformed ones, and targets that name another', {
  timeout: 10_000,
}, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'a.txt'), 'hello');
  const { port } = await serve(t, folder);
  const rows: [head: string, status: number][] = [
    ['GET /a.txt HTTP/1.0\r\n', 200],
    ['GET /a.txt HTTP/1.1\r\n', 400],
    ['GET /a.txt HTTP/1.1\r\nHost: test\r\nHost: test\r\n', 400],
    ['GET /a.txt HTTP/1.1\r\nHost: test\r\nhOST: evil.example\r\n', 400],
    ['GET /a.txt HTTP/1.1\r\nHost:\r\n', 400],
    ['GET /a.txt HTTP/1.1\r\nHost: test:junk\r\n', 400],
    ['GET /a.txt HTTP/1.1\r\nHost: test:1\r\n', 200],
    ['GET /a.txt HTTP/1.0\r\nHost: evil.example\r\n', 421],
    ['GET http://test/a.txt HTTP/1.1\r\nHost: test\r\n', 200],
    ['GET HTTPS://TEST:443/a.txt HTTP/1.1\r\nHost: test\r\n', 200],
    ['GET http://test?json HTTP/1.1\r\nHost: test\r\n', 200],
    ['GET http://test HTTP/1.1\r\nHost: test\r\n', 200],
    ['GET http://test:1/a.txt HTTP/1.1\r\nHost: test\r\n', 400],
    ['GET http://evil.example/a.txt HTTP/1.1\r\nHost: test\r\n', 400],
    ['GET http://test/a.txt HTTP/1.1\r\nHost: evil.example\r\n', 400],
    ['GET http://evil.example/a.txt HTTP/1.0\r\n', 421],
    ['GET http://u@test/a.txt HTTP/1.1\r\nHost: test\r\n', 400],
    ['GET ftp://test/a.txt HTTP/1.1\r\nHost: test\r\n', 400],
    ['GET * HTTP/1.1\r\nHost: test\r\n', 400],
    ['OPTIONS * HTTP/1.1\r\nHost: test\r\n', 204],
    ['OPTIONS * HTTP/1.1\r\nHost: evil.example\r\n', 421],
  ];
  for (const [head, status] of rows) {
    const answer = await exchange(port, `${head}Connection: close\r\n\r\n`);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), head);
  }
  const evil = await exchange(port, 'GET / HTTP/1.1\r\nHost: Evil.Example:80\r\nConnection: close\r\n\r\n');
  assert.match(evil, /\n421 Misdirected Request\n.*--allow-host evil\.example\n$/);
  const preflight = 'Origin: http://evil.example\r\nAccess-Control-Request-Method: PUT\r\n';
  const answer = await exchange(port, `OPTIONS /a.txt HTTP/1.1\r\nHost: test\r\nConnection: close\r\n${preflight}\r\n`);
  assert.match(answer, /^HTTP\/1\.1 204 /);
  for (const sent of [answer, await get(port, '/a.txt', preflight)]) assert.doesNotMatch(sent, /access-control/i);
});
