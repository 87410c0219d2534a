/**
 * Downloads that are killed at random points, or whose server is: never a wrong file under its name, the same command again
 * makes it whole, or it goes on by itself where the server died, and of what was acknowledged at most a block a lane is sent
 * twice. XFER_KILLS sets how many, XFER_SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../support/free-port.js';
import { Dice, pickSeed } from '../support/random.js';
import { startRecordingLine } from '../support/recording-line.js';
import { runXfer, type Started, startXfer, XFER, xferEnvironment } from '../support/run-xfer.js';
import { makeRandomFile } from '../support/trees.js';

const KILLS = Number(process.env.XFER_KILLS ?? (process.env.CI ? 40 : 16));
/** They take longer, as the server starts again. */
const SERVER_KILLS = Number(process.env.XFER_KILLS ?? (process.env.CI ? 12 : 8));
const IN_A_ROW = 4;
const SIZE = 40 << 20;
const BLOCK = 8 << 20;
/** What the heads of all answers take, and more. */
const HEADS = 64 << 10;
/** So slow that a download takes longer than a process takes to start. */
const SLOW = ['--limit', '60M'];

interface Run {
  readonly exitCode: number | null;
  readonly stderr: string;
  /** Held when it began, and when something was last heard of it; undefined where it did not get so far. */
  readonly begunAt: number | undefined;
  readonly lastAt: number | undefined;
}

describe('downloads that are killed', { timeout: 900_000 }, () => {
  let root: string;
  let server: Started;
  let url: string;
  let whole: Buffer;

  before(async () => {
    root = mkdtempSync(join(tmpdir(), 'xfer-get-kills-'));
    makeRandomFile(join(root, 'file'), SIZE);
    whole = readFileSync(join(root, 'file'));
    server = startXfer(['serve', join(root, 'file'), '--port', '0', '--log', 'off']);
    url = `${(await server.waitForLine(/serving on (http:\/\/localhost:\d+)/))[1]}/file`;
    // A file that was changed just now has a weak tag, by which nothing goes on.
    while ((await fetch(url, { method: 'HEAD' })).headers.get('etag')?.startsWith('W/')) await sleep(50);
  });
  after(async () => {
    await server.stop();
    rmSync(root, { recursive: true, force: true });
  });

  for (const [label, lanes] of [
    ['get', 1],
    ['get --parallel 4', 4],
  ] as const) {
    const seed = pickSeed() + lanes;
    test(`${label}, seed ${seed}`, { timeout: 900_000 }, async () => {
      const dice = new Dice(seed);
      let kills = 0;
      while (kills < KILLS) kills += await round(lanes, dice);
    });

    test(`${label}, whose server is killed, seed ${seed}`, { timeout: 900_000 }, async () => {
      const dice = new Dice(seed);
      let kills = 0;
      while (kills < SERVER_KILLS) kills += await serverRound(lanes, dice);
    });
  }

  /** Kills one download a few times, and lets it through; how often it was killed. */
  async function round(lanes: number, dice: Dice): Promise<number> {
    const folder = mkdtempSync(join(root, 'out-'));
    const out = join(folder, 'file');
    const words = ['get', '--json', '--parallel', String(lanes), ...SLOW, '-o', out, url];
    let [kills, lastAt] = [0, 0];
    while (kills < IN_A_ROW && !existsSync(out)) {
      const run = await killed(words, dice.below(400), dice.below(5) === 0);
      assert.ok(run.exitCode === null || run.exitCode === 0, run.stderr);
      if (run.exitCode === null) kills += 1;
      assertResumed(run, lastAt, lanes);
      lastAt = run.lastAt ?? lastAt;
    }
    if (!existsSync(out)) {
      const { exitCode, stderr } = await runXfer(words, { timeoutMs: 60_000 });
      assert.equal(exitCode, 0, stderr);
    }
    assert.ok(readFileSync(out).equals(whole), 'a wrong file under the final name');
    // One that was killed behind its last step leaves what the next run would sweep.
    const left = readdirSync(folder).filter((name) => name !== 'file' && !name.startsWith('.file.'));
    assert.deepEqual(left, []);
    rmSync(folder, { recursive: true });
    return kills;
  }

  /** Kills the server of one download a few times; how often it was killed. */
  async function serverRound(lanes: number, dice: Dice): Promise<number> {
    const folder = mkdtempSync(join(root, 'out-'));
    const out = join(folder, 'file');
    const port = await freePort();
    const line = await startRecordingLine(port);
    let served = await serveAt(port);
    const words = ['get', '--parallel', String(lanes), ...SLOW, '--retry', '50', '-o', out];
    let ended = false;
    const getting = runXfer([...words, `http://127.0.0.1:${line.port}/file`], { timeoutMs: 60_000 }).finally(() => {
      ended = true;
    });
    let kills = 0;
    try {
      for (await sleep(dice.below(900)); kills < IN_A_ROW && !ended; await sleep(dice.below(700))) {
        await served.stop('SIGKILL');
        kills += 1;
        assert.ok(!existsSync(out) || readFileSync(out).equals(whole), 'a wrong file under the final name');
        served = await serveAt(port);
      }
      const { exitCode, stderr } = await getting;
      assert.equal(exitCode, 0, stderr);
      assert.ok(readFileSync(out).equals(whole), 'a wrong file in the end');
      assert.deepEqual(readdirSync(folder), ['file']);
      const sent = line.down().length;
      // The first answer is of the whole file, and is cut where the first lane's part ends: what was on its way by then is lost.
      assert.ok(sent < SIZE + BLOCK + kills * lanes * BLOCK + HEADS, `${sent} bytes were sent, through ${kills} kills`);
    } finally {
      await served.stop('SIGKILL');
      await line.stop();
    }
    rmSync(folder, { recursive: true });
    return kills;
  }

  async function serveAt(port: number): Promise<Started> {
    const started = startXfer(['serve', '--log', 'off', '--bind', '127.0.0.1', join(root, 'file'), String(port)]);
    await started.waitForLine(/^serving on /m);
    return started;
  }
});

function assertResumed({ begunAt }: Run, lastAt: number, lanes: number): void {
  if (begunAt === undefined) return;
  assert.ok(begunAt >= lastAt - lanes * BLOCK, `${lastAt} bytes were held, and it goes on from ${begunAt}`);
}

/** Runs a command until some time after it began with the file, or after it was started. */
function killed(words: readonly string[], afterMs: number, fromStart: boolean): Promise<Run> {
  const child = spawn(process.execPath, [XFER, ...words], {
    env: xferEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [begunAt, lastAt]: (number | undefined)[] = [];
  let stderr = '';
  let rest = '';
  const kill = () => setTimeout(() => child.kill('SIGKILL'), afterMs);
  let timer = fromStart ? kill() : undefined;
  child.stderr.on('data', (piece: Buffer) => {
    stderr += piece.toString();
  });
  child.stdout.on('data', (piece: Buffer) => {
    const lines = (rest + piece.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = JSON.parse(line) as { type: string; heldBytes?: number; bytes?: number };
      if (event.type === 'start') begunAt = event.heldBytes;
      if (event.type === 'progress') lastAt = event.bytes;
      if (event.type === 'start') timer ??= kill();
    }
  });
  return new Promise((resolve) => {
    child.on('close', (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, stderr, begunAt, lastAt });
    });
  });
}
