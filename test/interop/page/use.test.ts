import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { needs } from '../../support/peers.js';
import { launch, PHONE, sidewaysPixels, visibleNames, visit } from './browser.js';
import { makeSampleFolder } from './sample-folder.js';

const TEST = { ...needs('chromium'), timeout: 60_000 };
const IN_ORDER = ['2023/', 'films/', 'people/', 'accordion evening.mp3', 'IMG_2.png', 'IMG_10.png', 'IMG_100.png'];

let browser: Browser;
before(async () => {
  if (!TEST.skip) browser = await launch();
});
after(() => browser?.close());

async function sample(
  t: TestContext,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; url: string; root: string }> {
  const { page, root, url } = await visit(t, browser, options);
  await makeSampleFolder(root);
  await page.goto(`${url}/`);
  return { page, url, root };
}

test('the page opens: folders first, numbers by value, times in the zone of whoever looks', TEST, async (t) => {
  const { page } = await sample(t);
  assert.equal(await page.title(), 'Index of /');
  assert.deepEqual((await visibleNames(page)).slice(0, 7), IN_ORDER);
  assert.equal(await page.locator('#summary').textContent(), '3 folders · 14 files · 5.2 GiB');
  const row = page.locator('#rows tr', { hasText: 'originals.tar.zst' });
  assert.equal(await row.locator('td').nth(1).getAttribute('title'), '4831838208 bytes');
  const time = row.locator('time');
  const utc = new Date((await time.getAttribute('datetime')) as string);
  const expected = new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: 'Asia/Tokyo',
  });
  assert.equal(await time.textContent(), expected.format(utc));
});

test('each column sorts both ways, without a reload, and the order outlives one', TEST, async (t) => {
  const { page } = await sample(t);
  await page.evaluate(() => Object.assign(globalThis, { sameDocument: true }));
  const head = (name: string) => page.getByRole('columnheader', { name });
  const rows: [string, string, string, string][] = [
    ['Size', 'descending', 'originals.tar.zst', 'notes.txt'],
    ['Size', 'ascending', 'notes.txt', 'originals.tar.zst'],
    ['Changed', 'descending', 'Zugspitze am Morgen.png', 'Stage 1, the long climb.mp4'],
    ['Changed', 'ascending', 'Stage 1, the long climb.mp4', 'Zugspitze am Morgen.png'],
    ['Name', 'ascending', 'accordion evening.mp3', 'Zugspitze am Morgen.png'],
    ['Name', 'descending', 'Zugspitze am Morgen.png', 'accordion evening.mp3'],
  ];
  for (const [column, order, first, last] of rows) {
    await head(column).getByRole('button').click();
    assert.equal(await head(column).getAttribute('aria-sort'), order);
    assert.equal(await page.locator('th[aria-sort]').count(), 1);
    const files = (await visibleNames(page)).slice(3);
    assert.deepEqual([files[0], files.at(-1)], [first, last], `${column} ${order}`);
  }
  assert.equal(await page.evaluate(() => 'sameDocument' in globalThis), true);
  await page.reload();
  assert.equal((await visibleNames(page))[3], 'Zugspitze am Morgen.png');
});

test('a filter is reached by /, says what it finds, and is left by Escape', TEST, async (t) => {
  const { page } = await sample(t);
  await page.keyboard.press('/');
  await page.keyboard.type('img png');
  assert.deepEqual(await visibleNames(page), ['IMG_2.png', 'IMG_10.png', 'IMG_100.png']);
  const status = page.getByRole('status');
  assert.equal(await status.textContent(), '3 of 17 match');
  await page.keyboard.press('Escape');
  assert.equal((await visibleNames(page)).length, 17);
  assert.equal(await status.textContent(), '3 folders · 14 files · 5.2 GiB');
  await page.keyboard.type('nothing like it');
  assert.equal(await page.getByText('No name here holds “nothing like it”.').isVisible(), true);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement === document.body), true);
});

test('folders are walked by their names, by the way up, by the folders above and back', TEST, async (t) => {
  const { page, root, url } = await sample(t);
  await mkdir(join(root, 'films', 'day 1 & 2', 'ünique #3'), { recursive: true });
  for (const name of ['films/', 'day 1 & 2/', 'ünique #3/'])
    await page.getByRole('link', { name, exact: true }).click();
  assert.equal(await page.locator('h1').textContent(), 'ünique #3');
  assert.equal(await page.getByText('This folder is empty.').isVisible(), true);
  await page.getByRole('navigation').getByRole('link', { name: 'films' }).click();
  assert.equal(new URL(page.url()).pathname, '/films/');
  await page.goBack();
  await page.getByRole('link', { name: '../' }).click();
  assert.equal(await page.locator('h1').textContent(), 'day 1 & 2');
  await page.getByRole('link', { name: 'Files' }).click();
  assert.equal(page.url(), `${url}/`);
});

test('a file is downloaded byte for byte', TEST, async (t) => {
  const { page, root } = await sample(t);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download IMG_10.png' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), 'IMG_10.png');
  assert.ok((await readFile(await download.path())).equals(await readFile(join(root, 'IMG_10.png'))));
});

test('dark is one click away, changes what is seen, and is remembered', TEST, async (t) => {
  const { page } = await sample(t, { colorScheme: 'light' });
  const colours = () =>
    page.evaluate(() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]);
  const light = await colours();
  const button = page.getByRole('button', { name: 'Dark theme' });
  assert.equal(await button.getAttribute('aria-pressed'), 'false');
  await button.click();
  const dark = await colours();
  assert.ok(dark[0] !== light[0] && dark[1] !== light[1]);
  await page.reload();
  assert.deepEqual(await colours(), dark);
  assert.equal(await button.getAttribute('aria-pressed'), 'true');
  await button.click();
  assert.deepEqual(await colours(), light);
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.deepEqual(await colours(), light, 'the choice stands above the system');
});

test('without a choice the system decides', TEST, async (t) => {
  const { page } = await sample(t, { colorScheme: 'dark' });
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'dark');
});

test('a phone shows all of it, and nothing sideways', TEST, async (t) => {
  const { page, root } = await sample(t, { viewport: PHONE, hasTouch: true, isMobile: true });
  await writeFile(join(root, `${'averylongnamewithoutanyspace'.repeat(7)}.bin`), '');
  for (const width of [PHONE.width, 320]) {
    await page.setViewportSize({ width, height: PHONE.height });
    await page.reload();
    assert.equal(await sidewaysPixels(page), 0, `${width}`);
    const row = page.locator('#rows tr', { hasText: 'originals.tar.zst' });
    for (const part of [row.getByText('4.5 GiB'), row.locator('time'), row.getByRole('link', { name: /^Download/ })]) {
      const box = await part.boundingBox();
      assert.ok(box && box.x >= 0 && box.x + box.width <= width, `${width}`);
    }
    await page.getByRole('link', { name: 'IMG_2.png', exact: true }).tap();
    await page.locator('dialog img').waitFor();
    assert.equal(await sidewaysPixels(page), 0, `${width}, previewing`);
    await page.getByRole('button', { name: /^Close/ }).tap();
  }
});

test('everything is reached by keys alone', TEST, async (t) => {
  const { page } = await sample(t);
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
  await page.keyboard.press('ArrowDown');
  assert.equal(await focused(), '2023/');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  assert.equal(await focused(), 'films/');
  await page.keyboard.press('End');
  assert.equal(await focused(), 'Zugspitze am Morgen.png');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle);
  assert.equal(outline, 'solid', 'where the focus is can be seen');
  await page.keyboard.press('ArrowDown');
  assert.equal(await focused(), 'Zugspitze am Morgen.png');
  await page.keyboard.press('/');
  await page.keyboard.type('img');
  await page.keyboard.press('ArrowDown');
  assert.equal(await focused(), 'IMG_2.png');
  await page.keyboard.press('ArrowUp');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'filter');
  await page.keyboard.press('Escape');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/2023/');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForURL((where) => where.pathname === '/');
});
