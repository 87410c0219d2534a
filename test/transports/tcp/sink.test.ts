import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterEach, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Draft, Entry, Sink } from '#xfer/transport.js';
import type { TcpOptions } from '#xfer/transports/tcp/index.js';
import { queueLength } from '#xfer/transports/tcp/unsent.js';
import { failsWith } from '../../support/fails-with.js';
import { acceptPeer, allOf, assertNoSockets, at, connectPeer, listening, never, openSink, portOf } from './rig.js';

const limit = { timeout: 10_000 };
const file: Entry = { path: '', kind: 'file' };

afterEach(assertNoSockets);

interface Pair {
  readonly sink: Sink;
  readonly draft: Draft;
  readonly peer: Socket;
}

async function pair(role: 'connect' | 'listen', options: TcpOptions = {}): Promise<Pair> {
  if (role === 'connect') {
    const { port, socket } = await acceptPeer();
    const sink = await openSink(at(port), options);
    return { sink, draft: await sink.draft(file, never), peer: await socket };
  }
  const listen = portOf(options);
  const opening = openSink(listening, listen.options);
  const peer = await connectPeer(await listen.port);
  const sink = await opening;
  return { sink, draft: await sink.draft(file, never), peer };
}

async function write(draft: Draft, bytes: Uint8Array | string): Promise<void> {
  await pipeline(Readable.from([Buffer.from(bytes)]), await draft.write(0, never));
}

function resetSeen(peer: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    peer.removeAllListeners('error').on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') resolve();
      else reject(error);
    });
    peer.resume().on('end', () => {
      // Node may report a reset as an end; then the kernel has forgotten the other end.
      const gone = peer.remoteAddress === undefined;
      peer.destroy();
      if (gone) resolve();
      else reject(new Error('a clean end instead of a reset'));
    });
  });
}

for (const role of ['connect', 'listen'] as const) {
  test(`${role}: commit sends FIN and resolves with the other end's`, limit, async () => {
    const { sink, draft, peer } = await pair(role);
    assert.equal(await sink.stat('', never), undefined);
    assert.deepEqual(draft.held, []);
    const reading = allOf(peer).then(String);
    await write(draft, 'all of it');
    let committed = false;
    const committing = draft.commit({ ...file, size: 9 }, never).then(() => {
      committed = true;
    });
    assert.equal(await reading, 'all of it');
    await wait(30);
    assert.equal(committed, false);
    peer.end();
    await committing;
    await sink.close();
  });

  test(`${role}: an early FIN of the other end does not stop the bytes`, limit, async () => {
    const notices: string[] = [];
    const { sink, draft, peer } = await pair(role, { onNotice: (line) => notices.push(line) });
    const reading = allOf(peer);
    peer.end();
    await wait(20);
    const bytes = Buffer.alloc(5_000_000, 'ab');
    await write(draft, bytes);
    await draft.commit({ ...file, size: bytes.length }, never);
    assert.ok((await reading).equals(bytes));
    assert.equal(notices.length, 1);
    await sink.close();
  });

  test(`${role}: an end that is gone after its early FIN is DISCONNECTED`, limit, async () => {
    const { sink, draft, peer } = await pair(role);
    peer.resume().end(() => peer.destroy());
    await once(peer, 'close');
    await wait(20);
    const sending = write(draft, 'a few bytes').then(() => draft.commit(file, never));
    await assert.rejects(sending, failsWith('DISCONNECTED', /not confirmed/));
    await sink.close();
  });

  test(`${role}: a reset on the way is DISCONNECTED, not confirmed`, limit, async () => {
    const { sink, draft, peer } = await pair(role);
    peer.once('data', () => peer.resetAndDestroy());
    await assert.rejects(write(draft, Buffer.alloc(50_000_000)), failsWith('DISCONNECTED', /not confirmed/));
    await assert.rejects(draft.commit(file, never), failsWith('DISCONNECTED', /not confirmed/));
    await draft.discard();
    await sink.close();
  });

  test(`${role}: a reset instead of a FIN is DISCONNECTED, not confirmed`, limit, async () => {
    const { sink, draft, peer } = await pair(role);
    peer.resume().once('end', () => peer.resetAndDestroy());
    await write(draft, 'x');
    await assert.rejects(draft.commit(file, never), failsWith('DISCONNECTED', /not confirmed/));
    await sink.close();
  });

  test(`${role}: no FIN in time is TIMED_OUT, not confirmed, with a hint`, limit, async () => {
    const { sink, draft, peer } = await pair(role, { finTimeoutMs: 60 });
    peer.resume();
    await write(draft, 'x');
    await assert.rejects(draft.commit(file, never), (error: Error & { hint?: string }) => {
      failsWith('TIMED_OUT', /not confirmed/)(error);
      assert.match(error.hint ?? '', /nc -N/);
      return true;
    });
    await sink.close();
    peer.destroy();
  });

  test(`${role}: what the other end says is thrown away`, limit, async () => {
    const { sink, draft, peer } = await pair(role);
    const reading = allOf(peer).then(String);
    peer.write(Buffer.alloc(20_000_000, 'noise'));
    await write(draft, 'signal');
    const committing = draft.commit(file, never);
    assert.equal(await reading, 'signal');
    peer.end();
    await committing;
    await sink.close();
  });

  for (const way of ['suspend', 'discard'] as const) {
    test(`${role}: ${way} is a reset there, never a clean end`, limit, async () => {
      const { sink, draft, peer } = await pair(role);
      const reset = resetSeen(peer);
      await write(draft, 'half');
      await draft[way]();
      await reset;
      await sink.close();
    });
  }

  test(`${role}: fewer or more bytes than announced are TRUNCATED, and a reset there`, limit, async () => {
    for (const size of [3, 5]) {
      const { sink, draft, peer } = await pair(role);
      const reset = resetSeen(peer);
      await write(draft, 'four');
      await assert.rejects(draft.commit({ ...file, size }, never), failsWith('TRUNCATED'));
      await reset;
      await sink.close();
    }
  });

  test(`${role}: an abort while sending, and while waiting for FIN, gives its reason`, limit, async () => {
    const { sink, draft, peer } = await pair(role);
    const controller = new AbortController();
    const reason = new Error('stop');
    peer.once('readable', () => controller.abort(reason));
    const writable = await draft.write(0, { signal: controller.signal });
    const sending = pipeline(Readable.from([Buffer.alloc(50_000_000)]), writable);
    await assert.rejects(sending, (error) => error === reason);
    await sink.close();
    peer.destroy();

    const second = await pair(role);
    const late = new AbortController();
    second.peer.resume().once('end', () => late.abort(reason));
    await write(second.draft, 'x');
    await assert.rejects(second.draft.commit(file, { signal: late.signal }), (error) => error === reason);
    await second.sink.close();
    second.peer.destroy();
  });

  test(`${role}: a slow reader holds the writer back, and idleTimeoutMs ends one that stopped`, limit, async () => {
    const { sink, draft, peer } = await pair(role, { idleTimeoutMs: 150 });
    const writable = await draft.write(0, never);
    let taken = 0;
    const chunk = Buffer.alloc(1024 * 1024);
    const endless = Readable.from(
      (function* () {
        for (; taken < 200; taken += 1) yield chunk;
      })(),
    );
    await assert.rejects(pipeline(endless, writable), failsWith('TIMED_OUT'));
    assert.ok(taken < 40, `${taken} MiB were taken without a reader`);
    await sink.close();
    peer.destroy();
  });
}

test('a slow line that drains outlasts finTimeoutMs', { timeout: 60_000 }, async () => {
  // A system that is short of TCP memory tells of room for seconds late.
  const finTimeoutMs = 6000;
  const { sink, draft, peer } = await pair('connect', { finTimeoutMs });
  await write(draft, Buffer.alloc(3_000_000));
  const startMs = performance.now();
  const committing = draft.commit(file, never);
  // Slower than the timeout in all, and never silent.
  while (queueLength(peer.remotePort ?? 0, peer.localPort ?? 0) > 0) {
    peer.read();
    await wait(130);
  }
  assert.ok(performance.now() - startMs > finTimeoutMs, 'the line was not slow');
  await allOf(peer);
  peer.end();
  await committing;
  await sink.close();
});

test('an empty file is FIN alone', limit, async () => {
  const { sink, draft, peer } = await pair('connect');
  const reading = allOf(peer).then(String);
  const committing = draft.commit({ ...file, size: 0 }, never);
  assert.equal(await reading, '');
  peer.end();
  await committing;
  await sink.close();
});

test('directories, links and a second file are UNSUPPORTED, with a hint', limit, async () => {
  const { sink, peer } = await pair('connect');
  await assert.rejects(sink.create({ path: 'a', kind: 'directory' }, never), failsWith('UNSUPPORTED'));
  await assert.rejects(sink.draft({ path: 'a', kind: 'symlink' }, never), failsWith('UNSUPPORTED'));
  await assert.rejects(sink.draft(file, never), failsWith('UNSUPPORTED', /one file/));
  await sink.close();
  peer.destroy();
});

test('what passed is told once the other end closed in order, and not else', limit, async () => {
  const passed: unknown[] = [];
  const onPassed = (all: unknown) => passed.push(all);
  const good = await pair('connect', { onPassed });
  good.peer.resume().once('end', () => good.peer.end());
  await write(good.draft, 'abc');
  await good.draft.commit(file, never);
  await good.sink.close();
  const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  assert.deepEqual(passed, [{ bytes: 3, sha256 }]);
  const bad = await pair('connect', { onPassed });
  bad.peer.resume().once('end', () => bad.peer.resetAndDestroy());
  await write(bad.draft, 'abc');
  await assert.rejects(bad.draft.commit(file, never), failsWith('DISCONNECTED'));
  await bad.sink.close();
  assert.equal(passed.length, 1);
});

test('a person is told what an end that does not close may wait for', limit, async () => {
  const notices: string[] = [];
  const { sink, draft, peer } = await pair('listen', { onNotice: (line) => notices.push(line) });
  await write(draft, 'x');
  const committing = draft.commit(file, never);
  await allOf(peer);
  while (notices.length === 0) await wait(20);
  assert.match(notices[0] as string, /press \^D there/);
  peer.end();
  await committing;
  await sink.close();
});
