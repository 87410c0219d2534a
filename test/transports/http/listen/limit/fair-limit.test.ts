import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FairLimit } from '#xfer/transports/http/listen/limit/fair-limit.js';
import type { HttpListenOptions } from '#xfer/transports/http/listen/options.js';
import { serve, temporaryFolder, until } from '../rig.js';

const bounded = { timeout: 20_000 };
const BIG_BYTES = 8 << 20;
const never = new AbortController().signal;

async function serveBig(t: TestContext, options: Partial<HttpListenOptions>) {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'big'), Buffer.alloc(BIG_BYTES));
  await writeFile(join(folder, 'small'), Buffer.alloc(1000));
  return serve(t, folder, options);
}

/** Downloads from an address of this machine until the test ends, and counts what comes. */
function download(t: TestContext, port: number, localAddress: string, connections = 1): { bytes: number } {
  const got = { bytes: 0 };
  for (let count = 0; count < connections; count += 1) {
    const asked = request({ host: '127.0.0.1', port, path: '/big', localAddress, agent: false }, (response) => {
      response.on('data', (chunk: Buffer) => {
        got.bytes += chunk.length;
      });
      response.on('error', () => undefined);
    });
    asked.on('error', () => undefined);
    asked.end();
    t.after(() => asked.destroy());
  }
  return got;
}

/** Bytes a second of each over some time, once something came of all. */
async function rates(forMs: number, ...counted: { bytes: number }[]): Promise<number[]> {
  await until(() => counted.every(({ bytes }) => bytes > 0));
  const before = counted.map(({ bytes }) => bytes);
  const startMs = performance.now();
  await new Promise((resolve) => setTimeout(resolve, forMs));
  const seconds = (performance.now() - startMs) / 1000;
  return counted.map(({ bytes }, at) => (bytes - (before[at] as number)) / seconds);
}

function near(rate: number | undefined, wanted: number, tolerance = 0.15): void {
  const off = Math.abs((rate ?? 0) - wanted) / wanted;
  assert.ok(off <= tolerance, `${Math.round(rate ?? 0)} bytes/s, wanted ${wanted}`);
}

test('all together get no more than the rate, and all of it', bounded, async (t) => {
  const { port } = await serveBig(t, { limitBytesPerSecond: 1_000_000 });
  const one = download(t, port, '127.0.0.1', 3);
  near((await rates(2000, one))[0], 1_000_000);
});

test('a client with many connections gets what a client with one gets', bounded, async (t) => {
  const { port } = await serveBig(t, { limitClientBytesPerSecond: 300_000 });
  const greedy = download(t, port, '127.0.0.1', 16);
  const modest = download(t, port, '127.0.0.2');
  const [much, little] = await rates(2000, greedy, modest);
  near(much, 300_000);
  near(little, 300_000);
});

test('clients share the rate of all in turns, not by their connections', bounded, async (t) => {
  const { port } = await serveBig(t, { limitBytesPerSecond: 600_000 });
  const greedy = download(t, port, '127.0.0.1', 16);
  const modest = download(t, port, '127.0.0.2');
  const [much = 0, little = 0] = await rates(2500, greedy, modest);
  near(much + little, 600_000);
  // By connections it would be 565,000 and 35,000; one that is late on a busy machine loses its turn.
  near(much, 300_000, 0.3);
  near(little, 300_000, 0.3);
});

test('a small file does not wait for others where there is room for it', bounded, async (t) => {
  const { port, url } = await serveBig(t, { limitClientBytesPerSecond: 500_000 });
  const other = download(t, port, '127.0.0.2', 8);
  await until(() => other.bytes > 0);
  for (let round = 0; round < 10; round += 1) {
    const startMs = performance.now();
    assert.equal((await (await fetch(`${url}/small`)).arrayBuffer()).byteLength, 1000);
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs < 150, `${tookMs} ms`);
  }
});

test('the bytes are the same, and files are closed when a client that waits goes', bounded, async (t) => {
  const folder = await temporaryFolder(t);
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251));
  await writeFile(join(folder, 'file'), bytes);
  const { url, source, port } = await serve(t, folder, { limitBytesPerSecond: 2_000_000 });
  assert.ok(bytes.equals(Buffer.from(await (await fetch(`${url}/file`)).arrayBuffer())));
  await writeFile(join(folder, 'big'), Buffer.alloc(BIG_BYTES));
  const aborted = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}/big`, { signal: aborted.signal });
  await response.body?.getReader().read();
  aborted.abort();
  await until(() => source.opened === 2 && source.closed === 2);
});

test('who waits is told when the client has gone, and nothing is taken for it', bounded, async (t) => {
  // The limit's own timer keeps no process alive.
  const alive = setInterval(() => undefined, 1000);
  t.after(() => clearInterval(alive));
  const limit = new FairLimit({ bytesPerSecond: 10_000 });
  assert.equal(limit.take('192.0.2.1', 1000, never), undefined);
  assert.equal(limit.take('192.0.2.1', 1000, never), undefined, 'what was saved up');
  const gone = new AbortController();
  const waits = limit.take('192.0.2.1', 1_000_000, gone.signal);
  const next = limit.take('192.0.2.2', 1000, never);
  assert.ok(waits && next);
  gone.abort(new Error('gone'));
  await assert.rejects(waits, /gone/);
  await next;
  await assert.rejects(
    limit.take('192.0.2.1', 1000, AbortSignal.abort(new Error('before'))) ?? Promise.resolve(),
    /before/,
  );
});

test('addresses of one IPv6 network are one client', bounded, () => {
  const limit = new FairLimit({ clientBytesPerSecond: 1000 });
  assert.equal(limit.take('2001:db8:1:2::1', 5000, never), undefined);
  assert.ok(limit.take('2001:db8:1:2::2', 5000, never) instanceof Promise);
  assert.equal(limit.take('2001:db8:1:3::1', 5000, never), undefined);
});
