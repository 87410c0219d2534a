/** `xfer send` and `recv` with a key, as a person types them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { formatKey, newKey } from '#xfer/transports/tcp/sealed/key.js';
import { freePort } from '../support/free-port.js';
import { type RunResult, runXfer, type Started, startXfer, XFER, xferEnvironment } from '../support/run-xfer.js';
import { makeRandomFile } from '../support/trees.js';

const bounded = { timeout: 120_000 };
const CHANGED = new Date('2021-03-04T05:06:07Z');

function prepare(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-sealed-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const target = join(folder, 'in');
  mkdirSync(target);
  return { folder, target, key: join(folder, 'key') };
}

async function waiting(
  t: TestContext,
  words: readonly string[],
  input?: string,
): Promise<{ end: Started; at: string }> {
  const end = startXfer(words, input === undefined ? {} : { input });
  t.after(() => end.stop('SIGKILL'));
  const [, port] = await end.waitForLine(/waiting on \S*:(\d+), sealed/);
  return { end, at: `127.0.0.1:${port}` };
}

interface Transfer {
  readonly sent: RunResult;
  readonly receivedExit: number | null;
  readonly said: string;
}

/** A receiver that waits with some options, and a sender that calls it. */
async function transfer(
  t: TestContext,
  { key, target }: { key: string; target: string },
  receive: readonly string[],
  send: readonly string[],
  input?: string,
): Promise<Transfer> {
  const { end, at } = await waiting(t, ['recv', '-l', '--key-file', key, ...receive, '127.0.0.1:0', target]);
  const sent = await runXfer(['send', '--key-file', key, at, ...send], input === undefined ? {} : { input });
  const { exitCode } = await end.exited;
  return { sent, receivedExit: exitCode, said: end.output() };
}

/** Both ends were content. */
function assertDone({ sent, receivedExit, said }: Transfer): void {
  assert.equal(sent.exitCode, 0, sent.stderr);
  assert.equal(receivedExit, 0, said);
  assert.match(said, /sha256 checked$/m);
}

function makeTree(root: string): void {
  mkdirSync(join(root, 'sub', 'empty'), { recursive: true });
  writeFileSync(join(root, 'sub', 'script'), '#!/bin/sh\n');
  chmodSync(join(root, 'sub', 'script'), 0o751);
  writeFileSync(join(root, 'plain \u2603'), 'plain');
  symlinkSync('sub/script', join(root, 'link'));
  utimesSync(join(root, 'sub', 'script'), CHANGED, CHANGED);
  utimesSync(join(root, 'sub'), CHANGED, CHANGED);
}

test('several paths and a tree, with modes and times, from the end that connects', bounded, async (t) => {
  const all = prepare(t);
  const { folder, target } = all;
  makeTree(join(folder, 'tree'));
  makeRandomFile(join(folder, 'one.bin'), 3_000_001);
  assertDone(await transfer(t, all, [], [join(folder, 'tree'), join(folder, 'one.bin')]));
  assert.deepEqual(readdirSync(target).sort(), ['one.bin', 'tree']);
  assert.ok(readFileSync(join(target, 'one.bin')).equals(readFileSync(join(folder, 'one.bin'))));
  const script = statSync(join(target, 'tree', 'sub', 'script'));
  assert.equal(script.mode & 0o777, 0o751);
  assert.equal(script.mtimeMs, CHANGED.getTime());
  assert.equal(statSync(join(target, 'tree', 'sub')).mtimeMs, CHANGED.getTime());
  assert.deepEqual(readdirSync(join(target, 'tree', 'sub', 'empty')), []);
  assert.equal(readFileSync(join(target, 'tree', 'plain \u2603'), 'utf8'), 'plain');
  assert.ok(lstatSync(join(target, 'tree', 'link')).isFile(), 'what it leads to');
});

test('the same from an end that waits, called by the line that it prints', bounded, async (t) => {
  const { folder, target } = prepare(t);
  makeTree(join(folder, 'tree'));
  const { end } = await waiting(t, ['send', '-l', '127.0.0.1:0', join(folder, 'tree')]);
  const [, line] = await end.waitForLine(/at the other end: xfer (recv --key .*)\n/);
  const received = await runXfer((line as string).split(' '), { cwd: target });
  assert.equal(received.exitCode, 0, received.stderr);
  assert.equal((await end.exited).exitCode, 0, end.output());
  assert.equal(readFileSync(join(target, 'tree', 'sub', 'script'), 'utf8'), '#!/bin/sh\n');
});

for (const [links, isThere] of [
  ['keep', (path: string) => readlinkSync(path) === 'sub/script'],
  ['follow', (path: string) => lstatSync(path).isFile()],
  ['skip', (path: string) => !existsSync(path)],
] as const) {
  test(`--links ${links}`, bounded, async (t) => {
    const all = prepare(t);
    makeTree(join(all.folder, 'tree'));
    assertDone(await transfer(t, all, [], ['--links', links, join(all.folder, 'tree')]));
    assert.ok(isThere(join(all.target, 'tree', 'link')));
  });
}

test('a link that leads out of the tree is not made, and both ends say so', bounded, async (t) => {
  const all = prepare(t);
  const tree = join(all.folder, 'tree');
  makeTree(tree);
  symlinkSync('../../../etc/passwd', join(tree, 'out'));
  const { sent, receivedExit, said } = await transfer(t, all, [], ['--links', 'keep', tree]);
  assert.equal(sent.exitCode, 9, sent.stderr);
  assert.equal(receivedExit, 9, said);
  for (const words of [sent.stderr, said]) assert.match(words, /link tree\/out: leads out of the receiver's directory/);
  assert.ok(!existsSync(join(all.target, 'tree', 'out')));
  assert.equal(readlinkSync(join(all.target, 'tree', 'link')), 'sub/script');
});

test('standard input has the name that --name gives, and standard output is written to', bounded, async (t) => {
  const all = prepare(t);
  const text = 'typed\n'.repeat(300_000);
  assertDone(await transfer(t, all, [], ['--name', 'notes.txt', '-'], text));
  assert.equal(readFileSync(join(all.target, 'notes.txt'), 'utf8'), text);
  assertDone(await transfer(t, all, [], ['-'], text));
  assert.equal(readFileSync(join(all.target, 'stdin'), 'utf8'), text);
  const { end, at } = await waiting(t, ['send', '-l', '--key-file', all.key, '127.0.0.1:0', '-'], text);
  const received = await runXfer(['recv', '--key-file', all.key, at, '-']);
  assert.equal(received.exitCode, 0, received.stderr);
  assert.equal(received.stdout.toString(), text);
  assert.equal((await end.exited).exitCode, 0, end.output());
});

/** What words look like at a receiver with some options, which does not wait to be started. */
async function shown(t: TestContext, receive: readonly string[], send: readonly string[], input?: string) {
  const { key, target } = prepare(t);
  writeFileSync(key, formatKey(newKey()), { mode: 0o600 });
  const at = `127.0.0.1:${await freePort()}`;
  const [received, sent] = await Promise.all([
    runXfer(['recv', '-l', '--key-file', key, ...receive, at, target]),
    runXfer(['send', '--key-file', key, at, ...send], input === undefined ? {} : { input }),
  ]);
  assert.equal(sent.exitCode, 0, sent.stderr);
  assert.equal(received.exitCode, 0, received.stderr);
  assert.deepEqual(readdirSync(target), []);
  return received;
}

test('words are shown at the other end, and make no file', bounded, async (t) => {
  const text = 'hello \u2603\u001b[2J';
  const plain = await shown(t, [], ['--text', text]);
  assert.equal(plain.stdout.toString(), text, 'as they came, where no terminal is');
  assert.match(plain.stderr, /127\.0\.0\.1:\d+ sends a text \(13 B\)/);
  assert.equal((await shown(t, ['-q'], ['--text', '-'], text)).stdout.toString(), text);
  const lines = (await shown(t, ['--json'], ['--text', text])).stdout.toString().trimEnd().split('\n');
  const told = lines.map((line) => JSON.parse(line)).find(({ type }) => type === 'text');
  assert.equal(told.text, text);
});

test('a file of another name', bounded, async (t) => {
  const all = prepare(t);
  writeFileSync(join(all.folder, 'a'), 'a');
  const other = { ...all, target: join(all.target, 'b') };
  assertDone(await transfer(t, other, [], [join(all.folder, 'a')]));
  assert.equal(readFileSync(other.target, 'utf8'), 'a');
});

test(
  'what is there already is not sent again, and what differs is left alone without --overwrite',
  bounded,
  async (t) => {
    const all = prepare(t);
    const tree = join(all.folder, 'tree');
    makeTree(tree);
    makeRandomFile(join(tree, 'big'), 2 << 20);
    assertDone(await transfer(t, all, [], [tree]));
    const again = await transfer(t, all, [], [tree]);
    assertDone(again);
    assert.match(again.sent.stderr, /were there already/);
    writeFileSync(join(tree, 'plain \u2603'), 'changed');
    writeFileSync(join(tree, 'new'), 'new');
    const refused = await transfer(t, all, [], [tree]);
    assert.equal(refused.sent.exitCode, 9, refused.sent.stderr);
    assert.equal(refused.receivedExit, 9, refused.said);
    for (const words of [refused.sent.stderr, refused.said]) assert.match(words, /plain \u2603: a file has that name/);
    assert.match(refused.sent.stderr, /--overwrite/);
    assert.equal(readFileSync(join(all.target, 'tree', 'plain \u2603'), 'utf8'), 'plain');
    assert.equal(readFileSync(join(all.target, 'tree', 'new'), 'utf8'), 'new');
    const alone = await transfer(t, { ...all, target: join(all.target, 'tree') }, [], [join(tree, 'plain \u2603')]);
    assert.equal(alone.sent.exitCode, 8, alone.sent.stderr);
    assertDone(await transfer(t, all, ['--overwrite'], [tree]));
    assert.equal(readFileSync(join(all.target, 'tree', 'plain \u2603'), 'utf8'), 'changed');
  },
);

test('names that are refused unless the receiver allows them', bounded, async (t) => {
  const all = prepare(t);
  for (const [name, option] of [
    ['.bashrc', '--allow-dotfiles'],
    ['a:b', '--any-names'],
    ['con', '--any-names'],
  ] as const) {
    const path = join(all.folder, name);
    writeFileSync(path, name);
    const refused = await transfer(t, all, [], [path]);
    assert.equal(refused.sent.exitCode, 8, refused.sent.stderr);
    assert.ok(refused.sent.stderr.includes(option), refused.sent.stderr);
    assert.notEqual(refused.receivedExit, 0, refused.said);
    assert.ok(!existsSync(join(all.target, name)));
    assertDone(await transfer(t, all, [option], [path]));
    assert.equal(readFileSync(join(all.target, name), 'utf8'), name);
  }
});

test('a target that is missing is a directory with a slash, and is made', bounded, async (t) => {
  const all = prepare(t);
  writeFileSync(join(all.folder, 'a'), 'a');
  const target = join(all.target, 'new');
  assertDone(await transfer(t, { ...all, target: `${target}/` }, [], [join(all.folder, 'a')]));
  assert.equal(readFileSync(join(target, 'a'), 'utf8'), 'a');
});

test('what is not there does not keep the rest', bounded, async (t) => {
  const all = prepare(t);
  writeFileSync(join(all.folder, 'a'), 'a');
  const { sent, receivedExit, said } = await transfer(t, all, [], [join(all.folder, 'a'), join(all.folder, 'none')]);
  assert.equal(sent.exitCode, 9, sent.stderr);
  assert.equal(receivedExit, 9, said);
  assert.match(sent.stderr, /none: no such file/);
  assert.equal(readFileSync(join(all.target, 'a'), 'utf8'), 'a');
});

test('a sealed pipe, both ways', bounded, async (t) => {
  const { key } = prepare(t);
  const { end, at } = await waiting(t, ['pipe', '-l', '--key-file', key, '127.0.0.1:0'], 'from there');
  const { exitCode, stdout, stderr } = await runXfer(['pipe', '--key-file', key, at], { input: 'from here' });
  assert.equal(exitCode, 0, stderr);
  assert.equal(stdout.toString(), 'from there');
  assert.equal((await end.exited).exitCode, 0, end.output());
  assert.match(end.output(), /from here/);
});

test('a sealed pipe waits for an input that is slow, though the other end has none', bounded, async (t) => {
  const { key } = prepare(t);
  const { end, at } = await waiting(t, ['pipe', '-l', '--key-file', key, '127.0.0.1:0'], '');
  const sender = spawn(process.execPath, [XFER, 'pipe', '--key-file', key, at], { env: xferEnvironment() });
  t.after(() => sender.kill('SIGKILL'));
  sender.stdout.resume();
  const notice = buffer(sender.stderr);
  setTimeout(() => sender.stdin.end('late'), 6000);
  const [exitCode] = await once(sender, 'close');
  assert.equal(exitCode, 0, (await notice).toString());
  assert.match((await notice).toString(), /goes on until its end/);
  assert.equal((await end.exited).exitCode, 0, end.output());
  assert.match(end.output(), /late/);
});

test('either end may start first', bounded, async (t) => {
  const { folder, target, key } = prepare(t);
  writeFileSync(join(folder, 'a'), 'a');
  const probe = await waiting(t, ['recv', '-l', '--key-file', key, '127.0.0.1:0', target]);
  await probe.end.stop('SIGKILL');
  const sender = startXfer(['send', '--key-file', key, probe.at, join(folder, 'a')]);
  t.after(() => sender.stop('SIGKILL'));
  await sender.waitForLine(/connection refused; waiting for it/);
  const received = await runXfer(['recv', '-l', '--key-file', key, probe.at, target]);
  assert.equal(received.exitCode, 0, received.stderr);
  assert.equal((await sender.exited).exitCode, 0, sender.output());
});

test(
  'a tree becomes a target that is not there, with the folders in it, and goes into one that is',
  bounded,
  async (t) => {
    const { folder, key } = prepare(t);
    const tree = join(folder, 'tree');
    mkdirSync(join(tree, 'sub', 'deep'), { recursive: true });
    for (const name of ['a', 'sub/b', 'sub/deep/c']) writeFileSync(join(tree, name), name);
    const target = join(folder, 'new');
    assertDone(await transfer(t, { key, target }, [], [tree]));
    const files = readdirSync(tree, { recursive: true }).sort();
    assert.deepEqual(readdirSync(target, { recursive: true }).sort(), files);
    assertDone(await transfer(t, { key, target }, [], [tree]));
    assert.deepEqual(readdirSync(join(target, 'tree'), { recursive: true }).sort(), files);
  },
);
