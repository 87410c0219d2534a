/** A lane's life: pings, last words, and ends that do not close. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import { FRAME } from '#xfer/transports/tcp/sealed/frame.js';
import { sealAccepted } from '#xfer/transports/tcp/sealed/handshake.js';
import { Lane } from '#xfer/transports/tcp/sealed/lane.js';
import { encodeHello } from '#xfer/transports/tcp/sealed/messages.js';
import { failsWith } from '../../../support/fails-with.js';
import { assertNoMoreThan, countOpen } from '../../../support/leaks.js';
import { callFreely, type FreePeer, failureOf, KEY, never, senderHello } from '../../../support/sealed.js';
import { serve } from '../rig.js';

const LIMIT = { timeout: 60_000 };

/** A lane, and the free peer that called it. */
async function pair(run: (lane: Lane, peer: FreePeer) => Promise<void>): Promise<void> {
  const open = countOpen();
  let came: (lane: Lane) => void = () => {};
  const accepted = new Promise<Lane>((resolve) => {
    came = resolve;
  });
  const { server, port } = await serve((socket) => {
    socket.pause();
    void sealAccepted(socket, KEY, 'sender', 'peer', never).then((secured) => came(new Lane(secured, 'peer')));
  });
  const peer = await callFreely(port, 'sender');
  const lane = await accepted;
  try {
    await run(lane, peer);
  } finally {
    lane.cut();
    peer.close();
    server.close();
    await lane.closed;
  }
  await assertNoMoreThan(open);
}

test('what comes behind the hello waits for who takes it', LIMIT, () =>
  pair(async (lane, peer) => {
    peer.send(FRAME.hello, 0, encodeHello(senderHello()));
    for (let id = 1; id <= 50; id += 1) peer.send(FRAME.end, id);
    assert.equal((await lane.first(never)).role, 'sender');
    const seen: number[] = [];
    await new Promise<void>((resolve) => {
      lane.start({
        onFrame: (_kind, id) => void (seen.push(id) === 50 && resolve()),
        onBytes: () => {},
        onGone: () => {},
      });
    });
    assert.deepEqual(
      seen,
      Array.from({ length: 50 }, (_, at) => at + 1),
    );
  }),
);

test('a pause holds back the frames of the same piece too', LIMIT, () =>
  pair(async (lane, peer) => {
    const seen: number[] = [];
    let wake = () => {};
    lane.start({
      onFrame: (_kind, id) => {
        seen.push(id);
        lane.pause();
        wake();
      },
      onBytes: () => {},
      onGone: () => {},
    });
    for (let id = 1; id <= 3; id += 1) peer.send(FRAME.end, id);
    for (let id = 1; id <= 3; id += 1) {
      while (seen.length < id)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      assert.equal(seen.length, id);
      lane.resume();
    }
  }),
);

test('a taker that throws ends the connection, and the other end is told why', LIMIT, () =>
  pair(async (lane, peer) => {
    const gone = new Promise<XferError>((resolve) => {
      lane.start({
        onFrame: () => {
          throw new XferError('PROTOCOL', 'that makes no sense');
        },
        onBytes: () => {},
        onGone: resolve,
      });
    });
    peer.send(FRAME.end, 1);
    assert.deepEqual(failureOf(await peer.next()), { code: 'PROTOCOL', message: 'that makes no sense' });
    assert.ok(failsWith('PROTOCOL', /no sense/)(await gone));
    await lane.closed;
  }),
);

test('last words and a good end do not wait for ever for the other end to close', LIMIT, async () => {
  for (const how of ['refuse', 'finish'] as const) {
    await pair(async (lane, peer) => {
      lane.start({ onFrame: () => {}, onBytes: () => {}, onGone: () => {} });
      peer.socket.pause();
      if (how === 'refuse') lane.refuse(new XferError('DENIED', 'no'));
      else lane.finish();
      const startMs = performance.now();
      await lane.closed;
      assert.ok(performance.now() - startMs < 30_000, how);
    });
  }
});

test('an end that has nothing to say says so', LIMIT, () =>
  pair(async (lane, peer) => {
    lane.start({ onFrame: () => {}, onBytes: () => {}, onGone: () => {} });
    let heardBytes = 0;
    peer.socket.on('data', (bytes: Buffer) => {
      heardBytes += bytes.length;
    });
    while (heardBytes === 0) await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(heardBytes, 9, 'one ping');
  }),
);

test('another version, another first frame and silence end the first word', LIMIT, async () => {
  await pair(async (lane, peer) => {
    peer.send(FRAME.hello, 0, encodeHello({ ...senderHello(), version: 9 }));
    await assert.rejects(lane.first(never), failsWith('UNSUPPORTED', /version 9/));
    assert.equal(failureOf(await peer.next())?.code, 'UNSUPPORTED');
  });
  await pair(async (lane, peer) => {
    peer.send(FRAME.stat, 1, Buffer.of(0, 0));
    await assert.rejects(lane.first(never), failsWith('PROTOCOL', /does not say who it is/));
  });
  await pair(async (lane) => {
    const stop = new AbortController();
    const first = lane.first(stop);
    stop.abort(new Error('stopped'));
    await assert.rejects(first, /stopped/);
    await lane.closed;
  });
});
