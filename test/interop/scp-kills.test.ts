/**
 * Copies that are killed, or lose their line, at random points: never a short file under its name, and the same command
 * again makes it whole and leaves nothing else. XFER_KILLS sets how many, XFER_SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type FaultyProxy, startFaultyProxy } from '../support/faulty-proxy.js';
import { needs } from '../support/peers.js';
import { Dice, pickSeed } from '../support/random.js';
import { type RunResult, runXfer } from '../support/run-xfer.js';
import { type Sshd, startSshd } from '../support/sshd.js';
import { differences, makeFlatTree, makeRandomFile } from '../support/trees.js';

const KILLS = Number(process.env.XFER_KILLS ?? (process.env.CI ? 200 : 40));
/** Kills of one copy before it is let through. */
const IN_A_ROW = 4;
const LARGE_BYTES = 20 << 20;
/** So slow that a copy takes longer than a process takes to start. */
const SLOW = ['--limit', '80M'];
const program = { ...needs('sshd', 'ssh-keygen'), timeout: 900_000 };

describe('copies that are killed', program, () => {
  let root: string;
  let sshd: Sshd;
  let line: FaultyProxy;
  let options: string[];

  before(async () => {
    if (program.skip !== undefined) return;
    root = mkdtempSync(join(tmpdir(), 'xfer-kills-'));
    makeRandomFile(join(root, 'large'), LARGE_BYTES);
    mkdirSync(join(root, 'tree'));
    makeFlatTree(join(root, 'tree/many'), 150, 3000);
    makeRandomFile(join(root, 'tree/large'), LARGE_BYTES / 2);
    sshd = await startSshd();
    line = await startFaultyProxy({ to: { host: '127.0.0.1', port: sshd.port } });
    const alias = `HostKeyAlias=[127.0.0.1]:${sshd.port}`;
    options = ['-q', '-r', '-F', sshd.configFile, '-o', alias, '-o', `Port=${line.port}`, '--retry', '0', ...SLOW];
  });
  after(async () => {
    if (program.skip !== undefined) return;
    await line.stop();
    await sshd.stop();
    rmSync(root, { recursive: true, force: true });
  });

  /** Kills the client or cuts the line some time after the first byte is there, or while it starts. */
  async function killed(args: readonly string[], target: string, dice: Dice): Promise<RunResult> {
    const cuts = dice.below(2) === 0;
    const atStart = dice.below(5) === 0;
    const delayMs = dice.below(atStart ? 250 : 220);
    let sinceMs = atStart ? performance.now() : 0;
    let cut = false;
    return runXfer(args, {
      timeoutMs: 60_000,
      killWhen: () => {
        if (sinceMs === 0 && hasBegun(target)) sinceMs = performance.now();
        if (sinceMs === 0 || performance.now() - sinceMs < delayMs) return false;
        if (cuts && !cut) line.cut();
        cut = true;
        return !cuts;
      },
    });
  }

  for (const [at, way] of (['up', 'down', 'between'] as const).entries()) {
    for (const what of ['large', 'tree'] as const) {
      const seed = pickSeed() + at;
      test(`${way}, ${what}, seed ${seed}`, program, async () => {
        const dice = new Dice(seed);
        const share = way === 'between' ? 0.1 : 0.2;
        const source = join(root, what);
        let kills = 0;
        for (let round = 0; kills < KILLS * share; round++) {
          const folder = join(root, `${way}-${what}-${round}`);
          mkdirSync(folder);
          // A directory that is there takes the tree in, each time in the same way.
          const target = join(folder, what);
          const [from, to] = { up: ['', 'h:'], down: ['h:', ''], between: ['h:', 'h:'] }[way] as [string, string];
          const args = ['scp', ...options, from + source, `${to}${folder}/`];
          for (let count = 0; count < IN_A_ROW; count++) {
            const { exitCode, stderr } = await killed(args, folder, dice);
            kills += exitCode === 0 ? 0 : 1;
            assert.ok(exitCode === null || exitCode === 0 || exitCode === 5 || exitCode === 9, stderr);
            assertNothingShort(source, target);
          }
          const { exitCode, stderr } = await runXfer(args, { timeoutMs: 60_000 });
          assert.equal(exitCode, 0, stderr);
          assert.deepEqual(differences(source, target), []);
          assert.deepEqual(readdirSync(folder), [what]);
          rmSync(folder, { recursive: true });
        }
      });
    }
  }
});

function hasBegun(folder: string): boolean {
  return readdirSync(folder).length > 0;
}

/** What has its name has all its bytes. */
function assertNothingShort(source: string, target: string): void {
  if (!existsSync(target)) return;
  if (!existsSync(join(source, 'large'))) {
    assert.ok(readFileSync(source).equals(readFileSync(target)), `${target} is not whole`);
    return;
  }
  for (const name of readdirSync(target, { recursive: true, encoding: 'utf8' })) {
    const hidden = name.split('/').some((part) => part.startsWith('.'));
    if (hidden || statSync(join(target, name)).isDirectory()) continue;
    assert.ok(readFileSync(join(source, name)).equals(readFileSync(join(target, name))), `${name} is not whole`);
  }
}
