/** Sealed transfers that are killed, stopped or cut: what is whole has its name, and the next run goes on. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Started, startXfer } from '../support/run-xfer.js';
import { differences, makeFlatTree, makeRandomFile } from '../support/trees.js';
import { until } from '../support/until.js';

const bounded = { timeout: 180_000 };
const BIG_BYTES = 96 << 20;
/** Slow enough to be stopped halfway, whatever else the machine does; by one connection, which notes what is held in order. */
const SLOW = ['--limit', '24M', '--parallel', '1'];

function prepare(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-kills-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const target = join(folder, 'in');
  mkdirSync(target);
  const big = join(folder, 'big.bin');
  makeRandomFile(big, BIG_BYTES);
  const env = (who: string) => ({ XDG_STATE_HOME: join(folder, who) });
  return { folder, target, big, key: join(folder, 'key'), env };
}

type Rig = ReturnType<typeof prepare>;

async function receiver(
  t: TestContext,
  { key, target, env }: Rig,
  at = '127.0.0.1:0',
  options: readonly string[] = [],
) {
  const end = startXfer(['recv', '-l', ...options, '--key-file', key, at, target], { env: env('receiver') });
  t.after(() => end.stop('SIGKILL'));
  const [, port] = await end.waitForLine(/waiting on \S*:(\d+), sealed/);
  return { end, at: `127.0.0.1:${port}` };
}

function sender(t: TestContext, { key, env }: Rig, at: string, words: readonly string[]): Started {
  const end = startXfer(['send', '--key-file', key, at, ...words], { env: env('sender') });
  t.after(() => end.stop('SIGKILL'));
  return end;
}

/** Bytes of the file that are on the disk, under whatever name. */
function bytesIn(target: string): number {
  return readdirSync(target).reduce((sum, name) => sum + 512 * statSync(join(target, name)).blocks, 0);
}

/** Waits until a good part has come, and no more than that. */
async function halfway({ target }: Rig): Promise<void> {
  await until(() => bytesIn(target) > BIG_BYTES / 3);
  assert.ok(!readdirSync(target).includes('big.bin'), 'nothing short under the final name');
}

function assertWhole({ target, big }: Rig): void {
  assert.deepEqual(readdirSync(target), ['big.bin'], 'nothing is left');
  assert.ok(readFileSync(join(target, 'big.bin')).equals(readFileSync(big)));
}

async function assertResumed(rig: Rig, one: Started, other: Started): Promise<void> {
  assert.equal((await one.exited).exitCode, 0, one.output());
  assert.equal((await other.exited).exitCode, 0, other.output());
  assertWhole(rig);
  const [, there] = /, ([\d.]+) MiB were there already/.exec(one.output()) as RegExpExecArray;
  assert.ok(Number(there) > 8, `only ${there} MiB were gone on with`);
}

for (const signal of ['SIGKILL', 'SIGINT', 'SIGTERM'] as const) {
  test(`a sender that ends by ${signal} is started again, and the receiver waits for it`, bounded, async (t) => {
    const rig = prepare(t);
    const { end, at } = await receiver(t, rig);
    const first = sender(t, rig, at, [...SLOW, rig.big]);
    await halfway(rig);
    await first.stop(signal);
    assert.equal((await first.exited).exitCode, { SIGKILL: null, SIGINT: 130, SIGTERM: 143 }[signal]);
    if (signal !== 'SIGKILL') assert.match(first.output(), new RegExp(`^xfer: stopped by ${signal}$`, 'm'));
    await end.waitForLine(/waiting for the sender to come back/);
    await assertResumed(rig, sender(t, rig, at, [rig.big]), end);
  });

  test(`a receiver that ends by ${signal} is started again, and the sender waits for it`, bounded, async (t) => {
    const rig = prepare(t);
    const { end, at } = await receiver(t, rig);
    const waits = sender(t, rig, at, [...SLOW, rig.big]);
    await halfway(rig);
    await end.stop(signal);
    if (signal !== 'SIGKILL') assert.match(end.output(), new RegExp(`^xfer: stopped by ${signal}$`, 'm'));
    const again = await receiver(t, rig, at);
    await assertResumedByItself(rig, waits, again.end);
  });
}

/** The copy that went on by itself has one story. */
async function assertResumedByItself(rig: Rig, one: Started, other: Started): Promise<void> {
  assert.equal((await one.exited).exitCode, 0, one.output());
  assert.equal((await other.exited).exitCode, 0, other.output());
  assertWhole(rig);
  assert.match(one.output(), /try 2 in/);
}

test(
  'T20: what is to be replaced stays as it was, whichever end is killed, until the new one is whole',
  bounded,
  async (t) => {
    const rig = prepare(t);
    const there = join(rig.target, 'big.bin');
    const before = Buffer.alloc(100_000, 'the good one');
    writeFileSync(there, before);
    const options = ['--overwrite'];
    const { end, at } = await receiver(t, rig, undefined, options);
    const first = sender(t, rig, at, [...SLOW, rig.big]);
    await until(() => bytesIn(rig.target) > BIG_BYTES / 3);
    await first.stop('SIGKILL');
    await end.waitForLine(/waiting for the sender to come back/);
    assert.ok(readFileSync(there).equals(before), 'after the sender was killed');
    assert.equal(readdirSync(rig.target).length, 2, 'and a part is kept beside it');
    const second = sender(t, rig, at, [...SLOW, rig.big]);
    await second.waitForLine(/connected to/);
    await end.stop('SIGKILL');
    assert.ok(readFileSync(there).equals(before), 'after the receiver was killed');
    await second.stop('SIGKILL');
    const again = await receiver(t, rig, undefined, options);
    await assertResumed(rig, sender(t, rig, again.at, [rig.big]), again.end);
  },
);

test('both ends are killed, and both are started again', bounded, async (t) => {
  const rig = prepare(t);
  const { end, at } = await receiver(t, rig);
  const first = sender(t, rig, at, [...SLOW, rig.big]);
  await halfway(rig);
  await Promise.all([first.stop('SIGKILL'), end.stop('SIGKILL')]);
  const again = await receiver(t, rig);
  await assertResumed(rig, sender(t, rig, again.at, [rig.big]), again.end);
});

test('a tree whose sender is killed arrives with the next run, and nothing of it twice', bounded, async (t) => {
  const rig = prepare(t);
  const tree = join(rig.folder, 'tree');
  makeFlatTree(tree, 3000, 4096);
  const { end, at } = await receiver(t, rig);
  const first = sender(t, rig, at, ['--limit', '4M', tree]);
  await until(() => readdirSync(rig.target, { recursive: true }).length > 500);
  await first.stop('SIGKILL');
  await end.waitForLine(/waiting for the sender to come back/);
  const second = sender(t, rig, at, [tree]);
  assert.equal((await second.exited).exitCode, 0, second.output());
  assert.equal((await end.exited).exitCode, 0, end.output());
  assert.deepEqual(differences(tree, join(rig.target, 'tree')), []);
});

test('a receiver that called is stopped, and calls again', bounded, async (t) => {
  const rig = prepare(t);
  const words = ['send', '-l', '--key-file', rig.key, ...SLOW, '127.0.0.1:0', rig.big];
  const end = startXfer(words, { env: rig.env('sender') });
  t.after(() => end.stop('SIGKILL'));
  const [, port] = await end.waitForLine(/waiting on \S*:(\d+), sealed/);
  const receive = () => {
    const calls = startXfer(['recv', '--key-file', rig.key, `127.0.0.1:${port}`, rig.target], {
      env: rig.env('receiver'),
    });
    t.after(() => calls.stop('SIGKILL'));
    return calls;
  };
  const first = receive();
  await halfway(rig);
  await first.stop('SIGINT');
  assert.equal((await first.exited).exitCode, 130, first.output());
  await assertResumedByItself(rig, end, receive());
});
