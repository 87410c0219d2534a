import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, test } from 'node:test';
import { openWire } from '#xfer/transports/tcp/raw.js';
import { Wire } from '#xfer/transports/tcp/wire.js';
import { failsWith } from '../../support/fails-with.js';
import { withResolvers } from '../../support/with-resolvers.js';
import {
  acceptPeer,
  assertNoSockets,
  at,
  connectPeer,
  HOST,
  listening,
  never,
  openSink,
  openSource,
  portOf,
  serve,
} from './rig.js';

const limit = { timeout: 5000 };

afterEach(assertNoSockets);

test('a port that nobody listens on is UNREACHABLE, with a hint', limit, async () => {
  const { server, port } = await serve(() => {});
  server.close();
  await once(server, 'close');
  for (const open of [openSource, openSink]) {
    await assert.rejects(open(at(port)), (error: Error & { hint?: string }) => {
      failsWith('UNREACHABLE', /connection refused/)(error);
      assert.match(error.hint ?? '', /listening/);
      return true;
    });
  }
});

test('a location without a port or host is USAGE', limit, async () => {
  await assert.rejects(openSink({ scheme: 'tcp', host: HOST, path: '' }), failsWith('USAGE', /no port/));
  await assert.rejects(openSink({ scheme: 'tcp', port: 9, path: '' }), failsWith('USAGE', /no host/));
});

test('listening on a port that is in use is EXISTS', limit, async () => {
  const { server, port } = await serve(() => {});
  await assert.rejects(openSource({ ...at(port), listen: true }), failsWith('EXISTS', /in use/));
  server.close();
});

test('an abort while listening frees the port and rejects with its reason', limit, async () => {
  const controller = new AbortController();
  const reason = new Error('stop');
  const { options, port } = portOf();
  const opening = openSource(listening, options, { signal: controller.signal });
  const taken = await port;
  controller.abort(reason);
  await assert.rejects(opening, (error) => error === reason);
  await assert.rejects(openSource(at(taken)), failsWith('UNREACHABLE'));
});

test('an abort while connecting, and before, rejects with its reason', limit, async () => {
  const { server, port } = await serve((socket) =>
    socket
      .on('error', () => {})
      .resume()
      .end(),
  );
  for (const before of [true, false]) {
    const controller = new AbortController();
    const reason = new Error('stop');
    if (before) controller.abort(reason);
    const opening = openSink(at(port), {}, { signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(opening, (error) => error === reason);
  }
  server.close();
});

test('only the first connection is taken; the port is free while it lasts', limit, async () => {
  const { options, port } = portOf();
  const { promise: peer, resolve } = withResolvers<string>();
  const opening = openWire(listening, { ...options, onConnection: ({ host }) => resolve(host) }, never);
  const first = await connectPeer(await port);
  const wire = await opening;
  assert.equal(await peer, HOST);
  await assert.rejects(openSource(at(await port)), failsWith('UNREACHABLE'));
  wire.cut();
  await wire.closed;
  first.destroy();
});

test('without a host both families are accepted, and an IPv4 peer is named as IPv4', limit, async () => {
  const { options, port } = portOf();
  const { promise: peer, resolve } = withResolvers<string>();
  const opening = openWire(
    { scheme: 'tcp', port: 0, path: '', listen: true },
    { ...options, onConnection: ({ host }) => resolve(host) },
    never,
  );
  const first = await connectPeer(await port);
  const wire = await opening;
  assert.equal(await peer, HOST);
  wire.cut();
  await wire.closed;
  first.destroy();
});

for (const rewrap of [true, false]) {
  test(`an accepted socket gives all bytes, in order, ${rewrap ? 'rewrapped' : 'as it is'}`, limit, async () => {
    const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 7 + (index >> 8)) & 255));
    const { server, port } = await serve(() => {});
    server.close();
    await once(server, 'close');
    const { promise, resolve } = withResolvers<Wire>();
    const { createServer } = await import('node:net');
    const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      listener.close();
      const wire = Wire.accepted('test', socket, false, rewrap);
      assert.equal(wire.socket !== socket, rewrap);
      resolve(wire);
    }).listen(port, HOST);
    const peer = await connectPeer(port);
    peer.end(sent);
    const wire = await promise;
    const chunks: Uint8Array[] = [];
    await new Promise<void>((done, fail) => {
      wire.start({
        // Pauses after each chunk, so that resuming is tried as often.
        onBytes: (bytes) => {
          chunks.push(bytes);
          setImmediate(() => wire.resume());
          return false;
        },
        onEnd: done,
        onFail: fail,
      });
    });
    wire.finish();
    assert.ok(Buffer.concat(chunks).equals(sent));
    await wire.closed;
  });
}

test('a connection that is cut is a reset there, not a clean end', limit, async () => {
  const { port, socket } = await acceptPeer();
  const wire = await openWire(at(port), {}, never);
  const peer = await socket;
  const failed = once(peer.removeAllListeners('error').resume(), 'error');
  wire.cut();
  const [error] = (await failed) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNRESET');
  await wire.closed;
});

test('a reset after an early end is known, however often it was asked for', limit, async () => {
  const { port, socket } = await acceptPeer();
  const wire = await openWire(at(port), {}, never);
  const peer = await socket;
  const ended = new Promise<void>((resolve) => {
    wire.start({ onBytes: () => true, onEnd: resolve, onFail: () => {} });
  });
  peer.end();
  await ended;
  assert.equal(wire.connected, true);
  assert.equal(wire.failIfReset(), false);
  peer.resetAndDestroy();
  await once(peer, 'close');
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(wire.connected, false);
  assert.equal(wire.failIfReset(), true);
  assert.equal(wire.failure?.code, 'DISCONNECTED');
  await wire.closed;
});

test('an abort in the turn of the first connection leaves none behind', limit, async () => {
  const controller = new AbortController();
  const reason = new Error('stop');
  const listen = portOf({ onConnection: () => controller.abort(reason) });
  const opening = openWire(listening, listen.options, { signal: controller.signal });
  const rejected = assert.rejects(opening, (error) => error === reason);
  const peer = connect({ host: HOST, port: await listen.port }).on('error', () => {});
  await rejected;
  await new Promise((resolve) => peer.resume().once('close', resolve));
});
