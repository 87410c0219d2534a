/** `xfer scp` to and from a real sshd: what arrives. How it fails is in cli-scp-failures. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needs } from '../support/peers.js';
import { Dice, pickSeed } from '../support/random.js';
import { runXfer } from '../support/run-xfer.js';
import { type Sshd, startSshd } from '../support/sshd.js';
import { bytesOnDisk, differences, makeOddTree, makeRandomFile } from '../support/trees.js';

const options = { ...needs('sshd', 'ssh-keygen'), timeout: 120_000 };
const BIG_BYTES = 64 * 1024 * 1024;
const KILLED_BYTES = 24 * 1024 * 1024;

interface Rig {
  readonly sshd: Sshd;
  /** Empty, on this side. */
  readonly near: string;
  /** Empty, on the other side. */
  readonly far: string;
  scp(args: readonly string[], killWhen?: () => boolean): ReturnType<typeof runXfer>;
}

async function prepare(t: TestContext): Promise<Rig> {
  const sshd = await startSshd();
  const near = mkdtempSync(join(tmpdir(), 'xfer-scp-'));
  t.after(async () => {
    rmSync(near, { recursive: true, force: true });
    await sshd.stop();
  });
  const scp = (args: readonly string[], killWhen?: () => boolean) =>
    runXfer(['scp', '-q', '-F', sshd.configFile, ...args], { timeoutMs: 60_000, ...(killWhen ? { killWhen } : {}) });
  return { sshd, near, far: sshd.directory, scp };
}

async function mustCopy(rig: Rig, ...args: string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await rig.scp(args);
  assert.equal(exitCode, 0, stderr);
  assert.equal(stdout.length, 0);
}

test('a big file goes up and comes down', options, async (t) => {
  const rig = await prepare(t);
  const [file, there, back] = [join(rig.near, 'in.bin'), join(rig.far, 'there.bin'), join(rig.near, 'back.bin')];
  makeRandomFile(file, BIG_BYTES + 1);
  await mustCopy(rig, file, `rig:${there}`);
  assert.deepEqual(differences(file, there), []);
  await mustCopy(rig, `rig:${there}`, back);
  assert.deepEqual(differences(file, back), []);
});

test('a tree of 200 odd names goes up and comes down, with -p times and modes too', options, async (t) => {
  const rig = await prepare(t);
  const [tree, there, back] = [join(rig.near, 'tree'), join(rig.far, 'there'), join(rig.near, 'back')];
  makeOddTree(tree, 200, { bytes: true });
  chmodSync(join(tree, 'deep'), 0o750);
  await mustCopy(rig, '-rp', tree, `rig:${there}`);
  assert.deepEqual(differences(tree, there, { modes: true, times: true }), []);
  await mustCopy(rig, '-rp', `rig:${there}`, back);
  assert.deepEqual(differences(tree, back, { modes: true, times: true }), []);
});

test('into a directory that is there, a copy keeps its own name', options, async (t) => {
  const rig = await prepare(t);
  for (const name of ['one', 'two words']) writeFileSync(join(rig.near, name), name);
  await mustCopy(rig, join(rig.near, 'one'), join(rig.near, 'two words'), `rig:${rig.far}`);
  assert.deepEqual(differences(rig.near, rig.far), []);
});

test('an empty file, and one over a longer one', options, async (t) => {
  const rig = await prepare(t);
  const file = join(rig.near, 'short');
  for (const text of ['', 'now']) {
    writeFileSync(file, text);
    writeFileSync(join(rig.far, 'short'), 'a longer text than before');
    await mustCopy(rig, file, `rig:${join(rig.far, 'short')}`);
    assert.equal(readFileSync(join(rig.far, 'short'), 'utf8'), text);
  }
});

for (const way of ['up', 'down'] as const) {
  test(`${way}: killed at ten points, no short file has the name, and the next run ends it`, options, async (t) => {
    const seed = pickSeed();
    t.diagnostic(`XFER_SEED=${seed}`);
    const dice = new Dice(seed);
    const rig = await prepare(t);
    const [from, to] = way === 'up' ? [rig.near, join(rig.far, 'in')] : [rig.far, join(rig.near, 'in')];
    mkdirSync(to);
    const [source, out] = [join(from, 'big.bin'), join(to, 'big.bin')];
    makeRandomFile(source, KILLED_BYTES);
    const args = way === 'up' ? [source, `rig:${out}`] : [`rig:${source}`, out];
    let struck = 0;
    for (let round = 0; round < 10; round++) {
      const label = `XFER_SEED=${seed}, round ${round}`;
      const enough = dice.below(KILLED_BYTES * 0.9);
      const killed = await rig.scp(args, () => bytesOnDisk(to) > enough);
      if (killed.signal === 'SIGKILL') struck += 1;
      if (existsSync(out)) assert.deepEqual(differences(source, out), [], `${label}, killed`);
      await mustCopy(rig, ...args);
      assert.deepEqual(differences(source, out), [], `${label}, run again`);
      rmSync(out);
      assert.deepEqual(readdirSync(to), [], `${label}, something is left over`);
    }
    assert.ok(struck >= 5, `only ${struck} of 10 runs were killed before their end`);
  });
}
