/**
 * Uploads by the page in Chromium, whose server or page is killed at random points: a name is right or absent, and the file
 * is whole in the end: by itself where the server died, once it is chosen again where the page did. XFER_KILLS sets how
 * many, XFER_SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { isDraftName } from '#xfer/draft-name.js';
import { freePort } from '../../support/free-port.js';
import { needs } from '../../support/peers.js';
import { Dice, pickSeed } from '../../support/random.js';
import { type Started, startXfer } from '../../support/run-xfer.js';
import { launch } from './browser.js';

const KILLS = Number(process.env.XFER_KILLS ?? (process.env.CI ? 12 : 6));
const TEST = { ...needs('chromium'), timeout: 60_000 + KILLS * 15_000 };
const FILE_BYTES = 6 << 20;
/** So that an upload takes a second and a half. */
const BYTES_PER_SECOND = 4 << 20;
const MOST_IN_A_ROW = 3;

class Ground {
  readonly folder = mkdtempSync(join(tmpdir(), 'xfer-page-kills-'));
  readonly root = join(this.folder, 'inbox');
  readonly #port: number;
  readonly #browser: Browser;
  readonly #context: BrowserContext;
  #server: Started | undefined;
  page: Page | undefined;

  constructor(port: number, browser: Browser, context: BrowserContext) {
    this.#port = port;
    this.#browser = browser;
    this.#context = context;
    mkdirSync(this.root);
  }

  async startServer(): Promise<void> {
    const args = ['serve', '--upload', '--log', 'off', '--bind', '127.0.0.1', this.root, String(this.#port)];
    this.#server = startXfer(args, { env: { XDG_STATE_HOME: join(this.folder, 'state') } });
    await this.#server.waitForLine(/^serving on /m);
  }

  async killServer(): Promise<void> {
    await this.#server?.stop('SIGKILL');
  }

  /** A page in which the file is chosen, on a line of `bytesPerSecond`, or as fast as it goes where that is -1. */
  async choose(path: string, bytesPerSecond: number): Promise<void> {
    const page = await this.#context.newPage();
    this.page = page;
    await page.goto(`http://127.0.0.1:${this.#port}/`);
    const session = await this.#context.newCDPSession(page);
    const conditions = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerSecond };
    await session.send('Network.emulateNetworkConditions', conditions);
    await page.locator('input[type=file]').first().setInputFiles(path);
  }

  /** `kill -9` of the page's process. A page that is only closed while it sends is, one time in a hundred, never closed by Chromium. */
  async killPage(): Promise<void> {
    const { page } = this;
    if (!page) return;
    const session = await this.#browser.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    const crashed = page.waitForEvent('crash');
    for (const { type, id } of processInfo) if (type === 'renderer') process.kill(id, 'SIGKILL');
    await crashed;
    await page.close();
    await session.detach();
    this.page = undefined;
  }

  async close(): Promise<void> {
    await this.killServer();
    rmSync(this.folder, { recursive: true });
  }
}

async function untilUploaded({ page }: Ground): Promise<void> {
  await page?.locator('#upload-status', { hasText: '1 file uploaded' }).waitFor({ timeout: 60_000 });
}

/** Uploads one file through some kills; how many there were. */
async function uploadThroughKills(ground: Ground, name: string, dice: Dice): Promise<number> {
  const bytes = randomBytes(FILE_BYTES);
  const [path, target] = [join(ground.folder, name), join(ground.root, name)];
  writeFileSync(path, bytes);
  const isRightOrAbsent = () => !existsSync(target) || readFileSync(target).equals(bytes);
  const kills = 1 + dice.below(MOST_IN_A_ROW);
  await ground.choose(path, BYTES_PER_SECOND);
  for (let count = 0; count < kills; count += 1) {
    await sleep(dice.below(1500));
    const whole = existsSync(target);
    if (dice.below(2) === 0) {
      await ground.killServer();
      assert.ok(isRightOrAbsent(), `${name} after its server was killed`);
      await ground.startServer();
    } else if (!whole) {
      await ground.killPage();
      assert.ok(isRightOrAbsent(), `${name} after its page was killed`);
      if (!existsSync(target)) await ground.choose(path, count === kills - 1 ? -1 : BYTES_PER_SECOND);
    }
  }
  const wasThere = existsSync(target);
  if (!wasThere) await untilUploaded(ground);
  assert.ok(readFileSync(target).equals(bytes), `${name} in the end`);
  await ground.killPage();
  rmSync(target);
  // It may have been on its way once more, and is kept then for the page to go on with.
  const parts = wasThere ? readdirSync(ground.root).filter(isDraftName) : [];
  for (const part of parts) rmSync(join(ground.root, part));
  return kills;
}

test('uploads by the page, killed at either end', TEST, async (t) => {
  const seed = pickSeed();
  t.diagnostic(`seed ${seed}`);
  const dice = new Dice(seed);
  const browser: Browser = await launch();
  t.after(() => browser.close());
  const ground = new Ground(await freePort(), browser, await browser.newContext());
  t.after(() => ground.close());
  await ground.startServer();
  for (let [round, kills] = [0, 0]; kills < KILLS; round += 1) {
    kills += await uploadThroughKills(ground, `file-${round}`, dice);
    assert.deepEqual(readdirSync(ground.root), [], `seed ${seed}: nothing is left beside file-${round}`);
  }
});
