/** Who is turned away by a sealed end, what each end is told, and what is asked of a person. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatKey, newKey } from '#xfer/transports/tcp/sealed/key.js';
import { freePort } from '../support/free-port.js';
import { needs } from '../support/peers.js';
import { runProgram, runXfer, type Started, startProgram, startXfer, XFER } from '../support/run-xfer.js';

const bounded = { timeout: 60_000 };
/** Where all of 127.0.0.0/8 is this machine. */
const onLinux = process.platform === 'linux' ? bounded : { ...bounded, skip: 'one loopback address alone' };
const KEY = formatKey(newKey());

function prepare(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-refused-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const target = join(folder, 'in');
  mkdirSync(target);
  const file = join(folder, 'secret.txt');
  writeFileSync(file, 'the payload that nobody else may see');
  return { folder, target, file };
}

async function receiver(t: TestContext, target: string, ...words: string[]): Promise<{ end: Started; at: string }> {
  const end = startXfer(['recv', '-l', ...words, '127.0.0.1:0', target], { env: { XFER_KEY: KEY } });
  t.after(() => end.stop('SIGKILL'));
  const [, port] = await end.waitForLine(/waiting on \S*:(\d+), sealed/);
  return { end, at: `127.0.0.1:${port}` };
}

const goodSender = (at: string, file: string) => runXfer(['send', at, file], { env: { XFER_KEY: KEY } });

test('a wrong key, a mistyped one, and none', { ...bounded, ...needs('setsid') }, async (t) => {
  const { target, file } = prepare(t);
  const { end, at } = await receiver(t, target);
  const wrong = await runXfer(['send', at, file], { env: { XFER_KEY: formatKey(newKey()) } });
  assert.equal(wrong.exitCode, 4, wrong.stderr);
  assert.match(wrong.stderr, /the key does not match/);
  await end.waitForLine(/turned away 127\.0\.0\.1: .*the key does not match/);
  const other = KEY.startsWith('a') ? 'b' : 'a';
  for (const [what, typed] of [
    ['a letter', other + KEY.slice(1)],
    ['shorter', KEY.slice(0, -1)],
    ['longer', `${KEY}a`],
    ['none at all', 'hunter2'],
  ] as const) {
    const mistyped = await runXfer(['send', at, file], { env: { XFER_KEY: typed } });
    assert.equal(mistyped.exitCode, 2, `${what}: ${mistyped.stderr}`);
    assert.ok(!mistyped.stderr.includes(typed), what);
  }
  const none = await runProgram('setsid', [process.execPath, XFER, 'send', '--sealed', at, file]);
  assert.equal(none.exitCode, 2, none.stderr);
  assert.match(none.stderr, /XFER_KEY.*--key-file/s);
  assert.deepEqual(readdirSync(target), []);
  const good = await goodSender(at, file);
  assert.equal(good.exitCode, 0, good.stderr);
  assert.equal((await end.exited).exitCode, 0, end.output());
});

test('T19: --allow goes by the address of the connection, and who is not in it is told nothing', onLinux, async (t) => {
  const { target, file } = prepare(t);
  const { end, at } = await receiver(t, target, '--allow', '127.0.0.2/32');
  const port = Number(at.split(':')[1]);
  const stranger = connect(port, '127.0.0.1');
  const heard: Buffer[] = [];
  stranger.on('error', () => {}).on('data', (chunk: Buffer) => heard.push(chunk));
  stranger.write('GET / HTTP/1.1\r\nX-Forwarded-For: 127.0.0.2\r\n\r\n');
  await new Promise((resolve) => stranger.once('close', resolve));
  assert.equal(Buffer.concat(heard).length, 0);
  const outside = await runXfer(['send', '--retry', '0', at, file], { env: { XFER_KEY: KEY } });
  assert.equal(outside.exitCode, 5, outside.stderr);
  assert.deepEqual(readdirSync(target), []);
  const inside = await runXfer(['send', '-s', '127.0.0.2', at, file], { env: { XFER_KEY: KEY } });
  assert.equal(inside.exitCode, 0, inside.stderr);
  assert.equal((await end.exited).exitCode, 0, end.output());
  assert.ok(readFileSync(join(target, 'secret.txt')).equals(readFileSync(file)));
});

test('a tree of which no file is taken ends alike at both ends', bounded, async (t) => {
  const { folder, target } = prepare(t);
  for (const tree of [join(folder, 'tree'), join(target, 'tree')]) {
    mkdirSync(tree);
    writeFileSync(join(tree, 'a.txt'), tree);
  }
  const { end, at } = await receiver(t, target);
  const sent = await goodSender(at, join(folder, 'tree'));
  assert.equal(sent.exitCode, 8, sent.stderr);
  assert.match(sent.stderr, /nothing arrived/);
  await end.waitForLine(/receive: nothing arrived/);
  assert.equal((await end.exited).exitCode, 8);
});

test('two ends that do the same, or of which one pipes', bounded, async (t) => {
  const { target, file } = prepare(t);
  const { end, at } = await receiver(t, target);
  const env = { XFER_KEY: KEY };
  const same = await runXfer(['recv', '--retry', '0', at, target], { env });
  assert.equal(same.exitCode, 4, same.stderr);
  assert.match(same.stderr, /one end must send, and the other receive/);
  const piped = await runXfer(['pipe', at], { env, input: 'x' });
  assert.equal(piped.exitCode, 4, piped.stderr);
  assert.equal((await goodSender(at, file)).exitCode, 0);
  assert.equal((await end.exited).exitCode, 0, end.output());
});

for (const name of ['nc.openbsd', 'ncat']) {
  test(`${name} at a sealed receiver is told so in words, and nothing is written`, {
    ...bounded,
    ...needs(name),
  }, async (t) => {
    const { target, file } = prepare(t);
    const { end, at } = await receiver(t, target);
    const [host, port] = at.split(':') as [string, string];
    const options = name === 'ncat' ? [] : ['-N'];
    const said = await runProgram(name, [...options, host, port], { input: 'plain bytes that are no magic\n' });
    assert.match(said.stdout.toString(), /this port takes sealed transfers only/);
    await end.waitForLine(/turned away 127\.0\.0\.1: .*not sealed/);
    assert.deepEqual(readdirSync(target), []);
    assert.equal((await goodSender(at, file)).exitCode, 0);
    assert.equal((await end.exited).exitCode, 0, end.output());
  });

  test(`no byte of a file goes to ${name} -l`, { ...bounded, ...needs(name) }, async (t) => {
    const { file } = prepare(t);
    const port = String(await freePort());
    const peer = startProgram(name, ['-v', '-l', '127.0.0.1', port], { input: 'hello, plain\n' });
    t.after(() => peer.stop('SIGKILL'));
    await peer.waitForLine(/listening on/i);
    const env = { XFER_KEY: KEY };
    const sent = await runXfer(['send', '--retry', '0', `127.0.0.1:${port}`, file], { env });
    assert.equal(sent.exitCode, 6, sent.stderr);
    assert.match(sent.stderr, /the other end is not sealed, so nothing was sent/);
    assert.doesNotMatch(peer.output(), /payload/);
  });
}

for (const [plain, sealed] of [
  ['send', 'recv'],
  ['recv', 'send'],
  ['pipe', 'pipe'],
] as const) {
  const wordsOf = (role: 'send' | 'recv' | 'pipe', folder: string, file: string) =>
    ({ send: [file], recv: [join(folder, 'out')], pipe: [] })[role];

  test(`xfer ${plain} without a key that calls a sealed ${sealed} fails, and has nothing`, bounded, async (t) => {
    const { folder, file } = prepare(t);
    const words = ['-l', '127.0.0.1:0', ...wordsOf(sealed, folder, file)];
    const end = startXfer([sealed, ...words], { env: { XFER_KEY: KEY } });
    t.after(() => end.stop('SIGKILL'));
    const [, port] = await end.waitForLine(/waiting on \S*:(\d+), sealed/);
    const ran = await runXfer([plain, `127.0.0.1:${port}`, ...wordsOf(plain, folder, file)], { input: 'x' });
    // One that only listens is not told; the end of the connection is no end of a file.
    assert.equal(ran.exitCode, plain === 'recv' ? 5 : 6, ran.stderr);
    if (plain !== 'recv') assert.match(ran.stderr, /the other end is sealed.*add --sealed/s);
    await end.waitForLine(/turned away 127\.0\.0\.1: /);
    assert.deepEqual(readdirSync(folder).sort(), ['in', 'secret.txt']);
  });

  test(`xfer ${plain} without a key that a sealed ${sealed} calls fails, and has nothing`, bounded, async (t) => {
    const { folder, file } = prepare(t);
    const end = startXfer([plain, '-l', '127.0.0.1:0', ...wordsOf(plain, folder, file)], { input: 'x' });
    t.after(() => end.stop('SIGKILL'));
    const [, port] = await end.waitForLine(/listening on 127\.0\.0\.1:(\d+)/);
    const words = ['--retry', '0', `127.0.0.1:${port}`, ...wordsOf(sealed, folder, file)];
    const ran = await runXfer([sealed, ...words], { env: { XFER_KEY: KEY }, input: 'x' });
    assert.equal(ran.exitCode, 6, ran.stderr);
    assert.match(ran.stderr, /the other end is not sealed, so nothing was sent.*start xfer there with the same key/s);
    assert.equal((await end.exited).exitCode, 6, end.output());
    assert.match(end.output(), /the other end is sealed.*add --sealed/s);
    assert.deepEqual(readdirSync(folder).sort(), ['in', 'secret.txt']);
  });
}

const onPosix = process.platform === 'win32' ? { ...bounded, skip: 'no unix sockets' } : bounded;
test('a plain end at a sealed unix socket fails, and what it had stays', onPosix, async (t) => {
  const { folder, file } = prepare(t);
  const out = join(folder, 'out');
  const empty = join(folder, 'empty');
  writeFileSync(out, 'precious');
  writeFileSync(empty, '');
  for (const [sealed, plain] of [
    [
      ['send', file],
      ['recv', out],
    ],
    [
      ['recv', join(folder, 'in')],
      ['send', empty],
    ],
  ] as const) {
    const at = join(folder, `socket-${sealed[0]}`);
    const end = startXfer([sealed[0], '-l', at, sealed[1]], { env: { XFER_KEY: KEY } });
    t.after(() => end.stop('SIGKILL'));
    await end.waitForLine(/waiting on/);
    const ran = await runXfer([plain[0], at, plain[1]]);
    assert.equal(ran.exitCode, 6, ran.stderr);
    assert.match(ran.stderr, /the other end is sealed/);
  }
  assert.equal(readFileSync(out, 'utf8'), 'precious');
});

test('an end that takes all and says nothing gets nothing, and is given up', bounded, async (t) => {
  const { file } = prepare(t);
  const parts: Buffer[] = [];
  const server = createServer((socket) => socket.on('error', () => {}).on('data', (part: Buffer) => parts.push(part)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const sent = await runXfer(['send', '--retry', '0', `127.0.0.1:${port}`, file], { env: { XFER_KEY: KEY } });
  assert.equal(sent.exitCode, 5, sent.stderr);
  const bytes = Buffer.concat(parts);
  assert.ok(bytes.length < 2048 && !bytes.includes('payload') && !bytes.includes('secret'));
});

test('paths and trees need a key, and so does a directory to receive into', {
  ...bounded,
  ...needs('setsid'),
}, async (t) => {
  const { target, file, folder } = prepare(t);
  const without = (words: string[]) => runProgram('setsid', [process.execPath, XFER, ...words]);
  for (const words of [
    ['send', '127.0.0.1:9', file, file],
    ['send', '127.0.0.1:9', folder],
    ['recv', '127.0.0.1:9', target],
  ]) {
    const refused = await without(words);
    assert.equal(refused.exitCode, 2, refused.stderr);
    assert.match(refused.stderr, /key: none was given/);
  }
  for (const option of ['--json', '-q']) {
    const silent = await runXfer(['recv', '0', option], { cwd: target });
    assert.equal(silent.exitCode, 2, silent.stderr);
    assert.match(silent.stdout.toString() + silent.stderr, /no key is shown.*--key-file FILE/s);
  }
});

/** The command in a terminal of its own, at which a person types. */
function atTerminal(
  t: TestContext,
  words: readonly string[],
  typed: string,
  env: Record<string, string>,
  more = false,
): Started {
  const line = [process.execPath, XFER, ...words].map((word) => `'${word}'`).join(' ');
  const terminal = startProgram('script', ['-qefc', line, '/dev/null'], {
    input: typed,
    more,
    env: { TERM: 'xterm', ...env },
  });
  t.after(() => terminal.stop('SIGKILL'));
  return terminal;
}

for (const [answer, exit, senderExit] of [
  ['y\n', 0, 0],
  ['n\n', 4, 4],
  ['\n', 4, 4],
] as const) {
  test(`--ask, answered ${JSON.stringify(answer)}`, { ...bounded, ...needs('script') }, async (t) => {
    const { target, file } = prepare(t);
    // Typed before there is a question: no answer to it, however it ends.
    const typed = answer === 'n\n' ? 'y\ny' : 'n\nn';
    const end = atTerminal(t, ['recv', '-l', '--ask', '127.0.0.1:0', target], typed, { XFER_KEY: KEY }, true);
    const [, port] = await end.waitForLine(/waiting on \S*:(\d+), sealed/);
    const sending = goodSender(`127.0.0.1:${port}`, file);
    await end.waitForLine(/Take it\? \[y\/N\]/);
    end.child.stdin?.end(answer);
    const sent = await sending;
    assert.equal(sent.exitCode, senderExit, sent.stderr);
    if (exit !== 0) assert.match(sent.stderr, /the person there refused it/);
    assert.equal((await end.exited).exitCode, exit, end.output());
    assert.match(end.output(), /127\.0\.0\.1:\d+ sends secret\.txt \(36 B\)\r\nTake it\? \[y\/N\]/);
    assert.deepEqual(readdirSync(target), exit === 0 ? ['secret.txt'] : []);
  });
}

test('--ask: each of two senders that come at once has a question and an answer of its own', {
  ...bounded,
  ...needs('script'),
}, async (t) => {
  const { folder, target, file } = prepare(t);
  const other = join(folder, 'other.txt');
  writeFileSync(other, 'not wanted');
  const end = atTerminal(t, ['recv', '-l', '-k', '--ask', '127.0.0.1:0', target], '', { XFER_KEY: KEY }, true);
  const [, port] = await end.waitForLine(/waiting on \S*:(\d+), sealed/);
  const first = goodSender(`127.0.0.1:${port}`, file);
  await end.waitForLine(/sends secret\.txt.*Take it\?/s);
  const second = goodSender(`127.0.0.1:${port}`, other);
  await end.waitForLine(/sends other\.txt/);
  end.child.stdin?.write('y\n');
  assert.equal((await first).exitCode, 0);
  await end.waitForLine(/Take it\?.*Take it\?/s);
  end.child.stdin?.write('n\n');
  assert.equal((await second).exitCode, 4);
  assert.deepEqual(readdirSync(target), ['secret.txt']);
});

test('--ask where nobody can be asked is a no', { ...bounded, ...needs('setsid') }, async (t) => {
  const { target, file } = prepare(t);
  const words = [process.execPath, XFER, 'recv', '-l', '--ask', '127.0.0.1:0', target];
  const end = startProgram('setsid', words, { env: { XFER_KEY: KEY } });
  t.after(() => end.stop('SIGKILL'));
  const [, port] = await end.waitForLine(/waiting on \S*:(\d+), sealed/);
  const sent = await goodSender(`127.0.0.1:${port}`, file);
  assert.equal(sent.exitCode, 4, sent.stderr);
  assert.equal((await end.exited).exitCode, 4, end.output());
  assert.deepEqual(readdirSync(target), []);
});

test('a key that is asked for is not shown', { ...bounded, ...needs('script') }, async (t) => {
  const { target, file } = prepare(t);
  const { end, at } = await receiver(t, target);
  const sender = atTerminal(t, ['send', '--sealed', at, file], `${KEY}\n`, { XFER_KEY: '' });
  assert.equal((await sender.exited).exitCode, 0, sender.output());
  assert.equal((await end.exited).exitCode, 0, end.output());
  assert.match(sender.output(), /Key: /);
});

test(
  'the end that waits makes the file of the key, for its owner alone, and the other needs it',
  bounded,
  async (t) => {
    const { folder, target, file } = prepare(t);
    const path = join(folder, 'key');
    const missing = await runXfer(['send', '--key-file', path, '127.0.0.1:9', file]);
    assert.equal(missing.exitCode, 3, missing.stderr);
    const end = startXfer(['recv', '-l', '--key-file', path, '127.0.0.1:0', target]);
    t.after(() => end.stop('SIGKILL'));
    const [, port] = await end.waitForLine(/waiting on \S*:(\d+), sealed/);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.ok(!end.output().includes(readFileSync(path, 'utf8').trim()));
    const sent = await runXfer(['send', '--key-file', path, `127.0.0.1:${port}`, file]);
    assert.equal(sent.exitCode, 0, sent.stderr);
    assert.equal((await end.exited).exitCode, 0, end.output());
  },
);

test('an option of plain bytes is refused where the transfer is sealed, at each end', bounded, async (t) => {
  const { target, file } = prepare(t);
  for (const words of [
    ['send', '127.0.0.1:9', file],
    ['recv', '127.0.0.1:9', target],
    ['pipe', '127.0.0.1:9'],
  ]) {
    const ran = await runXfer([...words, '--idle-timeout', '1'], { env: { XFER_KEY: KEY } });
    assert.equal(ran.exitCode, 2, ran.stderr);
    assert.match(ran.stderr, /option --idle-timeout: not where the transfer is sealed/);
  }
});
