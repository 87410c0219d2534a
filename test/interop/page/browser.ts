/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** Chromium on a page of the listener, watched for whatever a good page never does. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { openLocalSource } from '#xfer/transports/local/source.js';
import { findProgram } from '../../support/peers.js';
import { type DiskSource, serve } from '../../transports/http/listen/rig.js';

const QUIET = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const LOCAL = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage', '--no-proxy-server'];
const WAIT_MS = 20_000;

export const PHONE = { width: 360, height: 740 };
export const DESK = { width: 1100, height: 760 };

/** One browser for all tests of a file; end it after the last one. */
export function launch(): Promise<Browser> {
  const executablePath = findProgram('chromium');
  return chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }), args: [...LOCAL, ...QUIET] });
}

/** Serves a folder of this machine as `xfer serve` does, until the test ends. */
export async function serveFolder(t: TestContext, root: string): Promise<string> {
  const { url } = await serve(t, root, { share: (await openLocalSource(root)) as unknown as DiskSource });
  return url;
}

/**
 * A page in a profile of its own, to be opened before what it visits is served, so that it is closed first. When the test ends it fails where a dialog was opened, an error was thrown or written to
 * the console, or the policy stopped something.
 */
export async function openPage(t: TestContext, browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: DESK, locale: 'en-GB', timezoneId: 'Asia/Tokyo', ...options });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const wrongs: string[] = [];
  page.on('dialog', (dialog) => {
    wrongs.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('pageerror', (error) => wrongs.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() !== 'log') wrongs.push(`console: ${message.text()}`);
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(wrongs, []);
  });
  return page;
}

/** Names of the rows that are to be seen, from the top. */
export function visibleNames(page: Page): Promise<string[]> {
  return page.locator('#rows tr:visible td:first-child a').allTextContents();
}

/** By how many pixels the page is wider than its window. */
export function sidewaysPixels(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
