import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { htmlFromMarkdown } from '#xfer/transports/http/listen/listing/markdown/markdown.js';
import { renderMarkdown } from '#xfer/transports/http/listen/listing/markdown/render.js';
import { serve, temporaryFolder } from '../rig.js';

const TEST = { timeout: 20_000 };

test('a text looks as its writer meant it', () => {
  const html = htmlFromMarkdown(
    '# Top\n\nSee [below](#part-one), [a file](a%20b/c.txt) and https://example.com.\n\n## Part One\n\n|a|b|\n|-|-:|\n|1|2|\n\n![pic](img/x.png)',
  );
  assert.match(html, /<h2 id="text-top">Top<\/h2>/);
  assert.match(html, /<a href="#text-part-one">below<\/a>/);
  assert.match(html, /<h3 id="text-part-one">/);
  assert.match(html, /<a href="a%20b\/c\.txt" rel="noopener noreferrer nofollow">a file<\/a>/);
  assert.match(html, /<a href="https:\/\/example\.com" rel=/);
  assert.match(html, /<td class="right">2<\/td>/);
  assert.match(html, /<img src="img\/x\.png" alt="pic" loading="lazy">/);
});

const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg/onload=alert(1)>',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](java\tscript:alert(1))',
  '[x](&#106;avascript:alert(1))',
  '[x](\u0001javascript:alert(1))',
  '[x](vbscript:x)',
  '[x](data:text/html,<script>alert(1)</script>)',
  '[x](file:///etc/passwd)',
  '[x](blob:http://a/b)',
  '<javascript:alert(1)>',
  '[r]: javascript:alert(1)\n\n[r]',
  '![x](https://tracker.example/pixel.png)',
  '![x](//tracker.example/pixel.png)',
  '![x](/\\tracker.example/pixel.png)',
  '![x](data:image/svg+xml,<svg/onload=alert(1)>)',
  '![x" onerror="alert(1)](x.png)',
  '![x](x.png" onerror="alert(1))',
  '![x](x.png "t\\" onerror=alert(1)")',
  '[x](x "\\" onmouseover=alert(1)")',
  '# x" onclick="alert(1)',
  '```" onclick="alert(1)\nx\n```',
];

for (const text of HOSTILE) {
  test(`nothing comes of ${JSON.stringify(text)}`, () => {
    const html = htmlFromMarkdown(text);
    for (const [tag] of html.matchAll(/<\/?[a-z][^>]*>/gi)) {
      assert.match(
        tag,
        /^<\/?(?:h[2-6]|p|a|img|pre|code|em|strong)(?: (?:id|href|src|alt|title|rel|class|loading|tabindex)="[^"<>]*")*>$/,
        html,
      );
      const target = /(?:href|src)="([^"]*)"/.exec(tag)?.[1];
      if (target === undefined) continue;
      const { protocol, host } = new URL(target.replaceAll('&amp;', '&'), 'http://here.invalid/');
      assert.ok(['http:', 'https:', 'mailto:'].includes(protocol), html);
      if (tag.startsWith('<img')) assert.equal(host, 'here.invalid', html);
    }
  });
}

test('a file of Markdown is a page of its own, under the same policy', TEST, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'Read me.md'), '# Hello\n\n<b>not bold</b>');
  await writeFile(join(folder, 'other.txt'), '# Hello');
  const { url } = await serve(t, folder);
  const response = await fetch(`${url}/Read%20me.md?render`);
  assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.match(response.headers.get('content-security-policy') ?? '', /^default-src 'none';/);
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  const page = await response.text();
  assert.match(page, /<h1>Read me\.md<\/h1>.*<h2 id="text-hello">Hello<\/h2>\n<p>&lt;b&gt;not bold/s);
  assert.equal((await fetch(`${url}/Read%20me.md?render`, { method: 'HEAD' })).status, 200);
  assert.equal(await (await fetch(`${url}/Read%20me.md`)).text(), '# Hello\n\n<b>not bold</b>');
  assert.equal(await (await fetch(`${url}/other.txt?render`)).text(), '# Hello');
  assert.equal((await fetch(`${url}/none.md?render`)).status, 404);
});

test('a text that is too long is shown as far as it goes, as it was written', TEST, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'big.md'), `# <Big>\n${'x'.repeat(600 * 1024)}`);
  const { url } = await serve(t, folder);
  const page = await (await fetch(`${url}/big.md?render`)).text();
  assert.match(page, /Only the first 512 KiB are shown.*<pre># &lt;Big&gt;\nxxx/s);
  assert.ok(page.length < 560 * 1024);
});

test('a text that would grow without end is given up, and nobody waits for it', TEST, async (t) => {
  const folder = await temporaryFolder(t);
  const bomb = `[a]: <http://x/${'y'.repeat(200_000)}>\n\n${'[a]\n\n'.repeat(60_000)}`;
  await writeFile(join(folder, 'README.md'), bomb);
  await writeFile(join(folder, 'small'), 'small');
  const { url } = await serve(t, folder);
  let done = false;
  const rendered = fetch(`${url}/README.md?render`).then(async (response) => {
    const text = await response.text();
    done = true;
    return text;
  });
  for (let round = 0; round < 20; round += 1) {
    assert.equal(await (await fetch(`${url}/small`)).text(), 'small');
    assert.equal(done, false);
  }
  assert.match(await rendered, /<pre>\[a\]: &lt;http:\/\/x\/yyy/);
  const startMs = performance.now();
  assert.equal(await renderMarkdown(bomb), undefined);
  assert.ok(performance.now() - startMs < 500, 'what was given up once is not tried again');
});

test('many texts at once are rendered one after the other, or as they are', TEST, async () => {
  const texts = Array.from({ length: 40 }, (_, index) => `# Title ${index} ${process.pid}`);
  const all = await Promise.all(texts.map((text) => renderMarkdown(text)));
  for (const [index, html] of all.entries()) {
    if (index < 16) assert.match(html ?? '', new RegExp(`>Title ${index} `));
    else assert.equal(html, undefined);
  }
  assert.match((await renderMarkdown(texts[39] as string)) ?? '', />Title 39 /);
});
