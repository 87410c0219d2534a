import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { bytesFromName } from '#xfer/names.js';
import { needs } from '../../support/peers.js';
import { launch, visit } from './browser.js';

const TEST = { ...needs('chromium'), timeout: 60_000 };

const NAMES = [
  '<img src=x onerror=alert(1)>',
  '"onmouseover="alert(1)',
  "'onfocus='alert(1)' autofocus='",
  'javascript:alert(1)',
  'javascript:alert(1).txt',
  '<script>alert(1)<',
  '--><svg onload=alert(1)>.md',
  `\${alert(1)}\`.txt`,
  'line\u2028separator',
  'right\u202eto left gpj.exe',
  'new\nline.txt',
  'latin1\udce9.txt',
  '\udcff\udcfe.png',
  '&lt;b&gt;&#x22;.txt',
  '%3Cscript%3E.txt',
  '?render',
  '#fragment.txt',
  '__proto__',
  'constructor.txt',
  ' leading and trailing ',
  'a  b',
  'README',
];

let browser: Browser;
before(async () => {
  if (!TEST.skip) browser = await launch();
});
after(() => browser?.close());

test('no name does anything but be shown, be followed, and be found', TEST, async (t) => {
  const { page, root, url } = await visit(t, browser);
  for (const name of NAMES) {
    const place = Buffer.concat([Buffer.from(`${root}/`), bytesFromName(name)]);
    await writeFile(place, `<script>alert(1)</script>${JSON.stringify(name)}`);
  }
  await mkdir(join(root, '"><svg onload=alert(1)>', '<script>alert(1)<'), { recursive: true });
  await page.goto(`${url}/?sort=%3Cscript%3Ealert(1)%3C/script%3E&order="><img src=x onerror=alert(1)>`);
  const links = page.locator('#rows td:first-child a');
  assert.equal(await links.count(), NAMES.length + 1);
  await page.getByRole('region', { name: 'README' }).waitFor();
  const bodies = await page.evaluate(async () => {
    const all = [...document.querySelectorAll<HTMLAnchorElement>('#rows tr:not(.folder) td:first-child a')];
    return Promise.all(all.map(async (link) => (await fetch(link.href)).text()));
  });
  assert.deepEqual(bodies.sort(), NAMES.map((name) => `<script>alert(1)</script>${JSON.stringify(name)}`).sort());
  for (const text of ['<img', '"on', "'on", '</script>', '%', '\\']) await page.locator('#filter').fill(text);
  await page.locator('#filter').fill('');
  for (let index = 0; index <= NAMES.length; index += 1) await links.nth(index).hover();
  await page.getByRole('link', { name: 'javascript:alert(1).txt', exact: true }).click();
  const count = Number(/of (\d+)/.exec((await page.locator('dialog [role=status]').textContent()) ?? '')?.[1]);
  for (let step = 0; step < count; step += 1) await page.keyboard.press('ArrowLeft');
  for (let step = 0; step < count; step += 1) {
    if ((await page.locator('dialog h2').textContent())?.endsWith('.png'))
      await page.getByText('It cannot be shown').waitFor();
    else await page.locator('dialog :is(pre, .prose)').waitFor();
    await page.keyboard.press('ArrowRight');
  }
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: '"><svg onload=alert(1)>/', exact: true }).click();
  await page.getByRole('link', { name: '<script>alert(1)</', exact: true }).click();
  assert.equal(await page.locator('h1').textContent(), '<script>alert(1)<');
});

test('a page that was uploaded runs nothing, and asks for nothing in our name', TEST, async (t) => {
  const { page, root, url } = await visit(t, browser, {}, { upload: { manage: true } });
  const evil = `<h1>mine</h1><script>fetch('/secret',{method:'DELETE'});alert(1)</script><img src=x onerror=alert(1)>
    <form method=post action=/><input name=action value=remove><input name=name value=secret><button>go</button></form>`;
  await writeFile(join(root, 'secret'), 's');
  for (const [name, text] of [
    ['x.html', evil],
    [
      'x.xhtml',
      `<html xmlns="http://www.w3.org/1999/xhtml"><body><h1>mine</h1><script>alert(1)</script></body></html>`,
    ],
    ['x.svg', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><text y="20">mine</text></svg>'],
  ] as const) {
    assert.equal((await fetch(`${url}/${name}`, { method: 'PUT', body: text })).status, 201);
    // The browser writes to its console what it does not let through; a dialog or an error is what must not be.
    page.removeAllListeners('console');
    await page.goto(`${url}/${name}`);
    await page.getByText('mine').waitFor();
    assert.equal(await page.evaluate(() => origin), 'null', name);
    if (name === 'x.html') await page.getByRole('button', { name: 'go' }).click();
  }
  assert.equal(await (await fetch(`${url}/secret`)).text(), 's');
});
