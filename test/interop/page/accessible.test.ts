import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { needs } from '../../support/peers.js';
import { DESK, launch, PHONE, sidewaysPixels, visit } from './browser.js';
import { makeSampleFolder } from './sample-folder.js';

const TEST = { ...needs('chromium'), timeout: 120_000 };

let browser: Browser;
before(async () => {
  if (!TEST.skip) browser = await launch();
});
after(() => browser?.close());

/** What axe finds wrong, by rule and place. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations: found } = (await page.evaluate('axe.run()')) as axe.AxeResults;
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} ${target} ${failureSummary}`),
  );
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const viewport of [DESK, PHONE]) {
    test(`axe finds nothing with uploads: ${colorScheme}, ${viewport.width} wide`, TEST, async (t) => {
      const upload = { manage: true, mostFileBytes: 1000 };
      const { page, root, url } = await visit(t, browser, { viewport, colorScheme }, { upload });
      await makeSampleFolder(root);
      await page.goto(`${url}/`);
      page.removeAllListeners('console');
      const files = ['good', 'notes.txt', 'large'].map((name) => ({
        name,
        mimeType: 'text/plain',
        buffer: Buffer.alloc(name === 'large' ? 2000 : 10),
      }));
      await page.locator('input[type=file]').first().setInputFiles(files);
      await page.locator('#upload-status', { hasText: 'not uploaded' }).waitFor();
      assert.deepEqual(await violations(page), [], 'transfers');
      assert.equal(await sidewaysPixels(page), 0);
      await page.getByRole('button', { name: 'Rename or delete notes.txt' }).click();
      assert.deepEqual(await violations(page), [], 'dialog');
    });
    test(`axe finds nothing: ${colorScheme}, ${viewport.width} wide`, TEST, async (t) => {
      const { page, root, url } = await visit(t, browser, { viewport, colorScheme });
      await makeSampleFolder(root);
      await mkdir(join(root, 'films', 'raw'));
      await page.goto(`${url}/`);
      await page.locator('#readme').waitFor();
      assert.deepEqual(await violations(page), [], 'listing');
      await page.locator('#filter').fill('nothing like it');
      assert.deepEqual(await violations(page), [], 'no match');
      await page.locator('#filter').fill('');
      for (const name of ['IMG_2.png', 'README.md', 'notes.txt', 'tone.wav']) {
        await page.getByRole('link', { name, exact: true }).click();
        await page.locator('dialog :is(img, pre, audio, .prose)').waitFor();
        assert.deepEqual(await violations(page), [], name);
        await page.keyboard.press('Escape');
      }
      for (const path of ['films/', 'films/raw/', 'README.md?render']) {
        await page.goto(`${url}/${path}`);
        assert.deepEqual(await violations(page), [], path);
      }
    });
  }
}
