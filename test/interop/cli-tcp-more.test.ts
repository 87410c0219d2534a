/** What `xfer send`, `recv` and `pipe` do beyond one file from here to there. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { freePort } from '../support/free-port.js';
import { needs } from '../support/peers.js';
import { runXfer, type Started, startProgram, startXfer } from '../support/run-xfer.js';
import { makeRandomFile } from '../support/trees.js';

const bounded = { timeout: 60_000 };
const FILE_BYTES = 3 * 1024 * 1024 + 7;

function prepare(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-tcp-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'in.bin');
  makeRandomFile(file, FILE_BYTES);
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
  return { folder, file, sha256, out: join(folder, 'out.bin') };
}

function started(t: TestContext, process: Started): Started {
  t.after(() => process.stop('SIGKILL'));
  return process;
}

async function listening(t: TestContext, ...args: string[]) {
  const listener = started(t, startXfer(args));
  const [, port] = await listener.waitForLine(/listening on \S*:(\d+)/i);
  return { listener, at: `127.0.0.1:${port}`, port: Number(port) };
}

test('a sender that listens, a receiver that connects, and the digest at both ends', bounded, async (t) => {
  const { file, out, sha256 } = prepare(t);
  const { listener, at } = await listening(t, 'send', '-l', '127.0.0.1:0', file);
  const received = await runXfer(['recv', at, out]);
  assert.equal(received.exitCode, 0, received.stderr);
  assert.equal((await listener.exited).exitCode, 0, listener.output());
  assert.ok(readFileSync(out).equals(readFileSync(file)));
  assert.ok(received.stderr.includes(`received ${FILE_BYTES} bytes, sha256 ${sha256}, unverified: plain TCP\n`));
  assert.ok(listener.output().includes(`sent ${FILE_BYTES} bytes, sha256 ${sha256}, `));
});

test('either end may start first', bounded, async (t) => {
  const { file, out } = prepare(t);
  const port = await freePort();
  const at = `127.0.0.1:${port}`;
  for (const [early, late] of [
    [
      ['send', '--retry', '50', at, file],
      ['recv', '-l', at, out],
    ],
    [
      ['recv', '--retry', '50', at, out],
      ['send', '-l', at, file],
    ],
  ] as const) {
    rmSync(out, { force: true });
    const waiting = started(t, startXfer(early));
    await waiting.waitForLine(/connection refused; waiting for it/);
    const { exitCode, stderr } = await runXfer(late);
    assert.equal(exitCode, 0, stderr);
    assert.equal((await waiting.exited).exitCode, 0, waiting.output());
    assert.equal(waiting.output().match(/waiting for it/g)?.length, 1);
    assert.ok(readFileSync(out).equals(readFileSync(file)));
  }
});

test('tries end after --retry of them, and none follows a wrong address', bounded, async (t) => {
  const { file } = prepare(t);
  const at = `127.0.0.1:${await freePort()}`;
  const refused = await runXfer(['send', '--retry', '2', at, file]);
  assert.equal(refused.exitCode, 5, refused.stderr);
  const wrong = await runXfer(['send', '--retry', '50', '-6', at, file], { timeoutMs: 10_000 });
  assert.equal(wrong.exitCode, 2, wrong.stderr);
});

test('a length or a digest that differs is an error, and nothing has the final name', bounded, async (t) => {
  const { file, folder, out, sha256 } = prepare(t);
  const cases: [string[], number, RegExp][] = [
    [['--size', String(FILE_BYTES)], 0, /of the expected length/],
    [['--size', '3M'], 7, /more than 3145728 bytes came/],
    [['--size', '4M'], 5, /3145735 of 4194304 bytes came/],
    [['--sha256', sha256.toUpperCase()], 0, /as expected/],
    [['--sha256', '0'.repeat(64)], 7, new RegExp(`is ${sha256}, not 0000`)],
  ];
  for (const [words, exit, message] of cases) {
    rmSync(out, { force: true });
    const { listener, at } = await listening(t, 'recv', '-l', '127.0.0.1:0', ...words, out);
    const sent = await runXfer(['send', at, file]);
    assert.equal((await listener.exited).exitCode, exit, listener.output());
    assert.match(listener.output(), message);
    assert.equal(sent.exitCode, exit === 0 ? 0 : 5, sent.stderr);
    assert.deepEqual(readdirSync(folder).sort(), exit === 0 ? ['in.bin', 'out.bin'] : ['in.bin']);
  }
});

test('a destination that cannot be is said before anybody is waited for', bounded, async (t) => {
  const { folder } = prepare(t);
  const { exitCode, stderr } = await runXfer(['recv', '0', join(folder, 'none', 'x')], { timeoutMs: 10_000 });
  assert.equal(exitCode, 3, stderr);
});

test('text from the command line or typed, as it is', bounded, async (t) => {
  const { out } = prepare(t);
  for (const [text, input] of [
    ['hello \u2603 $HOME', undefined],
    ['-', 'typed\n'],
    ['', undefined],
  ] as const) {
    const { listener, at } = await listening(t, 'recv', '-l', '127.0.0.1:0', out);
    const { exitCode, stderr } = await runXfer(['send', at, '--text', text], input === undefined ? {} : { input });
    assert.equal(exitCode, 0, stderr);
    assert.equal((await listener.exited).exitCode, 0, listener.output());
    assert.equal(readFileSync(out, 'utf8'), input ?? text);
  }
});

test('two things to send, or none, are refused', bounded, async (t) => {
  const { file } = prepare(t);
  for (const words of [['--text', 'x', file], []]) {
    const { exitCode, stderr } = await runXfer(['send', '127.0.0.1:1', ...words]);
    assert.equal(exitCode, 2, stderr);
  }
});

test('what only a sealed transfer can do is refused in a plain one, and not passed over', bounded, async (t) => {
  const { file, out } = prepare(t);
  for (const words of [
    ['recv', '--ask', '127.0.0.1:0', '-l', out],
    ['recv', '--overwrite', '-l', '127.0.0.1:0', out],
    ['send', '--exclude', '*.txt', '127.0.0.1:1', file],
    ['send', '--name', 'other', '127.0.0.1:1', file],
    ['send', '--parallel', '4', '127.0.0.1:1', file],
  ]) {
    const { exitCode, stderr } = await runXfer(words);
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, /only where the transfer is sealed\n {2}hint: add --sealed/);
  }
});

test('a unix socket, by a path and by -U', bounded, async (t) => {
  const { folder, file, out } = prepare(t);
  const receiver = started(t, startXfer(['recv', '-lU', 's', out], { cwd: folder }));
  await receiver.waitForLine(/listening on s$/m);
  const { exitCode, stderr } = await runXfer(['send', join(folder, 's'), file]);
  assert.equal(exitCode, 0, stderr);
  assert.equal((await receiver.exited).exitCode, 0, receiver.output());
  assert.ok(readFileSync(out).equals(readFileSync(file)));
  assert.equal(existsSync(join(folder, 's')), false);
});

test('nc sends over a unix socket', { ...needs('nc.openbsd'), ...bounded }, async (t) => {
  const { folder, out } = prepare(t);
  const path = join(folder, 's');
  const receiver = started(t, startXfer(['recv', '-l', path, out]));
  await receiver.waitForLine(/listening on/);
  const nc = started(t, startProgram('nc.openbsd', ['-N', '-U', path], { input: 'from nc' }));
  await nc.exited;
  assert.equal((await receiver.exited).exitCode, 0, receiver.output());
  assert.equal(readFileSync(out, 'utf8'), 'from nc');
});

test('-k takes a file from each client until stopped', bounded, async (t) => {
  const { folder, file } = prepare(t);
  const inbox = join(folder, 'inbox');
  const missing = await runXfer(['recv', '-k', '0', '--output-dir', inbox]);
  assert.equal(missing.exitCode, 3, missing.stderr);
  mkdirSync(inbox);
  const { listener, at, port } = await listening(t, 'recv', '-k', '-l', '127.0.0.1:0', '--output-dir', inbox);
  const idle = connect(port, '127.0.0.1').on('error', () => {});
  t.after(() => idle.destroy());
  for (let count = 0; count < 2; count += 1) {
    const { exitCode, stderr } = await runXfer(['send', at, file]);
    assert.equal(exitCode, 0, stderr);
  }
  await listener.waitForLine(/(received 3145735 bytes[\s\S]*){2}/);
  idle.destroy();
  await listener.stop('SIGINT');
  assert.equal((await listener.exited).exitCode, 130, listener.output());
  const sizes = readdirSync(inbox).map((name) => statSync(join(inbox, name)).size);
  // The idle one ended in order, and brought nothing.
  assert.deepEqual(
    sizes.filter((size) => size > 0),
    [FILE_BYTES, FILE_BYTES],
  );
  assert.ok(
    readdirSync(inbox).every((name) => /^\d{4}-[-0-9T.]+-127\.0\.0\.1-\d$/.test(name)),
    String(readdirSync(inbox)),
  );
});

test('-k gives each client the file until stopped', bounded, async (t) => {
  const { folder, file } = prepare(t);
  const { listener, at } = await listening(t, 'send', '-k', '-l', '127.0.0.1:0', file);
  const outs = [1, 2, 3].map((number) => join(folder, `out-${number}`));
  const results = await Promise.all(outs.map((out) => runXfer(['recv', at, out])));
  for (const { exitCode, stderr } of results) assert.equal(exitCode, 0, stderr);
  for (const out of outs) assert.ok(readFileSync(out).equals(readFileSync(file)));
  await listener.waitForLine(/(: sent 3145735 bytes[\s\S]*){3}/);
  await listener.stop('SIGINT');
});

test('-k to standard output takes one client after the other', bounded, async (t) => {
  const { folder } = prepare(t);
  const { listener, at } = await listening(t, 'recv', '-k', '-l', '127.0.0.1:0', '-');
  const printed: Buffer[] = [];
  listener.child.stdout?.on('data', (chunk: Buffer) => printed.push(chunk));
  for (const word of ['one ', 'two ', 'three']) {
    const path = join(folder, 'word');
    writeFileSync(path, word);
    assert.equal((await runXfer(['send', at, path])).exitCode, 0);
  }
  await listener.stop('SIGINT');
  assert.equal(Buffer.concat(printed).toString(), 'one two three');
});

test('a stranger is turned away, and the one that is waited for gets through', bounded, async (t) => {
  const { file, out } = prepare(t);
  const receiver = started(t, startXfer(['recv', '0', '--allow', '::1', out]));
  const [, port] = await receiver.waitForLine(/listening on \S*:(\d+)/i);
  const stranger = await runXfer(['send', `127.0.0.1:${port}`, file]);
  assert.equal(stranger.exitCode, 5, stranger.stderr);
  await receiver.waitForLine(/turned away 127\.0\.0\.1/);
  const friend = await runXfer(['send', `[::1]:${port}`, file]);
  assert.equal(friend.exitCode, 0, friend.stderr);
  assert.equal((await receiver.exited).exitCode, 0, receiver.output());
  assert.ok(readFileSync(out).equals(readFileSync(file)));
});

test('a reset half-way is said as such, and no second try follows', bounded, async (t) => {
  const { file } = prepare(t);
  const big = `${file}.big`;
  makeRandomFile(big, 40 * 1024 * 1024);
  const server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.resetAndDestroy()));
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as { port: number };
  const { exitCode, stderr } = await runXfer(['send', `127.0.0.1:${port}`, big]);
  assert.equal(exitCode, 5, stderr);
  assert.match(stderr, /not confirmed/);
  assert.doesNotMatch(stderr, /try 2|one file/);
});
