/** The proxy that the fault tests rely on does what it says. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { type FaultyProxyOptions, startFaultyProxy } from '../support/faulty-proxy.js';
import { patternBytes } from '../support/fixtures.js';
import { assertNoMoreThan, countOpen } from '../support/leaks.js';

const BYTES = patternBytes(500_000);
const LIMIT = { timeout: 10_000 };

interface Received {
  readonly bytes: Buffer;
  readonly error: string | undefined;
}

/** Connects once through a proxy in front of a server that sends BYTES; `times` receipts one after the other. */
async function receive(
  fault: Omit<FaultyProxyOptions, 'to'>,
  times = 1,
  until?: (got: number) => boolean,
): Promise<Received[]> {
  const before = countOpen();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(BYTES);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startFaultyProxy({
    to: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    ...fault,
  });
  const received: Received[] = [];
  try {
    for (let round = 0; round < times; round++) received.push(await drain(connect(proxy.port, proxy.host), until));
    assert.equal(proxy.connections, times);
  } finally {
    await proxy.stop();
    server.close();
    await once(server, 'close');
  }
  await assertNoMoreThan(before);
  return received;
}

async function drain(socket: Socket, until?: (got: number) => boolean): Promise<Received> {
  const chunks: Buffer[] = [];
  let got = 0;
  let error: string | undefined;
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    got += chunk.length;
    if (until?.(got)) socket.destroy();
  });
  socket.on('error', (failure: NodeJS.ErrnoException) => {
    error = failure.code;
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return { bytes: Buffer.concat(chunks), error };
}

test('without a fault everything passes', LIMIT, async () => {
  const [only] = await receive({});
  assert.ok(BYTES.equals(only?.bytes as Buffer));
});

test('a cut comes at its byte, as a clean end', LIMIT, async () => {
  for (const cutAfterBytes of [1, 65_536, 123_457]) {
    const [only] = await receive({ cutAfterBytes });
    assert.ok(BYTES.subarray(0, cutAfterBytes).equals(only?.bytes as Buffer), `${only?.bytes.length} bytes`);
    assert.equal(only?.error, undefined);
  }
});

test('a cut at 0 passes nothing', LIMIT, async () => {
  const [only] = await receive({ cutAfterBytes: 0 });
  assert.equal(only?.bytes.length, 0);
});

test('a reset ends the connection with no more than its bytes', LIMIT, async () => {
  const [only] = await receive({ resetAfterBytes: 100_000 });
  const bytes = only?.bytes as Buffer;
  assert.ok(bytes.length <= 100_000 && BYTES.subarray(0, bytes.length).equals(bytes));
});

test('a stall passes its bytes and keeps the connection', LIMIT, async () => {
  const [only] = await receive({ stallAfterBytes: 70_000 }, 1, (got) => got >= 70_000);
  assert.ok(BYTES.subarray(0, 70_000).equals(only?.bytes as Buffer));
});

test('one byte is turned over, and no other', LIMIT, async () => {
  const [only] = await receive({ flipByteAt: 200_000 });
  const expected = Buffer.from(BYTES);
  expected[200_000] = (expected[200_000] as number) ^ 0xff;
  assert.ok(expected.equals(only?.bytes as Buffer));
});

test('only the first connections are broken', LIMIT, async () => {
  const [first, second] = await receive({ cutAfterBytes: 10, times: 1 }, 2);
  assert.equal(first?.bytes.length, 10);
  assert.ok(BYTES.equals(second?.bytes as Buffer));
});
