/** `--announce` and `--find`, on a loopback network of their own. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { run } from '#xfer/cli/run.js';
import type { MdnsPlace } from '#xfer/mdns/options.js';
import { formatKey, newKey } from '#xfer/transports/tcp/sealed/key.js';
import { neighbour, ownPlace } from '../../../support/mdns.js';
import { testSurroundings } from '../../../support/surroundings.js';
import { until } from '../../../support/until.js';

const bounded = { timeout: 60_000 };
const SECRET = 'the payload that nobody else may see';

interface Network {
  readonly mdns: Required<MdnsPlace>;
  readonly key: string;
  readonly folder: string;
  readonly file: string;
  readonly target: string;
}

async function network(t: TestContext): Promise<Network> {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-find-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const target = join(folder, 'in');
  mkdirSync(target);
  const file = join(folder, 'payload.txt');
  writeFileSync(file, SECRET);
  return { mdns: await ownPlace(), key: formatKey(newKey()), folder, file, target };
}

/** The command, in this process. */
function start(t: TestContext, { mdns, folder, key }: Network, words: readonly string[], withKey = key) {
  const env = { XFER_KEY: withKey, XDG_STATE_HOME: join(folder, 'state'), HOME: folder };
  const around = testSurroundings({ mdns, env, homeDirectory: folder });
  const exit = run(words, around);
  t.after(async () => {
    around.stop.abort(new Error('the test ended'));
    await exit;
  });
  return { around, exit, said: () => around.stderr.text() + around.stdout.text() };
}

/** Listens, says what it is told to, and keeps all that it is sent. */
async function impostor(
  t: TestContext,
  words?: string,
): Promise<{ port: number; heard: () => Buffer; server: Server }> {
  const parts: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}).on('data', (part: Buffer) => parts.push(part)));
    if (words !== undefined) socket.end(words);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, heard: () => Buffer.concat(parts), server };
}

/** Answers each question at once, before anybody else can. */
async function answering(t: TestContext, { mdns }: Network, ports: readonly number[]): Promise<void> {
  const { mdns: liar } = await neighbour(t, mdns.port);
  const answer = () => {
    for (const port of ports) {
      const target = '\u001b]0;evil\u0007/../../etc';
      const name = `${'\u001b[2J'.repeat(5)}${port}._xfer._tcp.local`;
      liar.respond([
        { type: 'SRV', name, ttl: 120, data: { port, target, priority: 0, weight: 0 } },
        { type: 'A', name: target, ttl: 120, data: '203.0.113.99' },
      ]);
    }
  };
  liar.on('query', answer);
}

for (const host of ['127.0.0.1', '[::1]']) {
  test(`a receiver at ${host} is found, and what it is found by tells nothing`, bounded, async (t) => {
    const all = await network(t);
    const { heard } = await neighbour(t, all.mdns.port);
    const receiver = start(t, all, ['recv', '--announce', `${host}:0`, all.target]);
    await until(() => heard.length > 0);
    const sender = start(t, all, ['send', '--find', all.file]);
    assert.equal(await sender.exit, 0, sender.said());
    assert.equal(await receiver.exit, 0, receiver.said());
    assert.match(sender.said(), new RegExp(`found ${host.replace(/[[\]]/g, '\\$&')}:\\d+`));
    assert.equal(readFileSync(join(all.target, 'payload.txt'), 'utf8'), SECRET);
    const told = JSON.stringify(heard).toLowerCase();
    for (const word of ['payload', all.key, all.key.replaceAll('-', ''), all.folder, process.env.USER ?? 'payload']) {
      assert.ok(!told.includes(word.toLowerCase()), word);
    }
    const names = heard.flatMap((record) => (record.type === 'SRV' ? [record.name] : []));
    assert.match(names[0] as string, /^[0-9a-f]{16}\._xfer\._tcp\.local$/);
    await until(() => heard.some((record) => record.type === 'SRV' && record.ttl === 0));
  });
}

test('each run has other names, whatever the key is', bounded, async (t) => {
  const all = await network(t);
  const { heard } = await neighbour(t, all.mdns.port);
  const named = () => new Set(heard.flatMap((record) => (record.type === 'SRV' ? [record.name] : [])));
  for (let count = 1; count <= 2; count += 1) {
    const receiver = start(t, all, ['recv', '--announce', '127.0.0.1:0', all.target]);
    await until(() => named().size === count);
    receiver.around.stop.abort(new Error('enough'));
    await receiver.exit;
  }
});

test('a sender that waits is found by a receiver', bounded, async (t) => {
  const all = await network(t);
  const receiver = start(t, all, ['recv', '--find', all.target]);
  await until(() => receiver.said().includes('nobody answers yet'));
  const sender = start(t, all, ['send', '--announce', '127.0.0.1:0', all.file]);
  assert.equal(await receiver.exit, 0, receiver.said());
  assert.equal(await sender.exit, 0, sender.said());
  assert.equal(readFileSync(join(all.target, 'payload.txt'), 'utf8'), SECRET);
});

test('who answers first, often, and without the key gets no byte of the file', bounded, async (t) => {
  const all = await network(t);
  const silent = await impostor(t);
  const plain = await impostor(t, 'HTTP/1.1 200 OK\r\n\r\n');
  const closed = await impostor(t, '');
  await answering(t, all, [silent.port, plain.port, closed.port]);
  const wrong = start(t, all, ['recv', '--announce', '127.0.0.1:0', all.folder], formatKey(newKey()));
  const sender = start(t, all, ['send', '--find', all.file]);
  await until(() => /passed over, looking on/.test(sender.said()));
  const receiver = start(t, all, ['recv', '--announce', '127.0.0.1:0', all.target]);
  assert.equal(await sender.exit, 0, sender.said());
  assert.equal(await receiver.exit, 0, receiver.said());
  assert.equal(readFileSync(join(all.target, 'payload.txt'), 'utf8'), SECRET);
  for (const { heard } of [silent, plain, closed]) {
    const bytes = heard();
    assert.ok(bytes.length < 2048, 'a greeting and no more');
    assert.ok(!bytes.includes('payload'));
  }
  assert.match(wrong.said(), /turned away 127\.0\.0\.1: .*key does not match/);
  assert.deepEqual(readdirSync(all.target), ['payload.txt']);
  assert.doesNotMatch(sender.said(), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});

test('--retry bounds the search, and the exit says whether anybody answered', bounded, async (t) => {
  const all = await network(t);
  const nobody = start(t, all, ['send', '--find', '--retry', '1', all.file]);
  assert.equal(await nobody.exit, 5, nobody.said());
  assert.match(nobody.said(), /find: nobody answered/);
  start(t, all, ['recv', '--announce', '127.0.0.1:0', all.target], formatKey(newKey()));
  const wrong = start(t, all, ['send', '--find', '--retry', '3', all.file]);
  assert.equal(await wrong.exit, 4, wrong.said());
  assert.match(wrong.said(), /none holds this key/);
});

test('one that looks for the other end can be stopped', bounded, async (t) => {
  const all = await network(t);
  const sender = start(t, all, ['send', '--find', all.file, '--json']);
  await until(() => sender.said().includes('nobody answers yet'));
  sender.around.stop.abort(new Error('stop'));
  assert.notEqual(await sender.exit, 0);
});

test('options that contradict each other, and operands', bounded, async (t) => {
  const all = await network(t);
  const cases: [string[], RegExp][] = [
    [['send', '--find', '--announce', all.file], /--find: not with --announce/],
    [['send', '--find', '-l', all.file], /--find: not with --listen/],
    [['send', '--find', '-k', all.file], /--keep-open: only where xfer listens/],
    [['send', '--find', '-U', all.file], /--find: not with --unix/],
    [['send', '--find'], /send needs a file/],
    [['send', '--announce', '-U', './s', all.file], /--announce: not with a unix socket/],
    [['send', '--announce', '--retry', '3', '127.0.0.1:0', all.file], /--retry: only where xfer connects/],
    [['recv', '--find', all.target, 'more'], /recv more: one operand too many/],
    [['recv'], /recv: a port is needed/],
  ];
  for (const [words, message] of cases) {
    const refused = start(t, all, words);
    assert.equal(await refused.exit, 2, words.join(' '));
    assert.match(refused.said(), message);
  }
});

test('what no other machine can reach is not announced, and waits', bounded, async (t) => {
  const all = await network(t);
  const { mdns: _, ...rest } = all;
  const receiver = start(t, { ...rest, mdns: { port: all.mdns.port } as Required<MdnsPlace> }, [
    'recv',
    '--announce',
    '127.0.0.1:0',
    all.target,
  ]);
  await until(() => receiver.said().includes('not announced by mDNS: no other machine can reach this address'));
  const [, port] = /waiting on 127\.0\.0\.1:(\d+)/.exec(receiver.said()) as RegExpExecArray;
  const sender = start(t, all, ['send', `127.0.0.1:${port}`, all.file]);
  assert.equal(await sender.exit, 0, sender.said());
  assert.equal(await receiver.exit, 0, receiver.said());
});
