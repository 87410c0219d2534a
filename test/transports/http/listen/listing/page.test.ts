import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readableSize, utcSeconds } from '#xfer/transports/http/listen/listing/amounts.js';
import { mediaKind } from '#xfer/transports/http/listen/listing/media-kind.js';
import { SCRIPT, STYLE } from '#xfer/transports/http/listen/listing/page/assets.js';
import { diskSource, serve, temporaryFolder } from '../rig.js';
import { markupOf } from './page-parts.js';

const TEST = { timeout: 10_000 };

test('the policy allows the page’s own script and style, and nothing else to run', TEST, async (t) => {
  const { url } = await serve(t, await temporaryFolder(t));
  const response = await fetch(`${url}/`);
  const page = await response.text();
  const digest = (tag: string): string => {
    const text = new RegExp(`<${tag}>(.*?)</${tag}>`, 's').exec(page)?.[1] as string;
    return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  };
  const policy = new Map(
    (response.headers.get('content-security-policy') ?? '').split('; ').map((rule): [string, string] => {
      const [name, ...values] = rule.split(' ');
      return [name as string, values.join(' ')];
    }),
  );
  assert.deepEqual(Object.fromEntries(policy), {
    'default-src': "'none'",
    'style-src': digest('style'),
    'script-src': digest('script'),
    'img-src': "'self' data:",
    'media-src': "'self'",
    'connect-src': "'self'",
    'frame-src': "'self'",
    'base-uri': "'none'",
    'form-action': "'self'",
    'frame-ancestors': "'none'",
  });
  assert.equal(response.headers.get('referrer-policy'), 'no-referrer');
  assert.doesNotMatch(markupOf(page), /\son\w+=|\sstyle=|javascript:|https?:\/\/(?!www\.w3\.org)/i);
});

test('the page is small, and so is a row', TEST, async (t) => {
  const folder = await temporaryFolder(t);
  const name = 'a file.tar.gz';
  await writeFile(join(folder, name), 'x'.repeat(123_456));
  const { url } = await serve(t, folder);
  const page = await (await fetch(`${url}/`)).text();
  assert.ok(STYLE.length + SCRIPT.length > 5000);
  assert.ok(page.indexOf('<tr class=') < 25 * 1024, `${page.indexOf('<tr class=')}`);
  const row = /<tr class="archive">.*<\/tr>\n/.exec(page)?.[0] ?? '';
  assert.ok(row.includes('120.6 KiB') || row.includes('121 KiB'), row);
  assert.ok(row.length - 2 * name.length < 250, row);
});

test('the folders above are links that hold behind any prefix, and a deep path makes no long page', TEST, async (t) => {
  const root = await temporaryFolder(t);
  await mkdir(join(root, 'a b', '<i>', 'c'), { recursive: true });
  const deep = Array.from({ length: 60 }, (_, index) => `d${index}`);
  await mkdir(join(root, ...deep), { recursive: true });
  const { url } = await serve(t, root);
  const crumbs = async (path: string): Promise<string[]> => {
    const page = await (await fetch(`${url}/${path}`)).text();
    const nav = /<nav aria-label="Folders above"><ol>(.*)<\/ol><\/nav><h1>/.exec(page)?.[1] ?? '';
    return [...nav.matchAll(/<li>(?:<a href="([^"]*)">([^<]*)<\/a>|([^<]*))/g)].map(([, href, text, plain]) =>
      plain === undefined ? `${href} ${text}` : plain,
    );
  };
  assert.deepEqual(await crumbs(''), []);
  assert.deepEqual(await crumbs('a%20b/%3Ci%3E/c/'), ['../../../ Files', '../../ a b', '../ &lt;i&gt;']);
  const shown = await crumbs(`${deep.join('/')}/`);
  assert.deepEqual([shown.length, shown[1], shown[2]], [14, '…', `${'../'.repeat(12)} d47`]);
});

test('an empty folder says so, and one file shared alone has no folder to download', TEST, async (t) => {
  const root = await temporaryFolder(t);
  await mkdir(join(root, 'none'));
  const { url } = await serve(t, root);
  const page = markupOf(await (await fetch(`${url}/none/`)).text());
  assert.match(page, /<a href="\.\.\/">.*<p id="summary" role="status" class="empty">This folder is empty\.</s);
  assert.match(page, /name="archive" value="zip"/);
  await writeFile(join(root, 'alone.txt'), 'x');
  const alone = await serve(t, root, { share: diskSource(join(root, 'alone.txt'), 'alone.txt') });
  const single = markupOf(await (await fetch(`${alone.url}/`)).text());
  assert.match(single, /<a href="alone\.txt">alone\.txt<\/a>/);
});

test('sizes are written for people', () => {
  const rows: Record<number, string> = {
    0: '0 B',
    1023: '1023 B',
    1024: '1.0 KiB',
    1536: '1.5 KiB',
    [1024 * 99.9]: '99.9 KiB',
    [1024 * 99.97]: '100 KiB',
    [1024 * 1023.99]: '1.0 MiB',
    [1024 ** 2 - 1]: '1.0 MiB',
    [700 * 1024 ** 2]: '700 MiB',
    [2 ** 63]: '8.0 EiB',
  };
  for (const [bytes, text] of Object.entries(rows)) assert.equal(readableSize(Number(bytes)), text, bytes);
});

test('times are those of the calendar', () => {
  for (const timeMs of [0, 1, 999, -1, -86_400_001, 951_782_400_000, 1_717_236_059_999, 253_402_300_799_000, 8.63e15]) {
    assert.equal(utcSeconds(timeMs), new Date(timeMs).toISOString().slice(0, -5), `${timeMs}`);
  }
  for (const timeMs of [undefined, Number.NaN, Number.POSITIVE_INFINITY, 9e15])
    assert.equal(utcSeconds(timeMs), undefined);
});

test('what a browser would run is never looked at in the page', () => {
  const rows: Record<string, string> = {
    'a.HTML': 'page',
    'a.xhtml': 'page',
    'a.svg': 'image',
    'a.JPG': 'image',
    'a.mp3': 'audio',
    'a.webm': 'video',
    'a.js': 'text',
    'a.md': 'text',
    'a.json': 'text',
    'a.pdf': 'pdf',
    'a.tar.gz': 'archive',
    LICENSE: 'text',
    a: 'file',
    'a.': 'file',
    '.constructor': 'file',
    'a.__proto__': 'file',
  };
  for (const [name, kind] of Object.entries(rows)) assert.equal(mediaKind(name), kind, name);
});
