/**
 * `xfer put` into `xfer serve --upload`, either of which is killed at random points: a name is right or absent, the same
 * command again makes it right, no more than a block is sent twice for a kill, and nothing is left beside it. XFER_KILLS sets
 * how many, XFER_SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FaultyProxy, startFaultyProxy } from '../support/faulty-proxy.js';
import { freePort } from '../support/free-port.js';
import { Dice, pickSeed } from '../support/random.js';
import { runXfer, type Started, startXfer } from '../support/run-xfer.js';
import { makeFlatTree, makeRandomFile } from '../support/trees.js';

const KILLS = Number(process.env.XFER_KILLS ?? (process.env.CI ? 24 : 12));
/** Kills of one copy before it is let through. */
const IN_A_ROW = 3;
const LARGE_BYTES = 24 << 20;
/** What lanes take, of which there is one. The line is slow, so that next to nothing waits in the buffers on its way. */
const BLOCK_BYTES = 8 << 20;
const SMALL_FILES = 60;

class Ground {
  readonly above = mkdtempSync(join(tmpdir(), 'xfer-put-kills-'));
  readonly root = join(this.above, 'root');
  readonly env = { XDG_STATE_HOME: join(this.above, 'state') };
  #server: Started | undefined;
  #port = 0;

  /** The line to the listener counts what goes up, and has the same address whichever listener is at its end. */
  async open(t: TestContext): Promise<FaultyProxy> {
    mkdirSync(this.root);
    this.#port = await freePort();
    const line = await startFaultyProxy({ to: { host: '127.0.0.1', port: this.#port }, way: 'up' });
    t.after(async () => {
      await line.stop();
      await this.killServer();
      rmSync(this.above, { recursive: true, force: true });
    });
    return line;
  }

  async startServer(...more: readonly string[]): Promise<void> {
    if (this.#server) return;
    const args = ['serve', '--upload', '--log', 'off', ...more, '--bind', '127.0.0.1', this.root, String(this.#port)];
    this.#server = startXfer(args, { env: this.env });
    await this.#server.waitForLine(/^serving on /m);
  }

  async killServer(): Promise<void> {
    await this.#server?.stop('SIGKILL');
    this.#server = undefined;
  }

  /** Runs the command, and kills it or the listener some time after bytes began to pass. */
  async killed(args: readonly string[], line: FaultyProxy, dice: Dice): Promise<'ended' | 'client' | 'server'> {
    await this.startServer();
    const before = line.bytes;
    const victim = dice.below(2) === 0 ? 'client' : 'server';
    const delayMs = dice.below(700);
    let sinceMs = 0;
    let dead = false;
    const { exitCode } = await runXfer([...args, '--retry', '0'], {
      env: this.env,
      timeoutMs: 60_000,
      killWhen: () => {
        if (sinceMs === 0 && line.bytes > before) sinceMs = performance.now();
        if (dead || sinceMs === 0 || performance.now() - sinceMs < delayMs) return false;
        dead = true;
        if (victim === 'server') void this.killServer();
        return victim === 'client';
      },
    });
    if (dead && victim === 'server') await this.killServer();
    return exitCode === 0 ? 'ended' : victim;
  }

  /** With tries: the listener may not have seen yet that the one who was killed is gone. */
  async mustEnd(args: readonly string[], seed: number): Promise<void> {
    await this.startServer();
    const { exitCode, stderr } = await runXfer(args, { env: this.env, timeoutMs: 60_000 });
    assert.equal(exitCode, 0, `seed ${seed}: ${stderr}`);
  }

  /** What was begun for a client that died before it knew where is known to the listener alone, which removes it in time. */
  async mustSweep(): Promise<void> {
    await this.killServer();
    await this.startServer('--keep-parts', '1s');
    for (let looks = 0; this.left().length > 0; looks += 1) {
      assert.ok(looks < 300, `left: ${this.left()}`);
      await sleep(100);
    }
  }

  left(): string[] {
    return (readdirSync(this.root, { recursive: true }) as string[]).filter((name) => name.endsWith('.xfer-part'));
  }
}

test('a large file: right or absent, and no more than a block is sent twice for a kill', {
  timeout: 600_000,
}, async (t) => {
  const [seed, ground] = [pickSeed(), new Ground()];
  t.diagnostic(`seed ${seed}`);
  const dice = new Dice(seed);
  const line = await ground.open(t);
  const url = `http://127.0.0.1:${line.port}/`;
  const source = join(ground.above, 'large');
  makeRandomFile(source, LARGE_BYTES);
  const bytes = readFileSync(source);
  let [kills, cut] = [0, 0];
  for (let round = 0; kills < KILLS; round += 1) {
    const target = join(ground.root, `file-${round}`);
    const args = ['put', '-q', '--limit', '30M', source, `${url}file-${round}`];
    const before = line.bytes;
    let inARow = 0;
    for (let ended = false; !ended && inARow < IN_A_ROW; ) {
      ended = (await ground.killed(args, line, dice)) === 'ended';
      if (ended) break;
      inARow += 1;
      if (existsSync(target)) assert.ok(readFileSync(target).equals(bytes), `seed ${seed}: file-${round} is wrong`);
      else cut += ground.left().length;
    }
    kills += Math.max(inARow, 1);
    await ground.mustEnd(args, seed);
    assert.ok(readFileSync(target).equals(bytes), `seed ${seed}: file-${round} is wrong in the end`);
    const twice = line.bytes - before - LARGE_BYTES;
    const most = inARow * BLOCK_BYTES + (64 << 10);
    assert.ok(twice <= most, `seed ${seed}: ${twice} bytes were sent twice in file-${round}, for ${inARow} kills`);
    rmSync(target);
  }
  assert.ok(cut > 0, 'some were killed in the middle');
  await ground.mustSweep();
  // Half of a note, from a kill while it was written, goes an hour later.
  const notes = readdirSync(join(ground.env.XDG_STATE_HOME, 'xfer', 'put')).filter((name) => name.endsWith('.upload'));
  assert.deepEqual(notes, []);
});

test('a folder of small files: each right or absent, and all there in the end', { timeout: 600_000 }, async (t) => {
  const [seed, ground] = [pickSeed(), new Ground()];
  t.diagnostic(`seed ${seed}`);
  const dice = new Dice(seed);
  const line = await ground.open(t);
  const url = `http://127.0.0.1:${line.port}/`;
  makeFlatTree(join(ground.above, 'many'), SMALL_FILES, 90_000);
  const [source, target] = [join(ground.above, 'many', 'd0'), join(ground.root, 'd0')];
  const names = readdirSync(source);
  const same = (name: string): boolean => {
    const [one, other] = [join(source, name), join(target, name)];
    return !existsSync(other) || readFileSync(one).equals(readFileSync(other));
  };
  const args = ['put', '-q', '--limit', '10M', source, url];
  for (let kills = 0; kills < Math.ceil(KILLS / 2); ) {
    for (let inARow = 0; inARow < IN_A_ROW; inARow += 1) {
      kills += 1;
      if ((await ground.killed(args, line, dice)) === 'ended') break;
      for (const name of names) assert.ok(same(name), `seed ${seed}: ${name} is wrong`);
    }
    await ground.mustEnd(args, seed);
    assert.deepEqual(readdirSync(target).sort(), names.sort(), `seed ${seed}`);
    for (const name of names) assert.ok(same(name), `seed ${seed}: ${name} is wrong in the end`);
    rmSync(target, { recursive: true });
  }
});
