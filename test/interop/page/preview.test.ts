import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { needs } from '../../support/peers.js';
import { launch, visit } from './browser.js';
import { png, README, wav } from './sample-folder.js';

const TEST = { ...needs('chromium'), timeout: 60_000 };

let browser: Browser;
before(async () => {
  if (!TEST.skip) browser = await launch();
});
after(() => browser?.close());

interface Shown {
  readonly page: Page;
  /** Paths that were asked for, since the page was. */
  readonly asked: string[];
}

async function show(t: TestContext, files: Record<string, string | Buffer>): Promise<Shown> {
  const { page, root, url } = await visit(t, browser);
  for (const [name, body] of Object.entries(files)) await writeFile(join(root, name), body);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url().slice(url.length)));
  await page.goto(`${url}/`);
  return { page, asked };
}

const click = (page: Page, name: string): Promise<void> => page.getByRole('link', { name, exact: true }).click();
const picture = png(40, 30, () => [200, 40, 40]);

test('pictures are looked at one after the other by keys, and loaded only then', TEST, async (t) => {
  const { page, asked } = await show(t, {
    'a 1.png': picture,
    'a 2.png': picture,
    'b.bin': 'x',
    'c.svg': '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
  });
  assert.deepEqual(asked, ['/']);
  await click(page, 'a 1.png');
  const image = page.locator('dialog img');
  await image.waitFor();
  await page.waitForFunction(() => document.querySelector('img')?.naturalWidth === 40);
  await page.locator('dialog :focus').waitFor();
  assert.equal(await image.getAttribute('alt'), 'a 1.png');
  const place = page.locator('dialog [role=status]');
  assert.equal(await place.textContent(), '1 of 3');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await place.textContent(), '1 of 3');
  await page.keyboard.press('ArrowRight');
  await image.click();
  await page.keyboard.press('ArrowRight');
  await page.locator('dialog h2', { hasText: 'c.svg' }).waitFor();
  await page.waitForFunction(() => document.querySelector('img')?.naturalWidth === 9);
  assert.equal(await page.getByRole('button', { name: /^Next/ }).getAttribute('aria-disabled'), 'true');
  assert.match(
    (await page.locator('dialog').getByRole('link', { name: 'Download' }).getAttribute('href')) ?? '',
    /c\.svg\?download$/,
  );
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('dialog').isVisible(), false);
  await page.waitForFunction(() => document.activeElement?.textContent === 'c.svg');
  assert.equal(await image.count(), 0, 'nothing goes on behind a closed dialog');
});

test('only what the filter leaves is looked at', TEST, async (t) => {
  const { page } = await show(t, { 'a.txt': 'A', 'b.txt': 'B', 'ab.txt': 'AB' });
  await page.keyboard.press('/');
  await page.keyboard.type('a');
  await click(page, 'a.txt');
  assert.equal(await page.locator('dialog [role=status]').textContent(), '1 of 2');
  await page.keyboard.press('ArrowRight');
  await page.locator('dialog pre', { hasText: 'AB' }).waitFor();
});

test('text is shown as text, and of a long one so much', TEST, async (t) => {
  const markup = '<b>bold</b><script>alert(1)</script>\n\tüml\u202eaut';
  const { page } = await show(t, {
    'a.html.txt': markup,
    'b.log': 'line\n'.repeat(200_000),
    'c.txt': '',
    'd.txt': 'a\0b',
  });
  const text = page.locator('dialog pre');
  const [request] = await Promise.all([page.waitForRequest('**/a.html.txt'), click(page, 'a.html.txt')]);
  assert.equal(request.headers().range, 'bytes=0-262143');
  assert.equal(await text.textContent(), markup);
  const [, response] = await Promise.all([page.keyboard.press('ArrowRight'), page.waitForResponse('**/b.log')]);
  assert.equal(response.status(), 206);
  await page.getByText('Only the first 256 KiB are shown.').waitFor();
  assert.equal((await text.textContent())?.length, 256 * 1024);
  await page.keyboard.press('ArrowRight');
  await page.getByText('This file is empty.').waitFor();
  assert.equal(await page.getByText('Only the first').isVisible(), false);
  await page.keyboard.press('ArrowRight');
  await page.getByText('This file does not hold text.').waitFor();
});

test('sound plays, film has its element, and what cannot be shown says so', TEST, async (t) => {
  const { page } = await show(t, { 'a.wav': wav(), 'b.webm': 'no film', 'c.png': 'no picture' });
  await click(page, 'a.wav');
  await page.waitForFunction(() => (document.querySelector('audio')?.duration ?? 0) > 0.9);
  await page.route('**/b.webm', () => undefined);
  await page.keyboard.press('ArrowRight');
  assert.match((await page.locator('dialog video').getAttribute('src')) ?? '', /b\.webm$/);
  await page.unroute('**/b.webm');
  await page.keyboard.press('ArrowRight');
  await page.getByText('It cannot be shown: this browser does not know its format.').waitFor();
});

test('a click with a key held, and a page, are left to the browser', TEST, async (t) => {
  const { page } = await show(t, { 'a.txt': 'text', 'page.html': '<title>a page</title>' });
  await page.getByRole('link', { name: 'a.txt', exact: true }).click({ modifiers: ['ControlOrMeta'] });
  assert.equal(await page.locator('dialog').count(), 0);
  await click(page, 'page.html');
  await page.waitForFunction(() => document.title === 'a page');
});

test('where downloads are counted nothing is fetched that nobody asked for', TEST, async (t) => {
  const { page, root, url } = await visit(t, browser, {}, { maxDownloads: 1 });
  await writeFile(join(root, 'README.txt'), 'all of it');
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url().slice(url.length)));
  await page.goto(`${url}/`, { waitUntil: 'networkidle' });
  assert.deepEqual(asked, ['/']);
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: /^Download README/ }).click();
  assert.equal((await download).suggestedFilename(), 'README.txt');
  assert.equal(await (await download).failure(), null);
});

test('the README is shown under the listing, rendered, and runs nothing', TEST, async (t) => {
  const hostile =
    '\n<img src=x onerror=alert(1)>\n[x](javascript:alert(1))\n![far](https://tracker.example/x.png) ![near](pic.png)\n';
  const { page, asked } = await show(t, {
    'README.md': README + hostile,
    'README.txt': 'not this',
    'pic.png': picture,
  });
  const section = page.getByRole('region', { name: 'README.md' });
  await section.getByRole('heading', { name: 'Summer 2024' }).waitFor();
  assert.equal(await section.getByRole('cell', { name: 'Hinterbärenbad' }).isVisible(), true);
  assert.equal(await section.locator('img').count(), 1);
  assert.equal(await section.locator('a[href^=javascript]').count(), 0);
  await section.locator('img').scrollIntoViewIfNeeded();
  await page.waitForFunction(() => document.querySelector('img')?.naturalWidth === 40);
  assert.deepEqual(new Set(asked), new Set(['/', '/README.md?render', '/pic.png']));
  await click(page, 'README.md');
  await page.locator('dialog').getByRole('heading', { name: 'Summer 2024' }).waitFor();
});

test('a README of plain text is shown as it is', TEST, async (t) => {
  const { page } = await show(t, { readme: '<b>plain</b>\n' });
  assert.equal(await page.getByRole('region', { name: 'readme' }).locator('pre').textContent(), '<b>plain</b>\n');
});
