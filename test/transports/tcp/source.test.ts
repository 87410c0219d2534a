import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Entry, Source } from '#xfer/transport.js';
import type { TcpOptions } from '#xfer/transports/tcp/index.js';
import { failsWith } from '../../support/fails-with.js';
import { acceptPeer, assertNoSockets, at, connectPeer, listening, never, openSource, portOf } from './rig.js';

const limit = { timeout: 10_000 };
const received: Entry = { path: '', kind: 'file' };

afterEach(assertNoSockets);

async function pair(role: 'connect' | 'listen', options: TcpOptions = {}): Promise<{ source: Source; peer: Socket }> {
  if (role === 'connect') {
    const { port, socket } = await acceptPeer();
    const source = await openSource(at(port), options);
    return { source, peer: await socket };
  }
  const listen = portOf(options);
  const opening = openSource(listening, listen.options);
  const peer = await connectPeer(await listen.port);
  return { source: await opening, peer };
}

for (const role of ['connect', 'listen'] as const) {
  test(`${role}: one nameless file, ended by the sender's FIN and not before`, limit, async () => {
    const { source, peer } = await pair(role);
    const entries: Entry[] = [];
    for await (const entry of source.entries(never)) entries.push(entry);
    assert.deepEqual(entries, [received]);
    let peerSawEnd = false;
    peer.resume().on('end', () => {
      peerSawEnd = true;
    });
    const reading = text(await source.read(received, { start: 0 }, never));
    peer.write('first ');
    await wait(50);
    assert.equal(peerSawEnd, false);
    peer.end('second');
    assert.equal(await reading, 'first second');
    if (!peerSawEnd) await once(peer, 'end');
    await source.close();
  });

  test(`${role}: a reset is DISCONNECTED, also where bytes came just before it`, limit, async () => {
    for (const bytes of [0, 1, 300_000]) {
      const { source, peer } = await pair(role);
      await new Promise((done) => peer.write(Buffer.alloc(bytes), done));
      peer.resetAndDestroy();
      await assert.rejects(
        buffer(await source.read(received, { start: 0 }, never)),
        failsWith('DISCONNECTED', /reset/),
      );
      await source.close();
    }
  });

  test(`${role}: closing before the end resets the sender`, limit, async () => {
    const { source, peer } = await pair(role);
    const stream = await source.read(received, { start: 0 }, never);
    peer.write('x');
    await once(stream, 'readable');
    const failed = once(peer.removeAllListeners('error').resume(), 'error');
    await source.close();
    assert.equal(((await failed) as [NodeJS.ErrnoException])[0].code, 'ECONNRESET');
  });

  test(`${role}: an abort ends the stream with its reason`, limit, async () => {
    const { source, peer } = await pair(role);
    const controller = new AbortController();
    const reason = new Error('stop');
    const reading = buffer(await source.read(received, { start: 0 }, { signal: controller.signal }));
    peer.write('x', () => controller.abort(reason));
    await assert.rejects(reading, (error) => error === reason);
    await source.close();
    peer.destroy();
  });

  test(`${role}: a silent sender is TIMED_OUT`, limit, async () => {
    const { source, peer } = await pair(role, { idleTimeoutMs: 60 });
    peer.write('x');
    const stream = await source.read(received, { start: 0 }, never);
    await assert.rejects(buffer(stream), failsWith('TIMED_OUT'));
    await source.close();
    peer.destroy();
  });

  test(`${role}: finishIdleMs closes our direction in a silence, and receives on`, limit, async () => {
    const notices: string[] = [];
    const { source, peer } = await pair(role, { finishIdleMs: 40, onNotice: (line) => notices.push(line) });
    const reading = text(await source.read(received, { start: 0 }, never));
    peer.write('before ');
    await once(peer.resume(), 'end');
    peer.end('after');
    assert.equal(await reading, 'before after');
    assert.equal(notices.length, 1);
    await source.close();
  });

  test(`${role}: a slow reader holds the sender back`, { timeout: 30_000 }, async () => {
    const { source, peer } = await pair(role);
    const total = 100 * 1024 * 1024;
    const stream = await source.read(received, { start: 0 }, never);
    let sent = 0;
    const chunk = Buffer.alloc(1024 * 1024, 7);
    const send = () => {
      while (sent < total) {
        sent += chunk.length;
        if (!peer.write(chunk)) return;
      }
      peer.off('drain', send).end();
    };
    peer.on('drain', send);
    send();
    await once(stream, 'readable');
    await wait(250);
    // Mostly with the kernel.
    assert.ok(sent < 40 * 1024 * 1024, `${sent} bytes were taken without a reader`);
    let count = 0;
    for await (const bytes of stream) count += (bytes as Uint8Array).length;
    assert.equal(count, total);
    await source.close();
  });

  test(`${role}: our own reader's pause is no silence of the sender`, limit, async () => {
    const { source, peer } = await pair(role, { idleTimeoutMs: 100 });
    const stream = await source.read(received, { start: 0 }, never);
    const total = 200_000;
    peer.end(Buffer.alloc(total, 7));
    await once(stream, 'readable');
    await wait(250);
    let count = 0;
    for await (const bytes of stream) count += (bytes as Uint8Array).length;
    assert.equal(count, total);
    await source.close();
  });
}

test('a second read, or one from the middle, is UNSUPPORTED', limit, async () => {
  const { source, peer } = await pair('connect');
  await assert.rejects(source.read(received, { start: 5 }, never), failsWith('UNSUPPORTED'));
  await source.read(received, { start: 0 }, never);
  await assert.rejects(source.read(received, { start: 0 }, never), failsWith('UNSUPPORTED'));
  await source.close();
  peer.destroy();
});

test('a source that was never read resets its sender', limit, async () => {
  const { source, peer } = await pair('listen');
  const failed = once(peer.removeAllListeners('error').resume(), 'error');
  await source.close();
  assert.equal(((await failed) as [NodeJS.ErrnoException])[0].code, 'ECONNRESET');
});
