/** `-k` with a key: several senders to one receiver, and one sender to several receivers. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runXfer, type Started, startXfer } from '../support/run-xfer.js';
import { makeRandomFile } from '../support/trees.js';

const bounded = { timeout: 120_000 };

function prepare(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-many-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const key = join(folder, 'key');
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'sub'), { recursive: true });
  makeRandomFile(join(tree, 'big'), 5_000_003);
  writeFileSync(join(tree, 'sub', 'small'), 'small');
  return { folder, key, tree };
}

async function waiting(t: TestContext, ...words: string[]): Promise<{ end: Started; at: string }> {
  const end = startXfer(words);
  t.after(() => end.stop('SIGKILL'));
  const [, port] = await end.waitForLine(/(?:waiting on \S*:|"port":)(\d+)/);
  return { end, at: `127.0.0.1:${port}` };
}

for (const option of ['-k', '--keep']) {
  test(`recv ${option} takes from several senders, one after the other and at once`, bounded, async (t) => {
    const { folder, key, tree } = prepare(t);
    const target = join(folder, 'in');
    const { end, at } = await waiting(t, 'recv', option, '127.0.0.1:0', `${target}/`, '-l', '--key-file', key);
    const send = async (name: string) => {
      writeFileSync(join(folder, name), name.repeat(100_000));
      const { exitCode, stderr } = await runXfer(['send', '--key-file', key, at, join(folder, name)]);
      assert.equal(exitCode, 0, stderr);
      assert.equal(readFileSync(join(target, name), 'utf8'), name.repeat(100_000));
    };
    await send('first');
    await Promise.all(['a', 'b', 'c'].map(send));
    const same = await runXfer(['send', '--key-file', key, at, join(folder, 'first')]);
    assert.equal(same.exitCode, 0, same.stderr);
    assert.match(same.stderr, /488 KiB were there already/);
    writeFileSync(join(folder, 'first'), 'another');
    const other = await runXfer(['send', '--key-file', key, at, join(folder, 'first')]);
    assert.equal(other.exitCode, 8, other.stderr);
    assert.equal(readFileSync(join(target, 'first'), 'utf8'), 'first'.repeat(100_000));
    const { exitCode, stderr } = await runXfer(['send', '--key-file', key, at, tree]);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(readdirSync(target).sort(), ['a', 'b', 'c', 'first', 'tree']);
    await end.stop('SIGINT');
    assert.equal((await end.exited).exitCode, 130, end.output());
    assert.equal(end.output().match(/sha256 checked$/gm)?.length, 6, end.output());
  });
}

test('send -l -k gives each receiver its own copy, one after the other and at once', bounded, async (t) => {
  const { folder, key, tree } = prepare(t);
  const { end, at } = await waiting(t, 'send', '-l', '-k', '--key-file', key, '127.0.0.1:0', tree);
  const receive = async (name: string) => {
    const target = join(folder, name);
    const { exitCode, stderr } = await runXfer(['recv', '--key-file', key, at, `${target}/`]);
    assert.equal(exitCode, 0, stderr);
    assert.ok(readFileSync(join(target, 'tree', 'big')).equals(readFileSync(join(tree, 'big'))));
    assert.equal(readFileSync(join(target, 'tree', 'sub', 'small'), 'utf8'), 'small');
  };
  await receive('first');
  await Promise.all(['a', 'b', 'c'].map(receive));
  await receive('last');
  await end.stop('SIGINT');
  assert.equal((await end.exited).exitCode, 130, end.output());
  assert.equal(
    end.output().match(/^127\.0\.0\.1:\d+: 2 files, 4\.8 MiB in .*sha256 checked/gm)?.length,
    5,
    end.output(),
  );
});

test('what goes wrong with one receiver of several is said, and the others are served', bounded, async (t) => {
  const { folder, key, tree } = prepare(t);
  const { end, at } = await waiting(t, 'send', '-l', '-k', '--json', '--key-file', key, '127.0.0.1:0', tree);
  const target = join(folder, 'in');
  mkdirSync(join(target, 'tree', 'sub'), { recursive: true });
  writeFileSync(join(target, 'tree', 'sub', 'small'), 'precious');
  const receive = () => runXfer(['recv', '--key-file', key, at, target]);
  const first = await receive();
  assert.equal(first.exitCode, 9, first.stderr);
  assert.equal(readFileSync(join(target, 'tree', 'sub', 'small'), 'utf8'), 'precious');
  rmSync(join(target, 'tree', 'sub'), { recursive: true });
  const second = await receive();
  assert.equal(second.exitCode, 0, second.stderr);
  await end.stop('SIGINT');
  const records = end
    .output()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const sent = records.filter(({ type }) => type === 'sent');
  assert.deepEqual(
    sent.map(({ files, failures }) => [files + failures, failures]),
    [
      [2, 1],
      [2, 0],
    ],
  );
  assert.equal(records.filter(({ type }) => type === 'fail').length, 1);
  assert.equal(records.at(-1).type, 'stopped');
});

test('standard input cannot be given to several', bounded, async (t) => {
  const { key } = prepare(t);
  const refused = await runXfer(['send', '-l', '-k', '--key-file', key, '0', '-'], { input: 'x' });
  assert.equal(refused.exitCode, 2, refused.stderr);
});

test(
  '--limit holds all receivers of one sender together to the rate, and so it does the senders of one receiver',
  bounded,
  async (t) => {
    const { folder, key, tree } = prepare(t);
    const [file, wantedMs] = [join(tree, 'big'), 1500];
    const takesItsTime = async (work: () => Promise<void>[]) => {
      const startMs = performance.now();
      await Promise.all(work());
      assert.ok(performance.now() - startMs > wantedMs);
    };
    const run = async (...words: string[]) => {
      const { exitCode, stderr } = await runXfer([...words.slice(0, 1), '--key-file', key, ...words.slice(1)]);
      assert.equal(exitCode, 0, stderr);
    };
    const sender = await waiting(t, 'send', '-l', '-k', '--limit', '5M', '--key-file', key, '127.0.0.1:0', file);
    await takesItsTime(() => ['a', 'b'].map((name) => run('recv', sender.at, `${join(folder, name)}/`)));
    const target = `${join(folder, 'in')}/`;
    const receiver = await waiting(t, 'recv', '-l', '-k', '--limit', '3M', '--key-file', key, '127.0.0.1:0', target);
    await takesItsTime(() => [run('send', receiver.at, file)]);
  },
);

test('each receiver of send -l -k is told what there is when it comes', bounded, async (t) => {
  const { folder, key } = prepare(t);
  const file = join(folder, 'grows');
  writeFileSync(file, 'x'.repeat(1000));
  const { at } = await waiting(t, 'send', '-l', '-k', '--key-file', key, '127.0.0.1:0', file);
  for (const bytes of [1000, 5000]) {
    writeFileSync(file, 'x'.repeat(bytes));
    const target = `${join(folder, String(bytes))}/`;
    const { stdout, stderr } = await runXfer(['recv', '--json', '--key-file', key, at, target]);
    const records = `${stdout}${stderr}`
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const offer = records.find(({ type }) => type === 'offer');
    assert.deepEqual(offer?.things, [{ name: 'grows', kind: 'file', size: bytes }]);
  }
});
