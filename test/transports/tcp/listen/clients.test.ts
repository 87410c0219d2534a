/** One port for many clients. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import type { Listener } from '#xfer/listener.js';
import type { Sink, Source } from '#xfer/transport.js';
import { createMemoryTree, type MemoryTree, openMemorySink, openMemorySource } from '#xfer/transports/memory/index.js';
import { type ClientResult, listen, type TcpListenOptions } from '#xfer/transports/tcp/listen/index.js';
import { failsWith } from '../../../support/fails-with.js';
import { until } from '../../../support/until.js';
import { withResolvers } from '../../../support/with-resolvers.js';
import { allOf, assertNoSockets, connectPeer, HOST, never } from '../rig.js';

const limit = { timeout: 10_000 };

afterEach(assertNoSockets);

interface Serving {
  readonly listener: Listener;
  readonly results: ClientResult[];
  /** Resolves when so many clients are done with. */
  done(count: number): Promise<void>;
  connect(): Promise<Socket>;
}

async function serve(ends: { share: Source } | { receive: Sink }, options: Partial<TcpListenOptions> = {}) {
  const results: ClientResult[] = [];
  let wake = () => {};
  const onClient = (result: ClientResult) => {
    results.push(result);
    wake();
  };
  const listener = await listen({ hosts: [HOST], port: 0, digests: true, onClient, ...ends, ...options }, never);
  const done = async (count: number) => {
    while (results.length < count) {
      const { promise, resolve } = withResolvers<void>();
      wake = resolve;
      await promise;
    }
  };
  return { listener, results, done, connect: () => connectPeer(listener.address.port) } satisfies Serving;
}

async function send(socket: Socket, bytes: string): Promise<void> {
  socket.resume().end(bytes);
  await once(socket, 'close');
}

/** Names and bytes at the top of a tree. */
function filesOf(tree: MemoryTree): Map<string, string> {
  return new Map(
    [...tree.root.children].map(([name, node]) => [name, node.kind === 'file' ? String(node.bytes) : node.kind]),
  );
}

test('each client brings a file of its own, at once, under a name that is ours', limit, async () => {
  const tree = createMemoryTree();
  const { listener, results, done, connect } = await serve({ receive: openMemorySink(tree) });
  const slow = await connect();
  slow.resume().write('../../etc/');
  // Another one comes and goes while the first is still there.
  await send(await connect(), 'quick');
  await done(1);
  slow.end('passwd');
  await done(2);
  assert.deepEqual([...filesOf(tree).values()].sort(), ['../../etc/passwd', 'quick']);
  for (const name of filesOf(tree).keys()) {
    assert.match(name, /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}-127\.0\.0\.1-[12]$/);
  }
  assert.deepEqual(results.map(({ passed }) => passed?.bytes).sort(), [16, 5]);
  for (const { passed, peer, name } of results) {
    assert.equal(passed?.sha256?.length, 64);
    assert.equal(peer.host, HOST);
    assert.ok(filesOf(tree).has(name as string));
  }
  await listener.close();
});

test('a client that fails leaves nothing, and the others go on', limit, async () => {
  const tree = createMemoryTree();
  const { listener, results, done, connect } = await serve({ receive: openMemorySink(tree) });
  const bad = await connect();
  bad.write('half', () => bad.resetAndDestroy());
  await done(1);
  assert.equal(results[0]?.error?.code, 'DISCONNECTED');
  await send(await connect(), 'whole');
  await done(2);
  assert.deepEqual([...filesOf(tree).values()], ['whole']);
  assert.equal(tree.parts.size, 0);
  await listener.close();
});

test('each client is given the same file', limit, async () => {
  const tree = createMemoryTree();
  const sink = openMemorySink(tree);
  const content = 'the same for all'.repeat(50_000);
  const draft = await sink.draft({ path: 'f', kind: 'file' }, never);
  const writable = await draft.write(0, never);
  writable.end(content);
  await once(writable, 'close');
  await draft.commit({ path: 'f', kind: 'file' }, never);
  const { listener, results, done, connect } = await serve({ share: openMemorySource(tree, 'f') });
  const sockets = await Promise.all(Array.from({ length: 5 }, connect));
  const received = await Promise.all(
    sockets.map(async (socket) => {
      const all = await allOf(socket);
      socket.end();
      return String(all);
    }),
  );
  await done(5);
  for (const each of received) assert.ok(each === content);
  assert.deepEqual(
    results.map(({ error, passed }) => [error, passed?.bytes]),
    Array.from({ length: 5 }, () => [undefined, content.length]),
  );
  await listener.close();
});

test('a sink of one file at a time takes one client after the other, in their order', limit, async () => {
  const tree = createMemoryTree();
  const below = openMemorySink(tree, 'log');
  const inOrder: string[] = [];
  // As standard output: no directory, and one stream at a time.
  const capabilities = { ...below.capabilities, parallel: false };
  const receive: Sink = Object.create(below, {
    capabilities: { value: capabilities },
    stat: { value: async () => undefined },
    draft: {
      value: async (...args: Parameters<Sink['draft']>) => {
        inOrder.push('start');
        const draft = await below.draft(...args);
        const commit = draft.commit.bind(draft);
        return Object.assign(draft, {
          commit: async (...last: Parameters<typeof commit>) => {
            await commit(...last);
            inOrder.push('end');
          },
        });
      },
    },
  });
  const { listener, results, done, connect } = await serve({ receive });
  const first = await connect();
  const second = await connect();
  second.resume().end('second');
  first.resume().write('fir');
  first.end('st');
  await done(2);
  assert.deepEqual(inOrder, ['start', 'end', 'start', 'end']);
  assert.deepEqual(
    results.map(({ name, passed }) => [name, passed?.bytes]),
    [
      [undefined, 5],
      [undefined, 6],
    ],
  );
  await listener.close();
});

test('a hundred clients at once, and one more is turned away with a word', limit, async () => {
  const notices: string[] = [];
  const tree = createMemoryTree();
  const receive = openMemorySink(tree);
  const {
    listener,
    results,
    done,
    connect: join,
  } = await serve({ receive }, { onNotice: (line) => notices.push(line) });
  const idle = await Promise.all(Array.from({ length: 100 }, join));
  await Promise.all(idle.map((socket) => new Promise((resolve) => socket.write('x', resolve))));
  await until(() => [...tree.parts.values()].filter(({ held }) => held.length > 0).length === 100);
  for (let count = 0; count < 3; count += 1) {
    const more = connect({ host: HOST, port: listener.address.port }).on('error', () => {});
    await new Promise((resolve) => more.once('close', resolve));
  }
  assert.equal(notices.length, 1);
  assert.match(notices[0] as string, /more than 100/);
  // A place that is free again is taken.
  idle[0]?.resume().end();
  await done(1);
  await send(await join(), 'late');
  await done(2);
  assert.equal(results[1]?.passed?.bytes, 4);
  for (const socket of idle) socket.destroy();
  await listener.close();
});

test('a hundred silent clients keep nobody out, and leave nothing', limit, async () => {
  const tree = createMemoryTree();
  const { listener, results, done, connect } = await serve({ receive: openMemorySink(tree) });
  const silent = await Promise.all(Array.from({ length: 100 }, connect));
  await until(() => tree.parts.size === 100);
  await send(await connect(), 'heard');
  await send(await connect(), 'too');
  await done(3);
  assert.deepEqual([...filesOf(tree).values()].sort(), ['heard', 'too']);
  assert.deepEqual(
    results.flatMap(({ error }) => (error ? [error.code] : [])),
    ['TIMED_OUT'],
  );
  for (const socket of silent) socket.resetAndDestroy();
  await listener.close();
  assert.equal(filesOf(tree).size, 2);
});

test('closing lets clients end for the grace, then cuts them', limit, async () => {
  const tree = createMemoryTree();
  const { listener, results, connect: join } = await serve({ receive: openMemorySink(tree) });
  const [soon, idle] = [await join(), await join()];
  idle
    .on('error', () => {})
    .resume()
    .write('x');
  await new Promise((resolve) => soon.resume().write('in ', resolve));
  const closing = listener.close({ graceMs: 300 });
  await assert.rejects(once(connect({ host: HOST, port: listener.address.port }), 'connect'));
  soon.end('time');
  await closing;
  await listener.closed;
  assert.deepEqual([...filesOf(tree).values()], ['in time']);
  assert.deepEqual(results.map(({ error }) => error?.code).sort(), ['DISCONNECTED', undefined].sort());
});

test('the signal ends it', limit, async () => {
  const controller = new AbortController();
  const receive = openMemorySink(createMemoryTree());
  const listener = await listen({ hosts: [HOST], port: 0, receive }, { signal: controller.signal });
  controller.abort();
  await listener.closed;
});

test('several hosts share a port; the URLs can be typed', limit, async () => {
  const receive = openMemorySink(createMemoryTree());
  const listener = await listen({ hosts: [HOST, '::1'], port: 0, receive }, never);
  const { port } = listener.address;
  assert.deepEqual(listener.urls, [`tcp://${HOST}:${port}/`, `tcp://[::1]:${port}/`]);
  assert.deepEqual(listener.sockets, []);
  await listener.close();
});

test('a unix socket may be among them', { ...limit, skip: process.platform === 'win32' }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-unix-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 's');
  const tree = createMemoryTree();
  const { listener, done } = await serve({ receive: openMemorySink(tree) }, { hosts: [path, HOST] });
  assert.deepEqual(listener.sockets, [path]);
  assert.equal(listener.address.host, HOST);
  connect(path).resume().end('by a path');
  connect({ host: HOST, port: listener.address.port }).resume().end('by a port');
  await done(2);
  assert.deepEqual([...filesOf(tree).values()].sort(), ['by a path', 'by a port']);
  assert.ok([...filesOf(tree).keys()].some((name) => name.includes('-unix-')));
  await listener.close();
});

test('sockets that were handed down are UNSUPPORTED', limit, async () => {
  const receive = openMemorySink(createMemoryTree());
  await assert.rejects(listen({ port: 0, descriptors: [3], receive }, never), failsWith('UNSUPPORTED'));
});

test('neither or both of share and receive are USAGE', limit, async () => {
  await assert.rejects(listen({ port: 0 }, never), failsWith('USAGE'));
});

test('a rate is shared by all clients', limit, async () => {
  const tree = createMemoryTree();
  const receive = openMemorySink(tree);
  const { listener, done, connect } = await serve({ receive }, { limitBytesPerSecond: 1_000_000 });
  const started = performance.now();
  for (let count = 0; count < 4; count += 1) (await connect()).resume().end(Buffer.alloc(150_000));
  await done(4);
  // 600 kB at a million bytes a second, less the burst that is free.
  const took = performance.now() - started;
  assert.ok(took > 300, `${took} ms`);
  await listener.close();
});
