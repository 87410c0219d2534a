import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough, Readable, Writable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, test } from 'node:test';
import type { TcpOptions } from '#xfer/transports/tcp/index.js';
import { type PipeResult, pipe } from '#xfer/transports/tcp/pipe.js';
import { openWire } from '#xfer/transports/tcp/raw.js';
import type { Wire } from '#xfer/transports/tcp/wire.js';
import { failsWith } from '../../support/fails-with.js';
import { follow, HALF_CLOSE_ORDERS } from '../../support/half-close-peer.js';
import { acceptPeer, allOf, assertNoSockets, at, connectPeer, listening, never, portOf } from './rig.js';

const limit = { timeout: 10_000 };
const roles = ['connect', 'listen'] as const;

afterEach(assertNoSockets);

interface Run {
  readonly peer: Socket;
  readonly result: Promise<PipeResult>;
}

async function start(
  role: (typeof roles)[number],
  streams: { input: Readable; output: Writable },
  options: TcpOptions = {},
  scope = never,
): Promise<Run> {
  const { wire, peer } = await meet(role, options);
  const result = pipe(wire, streams, options, scope);
  result.catch(() => {});
  return { result, peer };
}

async function meet(role: (typeof roles)[number], options: TcpOptions): Promise<{ wire: Wire; peer: Socket }> {
  if (role === 'connect') {
    const { port, socket } = await acceptPeer();
    const opening = openWire(at(port), options, never);
    return { peer: await socket, wire: await opening };
  }
  const listen = portOf(options);
  const opening = openWire(listening, listen.options, never);
  return { peer: await connectPeer(await listen.port), wire: await opening };
}

for (const role of roles) {
  for (const [order, steps] of Object.entries(HALF_CLOSE_ORDERS)) {
    test(`${role}: half-close order ${order}`, limit, async () => {
      const output = new PassThrough();
      const { peer, result } = await start(role, { input: Readable.from([Buffer.from('command')]), output });
      await follow(peer, steps);
      assert.equal(await text(output), 'greeting');
      assert.deepEqual(await result, { sentBytes: 7, receivedBytes: 8 });
    });
  }

  test(`${role}: an open input that brought nothing does not hold up what came`, { timeout: 20_000 }, async () => {
    const input = new PassThrough();
    const output = new PassThrough();
    const notices: string[] = [];
    const { peer, result } = await start(role, { input, output }, { onNotice: (line) => notices.push(line) });
    peer.end('greeting');
    assert.equal(await text(output), 'greeting');
    assert.equal((await result).receivedBytes, 8);
    assert.ok(input.destroyed);
    assert.match(notices.join(), /standard input brought nothing/);
  });

  for (const first of ['', 'command']) {
    const title = `${role}: input that pauses after "${first}" is not cut where the other end closed its direction`;
    test(title, { timeout: 20_000 }, async () => {
      const input = new PassThrough();
      const output = new PassThrough().resume();
      const notices: string[] = [];
      const { peer, result } = await start(role, { input, output }, { onNotice: (line) => notices.push(line) });
      const reading = text(peer);
      if (first !== '') input.write(first);
      peer.end();
      await new Promise((resolve) => setTimeout(resolve, 6000));
      assert.match(notices.join(), /goes on until its end/);
      input.end('the rest');
      assert.equal(await reading, `${first}the rest`);
      await result;
    });
  }

  test(`${role}: one that is gone while an open input is quiet has had all`, limit, async () => {
    const input = new PassThrough();
    const { peer, result } = await start(role, { input, output: new PassThrough().resume() });
    input.write('request');
    await once(peer, 'data');
    peer.end('answer');
    await new Promise((resolve) => setTimeout(resolve, 200));
    peer.resetAndDestroy();
    assert.deepEqual(await result, { sentBytes: 7, receivedBytes: 6 });
  });

  test(`${role}: large both ways at once`, limit, async () => {
    const here = Buffer.alloc(8_000_000, 'here');
    const there = Buffer.alloc(8_000_000, 'there');
    const output = new PassThrough();
    const { peer, result } = await start(role, { input: Readable.from([here, here]), output });
    const reading = allOf(peer);
    peer.end(there);
    const got = await buffer(output);
    assert.ok(got.equals(there));
    // The other end's FIN came with our bytes still on the way: they are not lost.
    assert.equal((await result).receivedBytes, there.length);
    await reading;
  });

  test(`${role}: a reset is DISCONNECTED, and the input is freed`, limit, async () => {
    const input = new PassThrough();
    const { peer, result } = await start(role, { input, output: new PassThrough().resume() });
    peer.resetAndDestroy();
    await assert.rejects(result, failsWith('DISCONNECTED'));
    assert.ok(input.destroyed);
  });

  test(`${role}: an output that breaks is DISCONNECTED, and a reset there`, limit, async () => {
    const output = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    });
    const { peer, result } = await start(role, { input: new PassThrough(), output });
    const failed = once(peer.removeAllListeners('error').resume(), 'error');
    peer.write('x');
    await assert.rejects(result, failsWith('DISCONNECTED', /write output/));
    assert.equal(((await failed) as [NodeJS.ErrnoException])[0].code, 'ECONNRESET');
  });

  test(`${role}: an abort rejects with its reason`, limit, async () => {
    const controller = new AbortController();
    const reason = new Error('stop');
    const streams = { input: new PassThrough(), output: new PassThrough() };
    const { peer, result } = await start(role, streams, {}, { signal: controller.signal });
    peer.resume();
    peer.write('x');
    streams.output.once('readable', () => controller.abort(reason));
    await assert.rejects(result, (error) => error === reason);
    peer.destroy();
  });

  test(`${role}: a slow output holds the other end back`, limit, async () => {
    const output = new PassThrough();
    const { peer, result } = await start(role, { input: Readable.from([Buffer.from('x')]), output });
    let sent = 0;
    const chunk = Buffer.alloc(1024 * 1024);
    const more = () => {
      while (sent < 60) {
        sent += 1;
        if (!peer.write(chunk)) return;
      }
      peer.off('drain', more).end();
    };
    peer.resume().on('drain', more);
    await once(peer, 'end');
    more();
    await once(output, 'readable');
    assert.ok(sent < 40 && output.readableLength < 3 * 1024 * 1024, `${sent} MiB, ${output.readableLength} buffered`);
    assert.equal((await buffer(output)).length, 60 * 1024 * 1024);
    assert.equal((await result).receivedBytes, 60 * 1024 * 1024);
  });
}

test('an idle pipe is TIMED_OUT', limit, async () => {
  const streams = { input: new PassThrough(), output: new PassThrough() };
  const { peer, result } = await start('connect', streams, { idleTimeoutMs: 50 });
  await assert.rejects(result, failsWith('TIMED_OUT'));
  peer.destroy();
});

for (const role of roles) {
  test(`${role}: input that still comes after the other end closed its direction is not dropped`, limit, async () => {
    const input = new PassThrough();
    const output = new PassThrough();
    const { peer, result } = await start(role, { input, output });
    peer.end('done');
    assert.equal(await text(output), 'done');
    const sent = Buffer.alloc(3 << 20, 7);
    input.end(sent);
    assert.ok((await buffer(peer)).equals(sent));
    assert.deepEqual(await result, { sentBytes: sent.length, receivedBytes: 4 });
  });
}

test('a terminal is not waited for once the other end closed', limit, async () => {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const { peer, result } = await start('connect', { input, output: new PassThrough().resume() });
  peer.end();
  await result;
});

for (const role of roles) {
  test(`${role}: an input that brings nothing is not ended while the other end sends`, limit, async () => {
    const output = new PassThrough();
    const { peer, result } = await start(role, { input: Readable.from([]), output });
    const reading = text(output);
    let ended = false;
    peer.resume().on('end', () => {
      ended = true;
    });
    // As many an nc, the peer would stop at our end.
    const startedAt = performance.now();
    while (performance.now() - startedAt < 2500) {
      assert.equal(ended, false);
      peer.write('x');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    peer.end('all');
    assert.match(await reading, /^x+all$/);
    await result;
  });

  test(`${role}: an input that brings nothing ends once the other end is silent`, limit, async () => {
    const output = new PassThrough();
    const { peer, result } = await start(role, { input: Readable.from([]), output });
    await once(peer.resume(), 'end');
    peer.end('the answer to nothing');
    assert.equal(await text(output), 'the answer to nothing');
    await result;
  });

  test(
    `${role}: bytes that an end which closed does not take are TIMED_OUT, never lost in silence`,
    limit,
    async () => {
      const input = Readable.from([Buffer.alloc(50_000_000)]);
      const { peer, result } = await start(role, { input, output: new PassThrough().resume() }, { finTimeoutMs: 200 });
      peer.end();
      await assert.rejects(result, failsWith('TIMED_OUT', /takes no more bytes/));
      peer.destroy();
    },
  );

  test(`${role}: an end that closed early and is gone before the last byte is DISCONNECTED`, limit, async () => {
    const input = new PassThrough();
    const { peer, result } = await start(role, { input, output: new PassThrough().resume() });
    peer.end();
    input.write('never read');
    await new Promise((resolve) => setTimeout(resolve, 50));
    peer.resetAndDestroy();
    input.end();
    await assert.rejects(result, failsWith('DISCONNECTED'));
  });
}
