/** Takes the pictures of the README anew: `npm run screenshots`. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { listen } from '#xfer/transports/http/listen/index.js';
import { openLocalSource } from '#xfer/transports/local/source.js';
import { DESK, launch, PHONE } from './browser.js';
import { makeSampleFolder } from './sample-folder.js';

const DOCS = join(import.meta.dirname, '..', '..', '..', 'docs');

interface Picture {
  readonly name: string;
  readonly viewport: { readonly width: number; readonly height: number };
  readonly colorScheme: 'dark' | 'light';
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
];

const root = await mkdtemp(join(tmpdir(), 'xfer-screenshots-'));
await makeSampleFolder(root);
await mkdir(DOCS, { recursive: true });
const scope = { signal: new AbortController().signal };
const listener = await listen({ hosts: ['127.0.0.1'], port: 0, share: await openLocalSource(root) }, scope);
const browser = await launch();
for (const { name, viewport, colorScheme, show } of PICTURES) {
  const page = await browser.newPage({ viewport, colorScheme, locale: 'en-GB', timezoneId: 'Europe/Vienna' });
  await page.goto(listener.urls[0] as string);
  await page.locator('#readme').waitFor();
  await show?.(page);
  await page.screenshot({ path: join(DOCS, `${name}.png`) });
  await page.close();
}
await browser.close();
await listener.close();
await rm(root, { recursive: true });
