/** Ten thousand clients that hang up, ask again, send rubbish or stall: the same process serves on, no larger than before. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { memoryMiBOf } from '../support/processes.js';
import { startXfer } from '../support/run-xfer.js';

const CLIENTS = 10_000;
const AT_ONCE = 50;
const MOST_GROWTH_MIB = 50;
const MOST_WARM_UPS = 12;
const SETTLED_MIB = 5;

const GET = 'GET /big HTTP/1.1\r\nHost: localhost\r\n';

/** What a client sends, and after how many bytes of an answer it goes; none: it stays until the server closes. */
const kinds: readonly { readonly text: string; readonly leavesAfter?: number }[] = [
  { text: `${GET}\r\n`, leavesAfter: 1 },
  { text: `${GET}\r\n${GET}\r\n${GET}\r\n`, leavesAfter: 300_000 },
  { text: `${GET}If-None-Match: *\r\nConnection: close\r\n\r\n` },
  { text: `${GET}Range: bytes=5-9,900-1000\r\nConnection: close\r\n\r\n` },
  { text: 'GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' },
  { text: `\x16\x03\x01${'\x00'.repeat(200)}\r\n\r\n` },
  { text: 'GET / HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n', leavesAfter: 1 },
  { text: 'POST /big HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nabc' },
  { text: 'GET /b', leavesAfter: 0 },
  { text: '', leavesAfter: 0 },
];

/** One client; resolves when it has gone. */
function visit(port: number, { text, leavesAfter }: (typeof kinds)[number]): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(text);
      if (leavesAfter === 0) socket.end(() => socket.destroy());
    });
    let got = 0;
    socket.on('data', (chunk) => {
      got += chunk.length;
      if (leavesAfter !== undefined && got >= leavesAfter) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}

async function visits(port: number, count: number): Promise<void> {
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < count) {
      begun += 1;
      await visit(port, kinds[begun % kinds.length] as (typeof kinds)[number]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/** Until its memory has the size that its engine gives it, which differs between versions of Node. */
async function warmUp(port: number, pid: number): Promise<void> {
  let before = 0;
  // One round without growth may be one that ended in a collection.
  for (let [round, settled] = [0, 0]; round < MOST_WARM_UPS && settled < 2; round += 1) {
    await visits(port, 2000);
    const now = memoryMiBOf(pid) ?? 0;
    settled = now - before < SETTLED_MIB ? settled + 1 : 0;
    before = now;
  }
}

async function startServer(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'xfer-soak-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  writeFileSync(join(root, 'big'), Buffer.alloc(4 << 20));
  utimesSync(join(root, 'big'), 1, 1);
  const running = startXfer(['serve', '-q', '-b', '127.0.0.1', '-p', '0', root]);
  t.after(() => running.stop());
  const [, port] = await running.waitForLine(/http:\/\/127\.0\.0\.1:(\d+)\//);
  return { running, port: Number(port), pid: running.child.pid as number };
}

function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

test(`${CLIENTS} clients of the worst kinds leave a server as it was`, {
  skip: process.platform !== 'linux' && 'needs /proc',
  timeout: 240_000,
}, async (t) => {
  const { port, pid, running } = await startServer(t);
  await warmUp(port, pid);
  const [descriptorsBefore, memoryBefore] = [descriptors(pid), memoryMiBOf(pid) ?? 0];
  await visits(port, CLIENTS);
  const deadlineMs = performance.now() + 5000;
  while (descriptors(pid) > descriptorsBefore && performance.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.ok(descriptors(pid) <= descriptorsBefore, `${descriptors(pid)} open, ${descriptorsBefore} before`);
  const grown = (memoryMiBOf(pid) ?? 0) - memoryBefore;
  t.diagnostic(`${Math.round(grown)} MiB more than before`);
  assert.ok(grown < MOST_GROWTH_MIB, `${grown} MiB more than before`);
  assert.equal((await (await fetch(`http://127.0.0.1:${port}/big`)).arrayBuffer()).byteLength, 4 << 20);
  assert.equal(running.child.exitCode, null);
});
