/** A sender that waits, and receivers that call it, vanish, and call again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copy } from '#xfer/copy/index.js';
import { retry } from '#xfer/copy/retry.js';
import { openLocalSink, openLocalSource } from '#xfer/transports/local/index.js';
import { frameHeader } from '#xfer/transports/tcp/sealed/frame.js';
import { decodeHello, encodeHello, encodeOffer } from '#xfer/transports/tcp/sealed/messages.js';
import { receiveByCalling } from '#xfer/transports/tcp/sealed/receive/caller.js';
import { openSealedSink } from '#xfer/transports/tcp/sealed/send/sink.js';
import { openDisk } from '../../../../conformance/disk.js';
import { failsWith } from '../../../../support/fails-with.js';
import { startFaultyProxy } from '../../../../support/faulty-proxy.js';
import { patternBytes } from '../../../../support/fixtures.js';
import { assertNoMoreThan, countOpen } from '../../../../support/leaks.js';
import {
  ANYTHING,
  callFreely,
  FRAME,
  failureOf,
  HOST,
  KEY,
  listenFreely,
  never,
  receiverHello,
  senderHello,
  startSending,
  takeAll,
} from '../../../../support/sealed.js';

const LIMIT = { timeout: 60_000 };
const SIZE = 40 << 20;

function receiving(port: number, root: string, scope = never) {
  const again = (attempt: () => Promise<void>) =>
    retry(attempt, {
      policy: { attempts: 20, firstDelayMs: 10, maxDelayMs: 100 },
      signal: scope.signal,
      what: 'receive',
      onRetry: () => {},
    });
  const open = openLocalSink(root);
  return open.then((sink) =>
    receiveByCalling(
      [{ host: HOST, port }],
      'sender',
      sink,
      { key: KEY, policy: {}, events: takeAll(), identity: root, again },
      scope,
    ),
  );
}

test(
  'a large file goes over several connections, which the receiver is asked to make, and survives the loss of one',
  LIMIT,
  async () => {
    const open = countOpen();
    const from = await openDisk([{ path: 'large', bytes: patternBytes(SIZE) }]);
    const to = await openDisk([]);
    const sending = await startSending();
    const proxy = await startFaultyProxy({
      to: { host: HOST, port: sending.port },
      resetAfterBytes: 5 << 20,
      times: 1,
    });
    const received = receiving(proxy.port, to.root);
    const sink = await openSealedSink(await sending.opener, ANYTHING, { connections: 3 }, never);
    const result = await copy([await openLocalSource(`${from.root}/large`)], sink, {
      intoDirectory: true,
      verify: 'sha256',
      retry: { attempts: 20, firstDelayMs: 10 },
    });
    assert.equal(result.files, 1);
    await sink.conclude({ files: 1, bytes: SIZE, failures: 0 }, never);
    await sink.close();
    assert.deepEqual(await received, { files: 1, bytes: SIZE, failures: 0 });
    assert.ok(proxy.connections >= 3, `${proxy.connections} connections`);
    assert.ok(patternBytes(SIZE).equals((await to.read('large')) as Buffer));
    sending.stop();
    await proxy.stop();
    await Promise.all([from.remove(), to.remove()]);
    await assertNoMoreThan(open);
  },
);

test(
  'a receiver that was started again for the same place goes on, and one for another place is told to wait',
  LIMIT,
  async () => {
    const sending = await startSending();
    const first = await callFreely(sending.port, 'receiver');
    assert.equal((await first.ask(FRAME.hello, 0, encodeHello(receiverHello(undefined, 'place'))))?.kind, FRAME.hello);
    const busy = await callFreely(sending.port, 'receiver');
    const told = await busy.ask(FRAME.hello, 0, encodeHello(receiverHello(undefined, 'place')));
    assert.equal(failureOf(told)?.code, 'UNREACHABLE');
    first.close();
    await busy.closed;
    const answerOf = async (identity: string) => {
      const peer = await callFreely(sending.port, 'receiver');
      const answer = await peer.ask(FRAME.hello, 0, encodeHello(receiverHello(undefined, identity)));
      peer.close();
      return answer?.kind;
    };
    // The sender hears of the first one's end a moment later.
    while ((await answerOf('place')) !== FRAME.hello) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await answerOf('elsewhere'), FRAME.failed);
    sending.stop();
  },
);

test('a sender asks nothing of one that does not say what it can do', LIMIT, async () => {
  const sending = await startSending();
  const peer = await callFreely(sending.port, 'receiver');
  const { target: _, ...bare } = receiverHello();
  await peer.ask(FRAME.hello, 0, encodeHello(bare));
  await assert.rejects(
    openSealedSink(await sending.opener, ANYTHING, {}, never),
    failsWith('PROTOCOL', /does not receive/),
  );
  await peer.closed;
  sending.stop();
});

test('hello and offer may come in one piece', LIMIT, async () => {
  const to = await openDisk([]);
  const stop = new AbortController();
  let answered: (kind: number | undefined) => void = () => {};
  const offered = new Promise<number | undefined>((resolve) => {
    answered = resolve;
  });
  const listening = await listenFreely('receiver', (peer) => {
    void (async () => {
      const { session } = decodeHello((await peer.next())?.body as Buffer);
      const parts = [encodeHello({ ...senderHello(session) }), encodeOffer(ANYTHING)] as const;
      const hello = Buffer.concat([frameHeader(FRAME.hello, 0, parts[0].length), parts[0]]);
      peer.socket.write(Buffer.concat([hello, frameHeader(FRAME.offer, 1, parts[1].length), parts[1]]));
      answered((await peer.next())?.kind);
    })();
  });
  const received = receiving(listening.port, to.root, stop);
  assert.equal(await offered, FRAME.done);
  stop.abort(new Error('stopped by the test'));
  await received.catch(() => {});
  await listening.stop();
  await to.remove();
});
