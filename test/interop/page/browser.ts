/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** Chromium on a page of the listener, watched for whatever a good page never does. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { type HttpListenOptions, listen } from '#xfer/transports/http/listen/index.js';
import { openLocalSink } from '#xfer/transports/local/sink.js';
import { openLocalSource } from '#xfer/transports/local/source.js';
import { findProgram } from '../../support/peers.js';

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

export interface Visit {
  readonly page: Page;
  /** The folder, empty at first. */
  readonly root: string;
  /** Of the root, without a `/` at its end. */
  readonly url: string;
}

/**
 * Serves a new folder of this machine as `xfer serve` does, with `upload` as with `--upload`, and opens an empty page in a profile of its own. When the test
 * ends it fails where a dialog was opened, an error was thrown or written to the console, or the policy stopped something.
 */
export async function visit(
  t: TestContext,
  browser: Browser,
  options: BrowserContextOptions = {},
  served: Partial<HttpListenOptions> = {},
): Promise<Visit> {
  const root = await mkdtemp(join(tmpdir(), 'xfer-page-'));
  const scope = { signal: new AbortController().signal };
  const share = await openLocalSource(root);
  const receive = served.upload && { receive: await openLocalSink(root, { guarded: true }) };
  const listener = await listen({ hosts: ['127.0.0.1'], port: 0, share, ...receive, ...served }, scope);
  const context = await browser.newContext({ viewport: DESK, locale: 'en-GB', timezoneId: 'Asia/Tokyo', ...options });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const wrongs = watch(page);
  t.after(async () => {
    // In this order, so that nothing that the page still asks for is refused.
    await context.close();
    await listener.close();
    await rm(root, { recursive: true });
    assert.deepEqual(wrongs, []);
  });
  return { page, root, url: `http://127.0.0.1:${listener.address.port}` };
}

function watch(page: Page): string[] {
  const wrongs: string[] = [];
  page.on('dialog', (dialog) => {
    wrongs.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('pageerror', (error) => wrongs.push(`error: ${error.message}`));
  page.on('console', (message) => {
    const { url } = message.location();
    // A browser asks for that by itself beside a file that is no page.
    if (message.type() !== 'log' && !url.endsWith('/favicon.ico')) wrongs.push(`console: ${message.text()} ${url}`);
  });
  return wrongs;
}

/** Names of the rows that are to be seen, from the top. */
export function visibleNames(page: Page): Promise<string[]> {
  return page.locator('#rows tr:visible td:first-child a').allTextContents();
}

/** By how many pixels the page is wider than its window. */
export function sidewaysPixels(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
