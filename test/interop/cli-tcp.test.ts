/** `xfer send`, `recv` and `pipe` with nc, ncat and socat at the other end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { freePort } from '../support/free-port.js';
import { findProgram, needs } from '../support/peers.js';
import { runProgram, runXfer, type Started, startProgram, startXfer } from '../support/run-xfer.js';
import { differences, makeRandomFile } from '../support/trees.js';

const bounded = { timeout: 60_000 };
const FILE_BYTES = 3 * 1024 * 1024 + 7;

interface Bench {
  readonly folder: string;
  readonly file: string;
  readonly out: string;
}

function prepare(t: TestContext): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-tcp-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'in.bin');
  makeRandomFile(file, FILE_BYTES);
  return { folder, file, out: join(folder, 'out.bin') };
}

function started(t: TestContext, process: Started): Started {
  t.after(() => process.stop('SIGKILL'));
  return process;
}

/** Starts `xfer recv` or `pipe -l` on a free port, and tells the port. */
async function listening(t: TestContext, args: readonly string[], input?: string) {
  const listener = started(t, startXfer(args, input === undefined ? {} : { input }));
  const [, port] = await listener.waitForLine(/listening on \S*:(\d+)/i);
  return { listener, port: port as string };
}

/** How each program sends standard input, or listens and prints. */
const PEERS: Record<string, { send(port: string): string[]; listen(port: string): string[]; ready?: RegExp }> = {
  'nc.openbsd': {
    send: (port) => ['-N', '127.0.0.1', port],
    listen: (port) => ['-v', '-l', '127.0.0.1', port],
    ready: /listening/i,
  },
  ncat: {
    send: (port) => ['--send-only', '127.0.0.1', port],
    listen: (port) => ['-v', '--recv-only', '-l', '127.0.0.1', port],
    ready: /listening on 127/i,
  },
  socat: {
    send: (port) => ['-u', 'STDIN', `TCP:127.0.0.1:${port}`],
    listen: (port) => ['-d', '-d', '-u', `TCP-LISTEN:${port},bind=127.0.0.1`, 'STDOUT'],
    ready: /listening on/i,
  },
};

for (const [name, peer] of Object.entries(PEERS)) {
  test(`${name} sends, xfer recv writes the file`, { ...needs(name), ...bounded }, async (t) => {
    const { file, out } = prepare(t);
    const { listener, port } = await listening(t, ['recv', '-l', '127.0.0.1:0', out]);
    const sent = await runProgram(findProgram(name) as string, peer.send(port), { input: readFileSync(file) });
    assert.equal(sent.exitCode, 0, sent.stderr);
    assert.equal((await listener.exited).exitCode, 0, listener.output());
    assert.deepEqual(differences(file, out), []);
  });

  test(`xfer send sends, ${name} writes the file`, { ...needs(name), ...bounded }, async (t) => {
    const { file } = prepare(t);
    const port = String(await freePort());
    const listener = started(t, startProgram(findProgram(name) as string, peer.listen(port)));
    const chunks: Buffer[] = [];
    listener.child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    await listener.waitForLine(peer.ready as RegExp);
    const sent = await runXfer(['send', `127.0.0.1:${port}`, file]);
    assert.equal(sent.exitCode, 0, sent.stderr);
    await listener.exited;
    assert.ok(Buffer.concat(chunks).equals(readFileSync(file)), 'other bytes');
  });
}

test('xfer send to xfer recv, from standard input to standard output', bounded, async (t) => {
  const { file } = prepare(t);
  const { listener, port } = await listening(t, ['recv', '-l', '127.0.0.1:0', '-']);
  const chunks: Buffer[] = [];
  listener.child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const sent = await runXfer(['send', `127.0.0.1:${port}`, '-'], { input: readFileSync(file) });
  assert.equal(sent.exitCode, 0, sent.stderr);
  assert.equal((await listener.exited).exitCode, 0, listener.output());
  assert.ok(Buffer.concat(chunks).equals(readFileSync(file)), 'other bytes');
});

test('pipe joins two ends both ways', bounded, async (t) => {
  const { listener, port } = await listening(t, ['pipe', '-l', '127.0.0.1:0'], 'from the listener\n');
  const { exitCode, stdout, stderr } = await runXfer(['pipe', `127.0.0.1:${port}`], { input: 'from the caller\n' });
  assert.equal(exitCode, 0, stderr);
  assert.equal(stdout.toString(), 'from the listener\n');
  assert.equal((await listener.exited).exitCode, 0, listener.output());
  assert.match(listener.output(), /from the caller\n/);
});

test('a refused port exits 5 and says so', bounded, async (t) => {
  const { file } = prepare(t);
  const port = await freePort();
  for (const args of [
    ['send', `127.0.0.1:${port}`, file],
    ['pipe', `127.0.0.1:${port}`],
  ]) {
    const { exitCode, stderr } = await runXfer(args);
    assert.equal(exitCode, 5, stderr);
    assert.match(stderr, /refused/);
  }
});

test('a port out of range exits 2', bounded, async (t) => {
  const { file } = prepare(t);
  for (const port of ['0', '65536', '-1', '1e3', '']) {
    const { exitCode, stderr } = await runXfer(['send', `127.0.0.1:${port}`, file]);
    assert.equal(exitCode, 2, `${port}: ${stderr}`);
  }
});

test('a missing file exits 3 before anything is sent', bounded, async (t) => {
  const { folder } = prepare(t);
  let accepted = 0;
  const server = createServer((socket) => {
    accepted += 1;
    socket.destroy();
  });
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const { exitCode, stderr } = await runXfer(['send', `127.0.0.1:${port}`, join(folder, 'none')]);
  assert.equal(exitCode, 3, stderr);
  assert.equal(accepted, 0);
});

test('a sender that is reset leaves no short file', bounded, async (t) => {
  const { folder, out } = prepare(t);
  const { listener, port } = await listening(t, ['recv', '-l', '127.0.0.1:0', out]);
  const socket: Socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  await new Promise((resolve) => socket.write(Buffer.alloc(4 * 1024 * 1024), resolve));
  // The receiver holds unread bytes or none; a reset is told apart from an end in both.
  socket.resetAndDestroy();
  assert.equal((await listener.exited).exitCode, 5, listener.output());
  assert.equal(existsSync(out), false);
  assert.deepEqual(readdirSync(folder), ['in.bin']);
});
