import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { XferError } from '#xfer/errors.js';
import { childrenOf } from '#xfer/transports/http/get/listing/children.js';
import { htmlReferences } from '#xfer/transports/http/get/listing/html.js';
import { jsonReferences } from '#xfer/transports/http/get/listing/json.js';
import type { Reference } from '#xfer/transports/http/get/listing/listed.js';
import { PAGES } from './pages.js';

const FOLDER = new URL('http://h.example:8000/pub/');

function namesIn(references: Iterable<Reference>, hostile: XferError[] = []): string[] {
  const found = childrenOf(FOLDER, FOLDER, references, (_name, error) => hostile.push(error));
  return found.map(({ name, kind }) => (kind === 'directory' ? `${name}/` : name)).sort();
}

for (const [server, page] of Object.entries(PAGES)) {
  test(`${server}: what is in the folder, and nothing else`, () => {
    assert.deepEqual(namesIn(htmlReferences(page)), ['100%.bin', 'a & b.txt', 'sub dir/']);
  });
}

test('nothing on another host, above, beside, below or with a query is content', () => {
  const hrefs = [
    ...['../', '..', '/', '/other/x', 'http://h.example/pub/x', 'https://h.example:8000/pub/x', '//evil/pub/x'],
    ...[
      'http://u:p@h.example:8000/pub/x',
      'a/b',
      'x?y',
      '?x',
      '#x',
      '',
      ' ',
      '.',
      './',
      '%2e%2e/x',
      '..\\x',
      'javascript:1',
    ],
    ...['mailto:x', 'http://[', '\\\\evil\\x', '/pub', `x${'y'.repeat(9000)}`],
  ];
  const hostile: XferError[] = [];
  assert.deepEqual(
    namesIn(
      hrefs.map((href) => ({ href })),
      hostile,
    ),
    [],
  );
  assert.deepEqual(hostile, []);
});

test('a name that would be a path, or cannot be one here, is refused, and said', () => {
  assert.deepEqual(namesIn([{ href: 'L'.repeat(255) }]), ['L'.repeat(255)]);
  for (const href of ['..%2fx', 'a%2fb', 'a%00b', '%2f', '%2e%2e%2f', 'L'.repeat(256), `${'%C3%A9'.repeat(128)}/`]) {
    const hostile: XferError[] = [];
    assert.deepEqual(namesIn([{ href }], hostile), [], href);
    assert.deepEqual(
      hostile.map(({ code }) => code),
      ['UNSAFE_PATH'],
      href,
    );
  }
});

test('names keep their bytes, and each counts once', () => {
  const hrefs = [
    '%e4',
    'a%0ab',
    'caf%C3%A9',
    'caf\u00e9',
    '%27%22',
    'a:b',
    'http://h.example:8000/pub/whole',
    'whole#top',
    'x%zz',
  ];
  assert.deepEqual(
    namesIn(hrefs.map((href) => ({ href }))),
    ['\udce4', 'a\nb', 'caf\u00e9', '\'"', 'whole', 'x%zz'].sort(),
  );
});

test('a page in pieces, comments and broken tags is read to its end, in time that grows with its length', () => {
  const page =
    '<!-- <a href="no"> --><A\nHREF = yes ><a class=x href=\'it&#39;s\'><a data-href="no" href=two><a href="un';
  assert.deepEqual(
    [...htmlReferences(page)].map(({ href }) => href),
    ['yes', "it's", 'two'],
  );
  for (const piece of ['<', '<a ', '<a href=', '<a href="', '<!--', '<script>', '<a b=\'"', '&#', "<a x='"]) {
    const startedMs = performance.now();
    assert.equal([...htmlReferences(piece.repeat(200_000))].length < 200_001, true);
    assert.ok(performance.now() - startedMs < 20_000, piece);
  }
});

test('JSON of xfer serve, caddy and nginx', () => {
  const own =
    '{"path":"/pub/","entries":[{"name":"a b","href":"a%20b","kind":"file","size":3,"mtime":"2026-11-27T14:00:00.500Z"},{"name":"d","href":"d/","kind":"directory"}]}';
  const caddy =
    '[{"name":"a b","size":3,"url":"./a%20b","mod_time":"2026-11-27T14:00:00.5Z","mode":420,"is_dir":false,"is_symlink":false},{"name":"d/","size":4096,"url":"./d/","is_dir":true}]';
  const nginx =
    '[{"name":"d","type":"directory","mtime":"Fri, 27 Nov 2026 14:00:00 GMT"},{"name":"a b","type":"file","mtime":"Fri, 27 Nov 2026 14:00:00 GMT","size":3},{"name":"s","type":"other"}]';
  for (const text of [own, caddy, nginx]) {
    const found = childrenOf(FOLDER, FOLDER, jsonReferences(text) ?? [], assert.fail);
    const file = found.find(({ kind }) => kind === 'file');
    assert.equal(file?.url.href, 'http://h.example:8000/pub/a%20b');
    assert.deepEqual([file?.name, file?.size, Math.floor((file?.mtimeMs ?? 0) / 1000)], ['a b', 3, 1795788000]);
    assert.deepEqual(
      found.filter(({ kind }) => kind === 'directory').map(({ url }) => url.pathname),
      ['/pub/d/'],
    );
  }
});

test('JSON that is no listing is none', () => {
  for (const text of ['', '{', '1', 'null', '{"a":1}', '[1]', '[{"x":1}]', '[null]', '{"entries":{}}']) {
    assert.equal(jsonReferences(text), undefined, text);
  }
  assert.deepEqual(jsonReferences('[{"name":"x","type":"file","size":-1,"mtime":"never"}]'), [
    { href: './x', directory: false },
  ]);
});
