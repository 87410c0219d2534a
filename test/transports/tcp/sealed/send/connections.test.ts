/** A sender's connections that are lost, and what waits on them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import { openLocalSink } from '#xfer/transports/local/sink.js';
import { decodeHello, encodeHello } from '#xfer/transports/tcp/sealed/messages.js';
import { openDisk } from '../../../../conformance/disk.js';
import { failsWith } from '../../../../support/fails-with.js';
import { startFaultyProxy } from '../../../../support/faulty-proxy.js';
import { patternBytes } from '../../../../support/fixtures.js';
import { assertNoMoreThan, countOpen } from '../../../../support/leaks.js';
import {
  FRAME,
  type FreePeer,
  HOST,
  listenFreely,
  never,
  openSending,
  receiverHello,
  startReceiving,
} from '../../../../support/sealed.js';

const LIMIT = { timeout: 30_000 };

test('after a loss nothing is asked before the offer is taken again', LIMIT, async () => {
  const peers: FreePeer[] = [];
  const asked: number[][] = [];
  const listening = await listenFreely('sender', (peer) => {
    const kinds: number[] = [];
    peers.push(peer);
    asked.push(kinds);
    void (async () => {
      for (let frame = await peer.next(); frame; frame = await peer.next()) {
        kinds.push(frame.kind);
        if (frame.kind === FRAME.hello) {
          peer.send(FRAME.hello, 0, encodeHello(receiverHello(decodeHello(frame.body).session)));
        } else {
          if (frame.kind === FRAME.offer) await new Promise((resolve) => setTimeout(resolve, 50));
          peer.send(FRAME.done, frame.id, frame.kind === FRAME.stat ? Buffer.of(0) : Buffer.alloc(0));
        }
      }
    })();
  });
  const sink = await openSending(listening.port);
  peers[0]?.close();
  // These meet the loss, or come after it.
  await Promise.allSettled(['a', 'b', 'c'].map((path) => sink.stat(path, never)));
  await Promise.all(['a', 'b', 'c'].map((path) => sink.stat(path, never)));
  const last = asked.at(-1) as number[];
  assert.deepEqual(last.slice(0, 2), [FRAME.hello, FRAME.offer]);
  assert.equal(last.filter((kind) => kind === FRAME.offer).length, 1);
  await sink.close();
  await assert.rejects(sink.stat('x', never), failsWith('DISCONNECTED', /closed/));
  await listening.stop();
});

test('another receiver than at first is not taken for it', LIMIT, async () => {
  let count = 0;
  const peers: FreePeer[] = [];
  const listening = await listenFreely('sender', (peer) => {
    count += 1;
    peers.push(peer);
    void (async () => {
      const hello = await peer.next();
      peer.send(
        FRAME.hello,
        0,
        encodeHello(receiverHello(decodeHello(hello?.body as Buffer).session, `place ${count}`)),
      );
      for (let frame = await peer.next(); frame; frame = await peer.next()) peer.send(FRAME.done, frame.id);
    })();
  });
  const sink = await openSending(listening.port);
  peers[0]?.close();
  const create = () => sink.create({ path: 'd', kind: 'directory' }, never);
  const first: unknown = await create().catch((error: unknown) => error);
  const isAnother = failsWith('PROTOCOL', /another receiver/);
  // The first request may have met the loss itself.
  if (first instanceof XferError && first.code === 'DISCONNECTED') await assert.rejects(create(), isAnother);
  else assert.ok(isAnother(first));
  await sink.close();
  await listening.stop();
});

test('Ctrl-C on a line where nothing moves does not wait for the line', LIMIT, async () => {
  const open = countOpen();
  const disk = await openDisk([]);
  const receiving = await startReceiving(await openLocalSink(disk.root));
  const proxy = await startFaultyProxy({
    to: { host: HOST, port: receiving.port },
    way: 'up',
    stallAfterBytes: 200_000,
  });
  const sink = await openSending(proxy.port);
  const stop = new AbortController();
  const draft = await sink.draft({ path: 'f', kind: 'file', size: 4 << 20, version: 'v' }, stop);
  const stream = await draft.write(0, stop);
  const failed = new Promise((resolve) => stream.once('error', resolve));
  stream.write(patternBytes(1 << 20));
  const reason = new Error('stopped by the test');
  stop.abort(reason);
  assert.equal(await failed, reason);
  await draft.suspend().catch(failsWith('DISCONNECTED'));
  await sink.close();
  await receiving.stop();
  await proxy.stop();
  assert.equal((await disk.list()).length, 1, 'the receiver has kept what came');
  await disk.remove();
  await assertNoMoreThan(open);
});

test('more files than a receiver takes at once wait for their turn', LIMIT, async () => {
  const disk = await openDisk([]);
  const receiving = await startReceiving(await openLocalSink(disk.root));
  const sink = await openSending(receiving.port);
  const names = Array.from({ length: 700 }, (_, at) => `f${at}`);
  let [open, most] = [0, 0];
  await Promise.all(
    names.map(async (path, at) => {
      const draft = await sink.draft({ path, kind: 'file', size: 1 }, never);
      open += 1;
      most = Math.max(most, open);
      const stream = await draft.write(0, never);
      await new Promise((resolve, reject) => stream.once('close', resolve).once('error', reject).end('x'));
      open -= 1;
      if (at % 7 === 0) await draft.discard();
      else await draft.commit({ path, kind: 'file', size: 1 }, never);
    }),
  );
  assert.ok(most <= 512, `${most} at once`);
  assert.equal((await disk.list()).length, 600);
  await sink.close();
  await receiving.stop();
  await disk.remove();
});
