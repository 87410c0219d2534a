import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { findProgram, needs } from '../../support/peers.js';
import { serve, temporaryFolder } from '../../transports/http/listen/rig.js';
import { launch, sidewaysPixels, visibleNames, visit } from './browser.js';
import { makeSampleFolder } from './sample-folder.js';

const TEST = { ...needs('chromium'), timeout: 60_000 };

let browser: Browser;
before(async () => {
  if (!TEST.skip) browser = await launch();
});
after(() => browser?.close());

test('without a script links lead on and forms sort', TEST, async (t) => {
  const { page, root, url } = await visit(t, browser, {
    javaScriptEnabled: false,
    viewport: { width: 320, height: 640 },
  });
  await makeSampleFolder(root);
  await page.goto(`${url}/`);
  assert.equal(await sidewaysPixels(page), 0);
  await page.getByRole('button', { name: 'Size' }).click();
  assert.equal(page.url(), `${url}/?sort=size&order=desc`);
  assert.equal((await visibleNames(page))[3], 'originals.tar.zst');
  await page.getByRole('button', { name: 'Size' }).click();
  assert.equal((await visibleNames(page))[3], 'notes.txt');
  await page.getByRole('button', { name: 'Name' }).click();
  assert.equal((await visibleNames(page))[3], 'accordion evening.mp3');
  await page.getByRole('link', { name: 'films/' }).click();
  assert.equal(await page.getByText('This folder is empty.').isVisible(), true);
  await page.getByRole('link', { name: 'Files' }).click();
  await page.getByRole('link', { name: 'notes.txt' }).click();
  assert.equal(page.url(), `${url}/notes.txt`);
});

test('a folder of more than 10,000 is sorted by the script once it is there, filtered and walked', TEST, async (t) => {
  const { page, root, url } = await visit(t, browser);
  const count = 10_050;
  for (let index = 0; index < count; index += 1) await writeFile(join(root, `file ${index}.bin`), '');
  await mkdir(join(root, 'zz last of all'));
  await page.goto(`${url}/`);
  const names = page.locator('#rows td:first-child a');
  assert.deepEqual(await names.first().textContent(), 'zz last of all/');
  assert.equal(await names.nth(1).textContent(), 'file 0.bin');
  assert.equal(await names.count(), 1000);
  assert.equal(await page.getByText('1,000 of 10,051 are shown.').isVisible(), true);
  await page.getByRole('button', { name: 'Show more' }).click();
  assert.equal(await names.last().textContent(), 'file 1998.bin');
  assert.equal(await page.locator('#summary').textContent(), '1 folder · 10,050 files · 0 B');
  await page.locator('#filter').fill('file 9999');
  await page.getByText('1 of 10,051 match').waitFor();
  assert.equal(await names.textContent(), 'file 9999.bin');
  assert.equal(await page.getByRole('button', { name: 'Show more' }).isVisible(), false);
  await page.locator('#filter').fill('');
  await page.getByText('1 folder').waitFor();
  await page.getByRole('button', { name: 'Name' }).click();
  assert.equal(await names.nth(1).textContent(), `file ${count - 1}.bin`);
  await page.getByRole('link', { name: `Download file ${count - 1}.bin`, exact: true }).waitFor();
});

test('lynx shows the names and links of a page', { ...needs('lynx'), timeout: 30_000 }, async (t) => {
  const root = await temporaryFolder(t);
  await makeSampleFolder(root);
  const { url } = await serve(t, root);
  const lynx = async (...args: string[]): Promise<string> => {
    const env = { HOME: root, PATH: process.env.PATH };
    const all = ['-dump', ...args, '-width=120', '-display_charset=utf-8', `${url}/`];
    return (await promisify(execFile)(findProgram('lynx') as string, all, { timeout: 20_000, env })).stdout;
  };
  const text = await lynx('-nolist');
  assert.match(text, /3 folders · 14 files · 5\.2 GiB/);
  assert.match(text, /^ *originals\.tar\.zst +4\.5 GiB +2024-06-\d\d \d\d:\d\d$/m);
  assert.doesNotMatch(text, /function|addEventListener|Filter/);
  assert.equal((await lynx('-listonly')).match(/http:/g)?.length, 17);
});
