/** Takes the pictures of the README anew: `npm run screenshots`. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { listen } from '#xfer/transports/http/listen/index.js';
import { openLocalSink } from '#xfer/transports/local/sink.js';
import { openLocalSource } from '#xfer/transports/local/source.js';
import { DESK, launch, PHONE } from './browser.js';
import { makeSampleFolder } from './sample-folder.js';

const DOCS = join(import.meta.dirname, '..', '..', '..', 'docs');

interface Picture {
  readonly name: string;
  readonly viewport: { readonly width: number; readonly height: number };
  readonly colorScheme: 'dark' | 'light';
  /** Of a folder that takes uploads. */
  readonly upload?: boolean;
  show?(page: Page): Promise<void>;
}

const PICTURES: readonly Picture[] = [
  { name: 'page-light', viewport: DESK, colorScheme: 'light' },
  { name: 'page-dark', viewport: DESK, colorScheme: 'dark' },
  { name: 'page-phone', viewport: PHONE, colorScheme: 'light' },
  {
    name: 'page-preview',
    viewport: DESK,
    colorScheme: 'dark',
    async show(page) {
      await page.getByRole('link', { name: 'Zugspitze am Morgen.png', exact: true }).click();
      await page.waitForFunction(() => document.querySelector('img')?.complete);
    },
  },
  { name: 'page-upload', viewport: DESK, colorScheme: 'light', upload: true, show: showUploads },
];

/** One that is there, one that is not yet, and one that may not be. */
async function showUploads(page: Page): Promise<void> {
  // Held back, so that it is shown under way.
  await page.route('**/holiday.mp4', () => undefined);
  const file = (name: string, bytes: number) => ({ name, mimeType: 'text/plain', buffer: Buffer.alloc(bytes) });
  const chosen = [file('invoice 7.pdf', 80_000), file('holiday.mp4', 900_000), file('README.md', 900)];
  await page.locator('input[type=file]').first().setInputFiles(chosen);
  await page.locator('#transfers li.done').waitFor();
  await page.getByText('nothing is overwritten').waitFor();
  await page.locator('#transfers').scrollIntoViewIfNeeded();
}

const root = await mkdtemp(join(tmpdir(), 'xfer-screenshots-'));
await makeSampleFolder(root);
await mkdir(DOCS, { recursive: true });
const scope = { signal: new AbortController().signal };
const [share, receive] = [await openLocalSource(root), await openLocalSink(root, { guarded: true })];
const listener = await listen({ hosts: ['127.0.0.1'], port: 0, share }, scope);
const taking = await listen({ hosts: ['127.0.0.1'], port: 0, share, receive }, scope);
const browser = await launch();
for (const { name, viewport, colorScheme, upload, show } of PICTURES) {
  const page = await browser.newPage({ viewport, colorScheme, locale: 'en-GB', timezoneId: 'Europe/Vienna' });
  await page.goto((upload ? taking : listener).urls[0] as string);
  await page.locator('#readme').waitFor();
  await show?.(page);
  await page.screenshot({ path: join(DOCS, `${name}.png`) });
  await page.close();
}
await browser.close();
await Promise.all([listener.close(), taking.close()]);
await rm(root, { recursive: true });
