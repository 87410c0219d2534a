/** Files and folders that are put on the page, in Chromium: chosen, dropped, paused, broken off, cancelled, refused. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { HttpListenOptions } from '#xfer/transports/http/listen/index.js';
import { needs } from '../../support/peers.js';
import { launch, PHONE, sidewaysPixels, visibleNames, visit } from './browser.js';

const TEST = { ...needs('chromium'), timeout: 90_000 };

let browser: Browser;
before(async () => {
  if (!TEST.skip) browser = await launch();
});
after(() => browser?.close());

interface Box {
  readonly page: Page;
  readonly root: string;
  readonly url: string;
  /** Files of whoever uploads. */
  readonly own: string;
}

async function box(
  t: TestContext,
  served: Partial<HttpListenOptions> = {},
  options: BrowserContextOptions = {},
): Promise<Box> {
  const own = await mkdtemp(join(tmpdir(), 'xfer-own-'));
  t.after(() => rm(own, { recursive: true }));
  const { page, root, url } = await visit(t, browser, options, { upload: {}, ...served });
  await page.goto(`${url}/`);
  return { page, root, url, own };
}

async function makeFile(folder: string, name: string, bytes: Buffer | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

/** Waits for what the page says when all is over. */
async function said(page: Page, text: string): Promise<void> {
  await page.locator('#upload-status', { hasText: text }).waitFor();
}

/** Drops files and folders of the disk on the page, as a person does from a file manager. */
async function drop(page: Page, files: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [...files], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x: 200, y: 300, data });
  }
  await session.detach();
}

test('files that are chosen are in the folder, and on the page', TEST, async (t) => {
  const { page, root, own } = await box(t);
  const big = randomBytes(3 << 20);
  const files = [await makeFile(own, 'a b#?%.txt', 'hello'), await makeFile(own, 'big.bin', big)];
  await page.locator('input[type=file]').first().setInputFiles(files);
  await said(page, '2 files uploaded');
  assert.deepEqual(await visibleNames(page), ['a b#?%.txt', 'big.bin']);
  assert.equal(await readFile(join(root, 'a b#?%.txt'), 'utf8'), 'hello');
  assert.ok((await readFile(join(root, 'big.bin'))).equals(big));
  assert.deepEqual((await readdir(root)).toSorted(), ['a b#?%.txt', 'big.bin']);
});

test('a folder that is dropped comes with all that is in it', TEST, async (t) => {
  const { page, root, own } = await box(t);
  await mkdir(join(own, 'trip', 'day 1'), { recursive: true });
  await makeFile(join(own, 'trip'), 'notes.txt', 'n');
  await makeFile(join(own, 'trip', 'day 1'), 'p.jpg', 'p');
  const single = await makeFile(own, 'single.txt', 's');
  await drop(page, [join(own, 'trip'), single]);
  await said(page, '3 files uploaded');
  assert.equal(await readFile(join(root, 'trip', 'notes.txt'), 'utf8'), 'n');
  assert.equal(await readFile(join(root, 'trip', 'day 1', 'p.jpg'), 'utf8'), 'p');
  assert.equal(await readFile(join(root, 'single.txt'), 'utf8'), 's');
});

/** Lets through so many bytes a second, so that there is time to do something. */
async function slowly(page: Page, bytesPerSecond: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const conditions = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerSecond };
  await session.send('Network.emulateNetworkConditions', conditions);
}

test('an upload is paused, and goes on', TEST, async (t) => {
  const { page, root, own } = await box(t);
  const big = randomBytes(6 << 20);
  await slowly(page, 2 << 20);
  await page
    .locator('input[type=file]')
    .first()
    .setInputFiles(await makeFile(own, 'big.bin', big));
  const item = page.locator('#transfers li');
  await item.getByText(/MiB.*s left/).waitFor();
  await page.getByRole('button', { name: 'Pause big.bin' }).click();
  await item.getByText('Paused').waitFor();
  await page.getByRole('button', { name: 'Go on with big.bin' }).click();
  await slowly(page, -1);
  await said(page, '1 file uploaded');
  assert.ok((await readFile(join(root, 'big.bin'))).equals(big));
});

test('after a reload the same file goes on where it was', TEST, async (t) => {
  const seen: string[] = [];
  const { page, root, own } = await box(t, {
    onRequest: ({ method, status, received = 0 }) => void seen.push(`${method} ${status} ${received > 4 << 20}`),
  });
  const big = randomBytes(6 << 20);
  const path = await makeFile(own, 'big.bin', big);
  await slowly(page, 3 << 20);
  await page.locator('input[type=file]').first().setInputFiles(path);
  await page.locator('#transfers li', { hasText: /[34]\.\d MiB of/ }).waitFor();
  // It asks before an upload is broken off.
  page.removeAllListeners('dialog');
  page.once('dialog', (dialog) => void dialog.accept());
  await page.reload();
  await said(page, 'Broken off: big.bin');
  await slowly(page, -1);
  await page.locator('input[type=file]').first().setInputFiles(path);
  await said(page, '1 file uploaded');
  assert.ok((await readFile(join(root, 'big.bin'))).equals(big));
  // The second time it asked how much is there, and sent less than all.
  const [head] = seen.filter((each) => each.startsWith('HEAD'));
  assert.equal(head, 'HEAD 200 false');
  assert.equal(seen.filter((each) => each === 'PATCH 204 true').length, 0, seen.join());
});

test('an upload that is cancelled leaves nothing', TEST, async (t) => {
  const { page, root, own } = await box(t);
  await slowly(page, 1 << 20);
  await page
    .locator('input[type=file]')
    .first()
    .setInputFiles(await makeFile(own, 'big.bin', randomBytes(8 << 20)));
  await page.locator('#transfers li', { hasText: /MiB of/ }).waitFor();
  await page.getByRole('button', { name: 'Cancel big.bin' }).click();
  while ((await readdir(root)).length > 0) await page.waitForTimeout(20);
  assert.equal(await page.locator('#transfers li').count(), 0);
});

test('what is refused says why, and the others are saved', TEST, async (t) => {
  const { page, root, own } = await box(t, { upload: { mostFileBytes: 1000 } });
  await writeFile(join(root, 'there.txt'), 'first');
  const names = ['there.txt', 'large.txt', 'good.txt'];
  const files = [];
  for (const name of names) files.push(await makeFile(own, name, name === 'large.txt' ? 'x'.repeat(2000) : 'new'));
  // A browser writes each refusal to its console, too.
  page.removeAllListeners('console');
  await page.locator('input[type=file]').first().setInputFiles(files);
  await said(page, '1 file uploaded, 2 files not uploaded');
  const texts = await page.locator('#transfers li').allTextContents();
  assert.match(texts[0] as string, /^there\.txtSomething has that name already, and nothing is overwritten here\.$/);
  assert.match(texts[1] as string, /^large\.txtA file may have 1000 bytes here/);
  assert.equal(await readFile(join(root, 'there.txt'), 'utf8'), 'first');
  assert.equal(await readFile(join(root, 'good.txt'), 'utf8'), 'new');
});

test('what is there is renamed and removed, where that is allowed', TEST, async (t) => {
  const { page, root, url } = await box(t, { upload: { manage: true } });
  await mkdir(join(root, 'old folder'));
  await writeFile(join(root, 'old folder', 'x'), 'x');
  await writeFile(join(root, 'a.txt'), 'a');
  await page.goto(`${url}/`);
  await page.getByRole('button', { name: 'Rename or delete a.txt' }).click();
  await page.getByLabel('New name').fill('b c.txt');
  await page.getByRole('button', { name: 'Rename', exact: true }).click();
  await page.getByRole('link', { name: 'b c.txt', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Rename or delete old folder' }).click();
  await page.getByRole('button', { name: 'Delete the folder and all that is in it' }).click();
  await page.getByRole('link', { name: 'old folder/' }).waitFor({ state: 'detached' });
  assert.deepEqual(await readdir(root), ['b c.txt']);
});

test('exactly the file of the row is removed, whatever its name holds', TEST, async (t) => {
  const { page, root, url } = await box(t, { upload: { manage: true } });
  const names = ['back\\slash', 'slash', Buffer.from('x\xff.txt', 'latin1'), 'xff.txt', 'two\nlines', 'twolines'];
  for (const name of names) await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name)]), 'x');
  await page.goto(`${url}/`);
  for (const shown of ['back\\slash', 'x\\xff.txt', 'two\\nlines']) {
    await page.getByRole('button', { name: `Rename or delete ${shown}`, exact: true }).click();
    await page.getByRole('button', { name: 'Delete the file' }).click();
    await page.getByRole('link', { name: shown, exact: true }).waitFor({ state: 'detached' });
  }
  assert.deepEqual((await readdir(root)).toSorted(), ['slash', 'twolines', 'xff.txt']);
});

test('without a script the forms do it', TEST, async (t) => {
  const { page, root, url, own } = await box(t, { upload: { manage: true } }, { javaScriptEnabled: false });
  const big = randomBytes(2 << 20);
  const files = [await makeFile(own, 'a "b".txt', 'hello'), await makeFile(own, 'big.bin', big)];
  await page.getByLabel('Files', { exact: true }).setInputFiles(files);
  await page.getByRole('button', { name: 'Upload' }).click();
  await page.getByRole('link', { name: 'big.bin' }).waitFor();
  assert.equal(page.url(), `${url}/`);
  const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  assert.equal(digest(await readFile(join(root, 'big.bin'))), digest(big));
  assert.equal(await readFile(join(root, 'a "b".txt'), 'utf8'), 'hello');
  await page.getByLabel('New folder').fill('sub');
  await page.getByRole('button', { name: 'Make' }).click();
  await page.getByRole('link', { name: 'sub/' }).click();
  await page.getByLabel('Files', { exact: true }).setInputFiles(files[0] as string);
  await page.getByRole('button', { name: 'Upload' }).click();
  await page.getByRole('link', { name: 'a "b".txt' }).waitFor();
  await page.goto(`${url}/`);
  page.removeAllListeners('console');
  await page.getByLabel('Files', { exact: true }).setInputFiles(files[1] as string);
  await page.getByRole('button', { name: 'Upload' }).click();
  await page.getByText('Something has that name already, and nothing is overwritten here.').waitFor();
  await page.getByRole('link', { name: 'Back to the folder' }).click();
  await page.getByLabel('Name', { exact: true }).fill('big.bin');
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('link', { name: 'big.bin' }).waitFor({ state: 'detached' });
});

test('a drop box takes files and shows none, on a phone too', TEST, async (t) => {
  const { page, root, own } = await box(t, { upload: { only: true } }, { viewport: PHONE });
  await page
    .locator('input[type=file]')
    .first()
    .setInputFiles(await makeFile(own, 'secret.txt', 's'));
  await said(page, '1 file uploaded');
  assert.equal(await readFile(join(root, 'secret.txt'), 'utf8'), 's');
  assert.equal(await page.getByRole('link').count(), 0);
  assert.equal(await sidewaysPixels(page), 0);
});

test('where the first upload is the only one, a person sees that it was made', TEST, async (t) => {
  const { page, root, own } = await box(t, { upload: { mostFiles: 1 } });
  const field = page.locator('input[type=file]');
  assert.equal(await field.count(), 1, 'no folder can be chosen');
  assert.equal(await field.evaluate((input: HTMLInputElement) => input.multiple), false);
  await field.setInputFiles(await makeFile(own, 'one.txt', '1'));
  await said(page, '1 file uploaded');
  assert.equal(await page.getByRole('button', { name: 'Pause' }).count(), 0, 'what is done cannot be paused');
  await page.getByRole('button', { name: 'Take one.txt off this list' }).click();
  assert.deepEqual(await readdir(root), ['one.txt']);
  assert.ok(await page.getByRole('heading').first().isVisible(), 'the page was not left');
});
