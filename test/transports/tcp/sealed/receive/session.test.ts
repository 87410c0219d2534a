/** Senders that lose their lines, come back, join, or are started again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLocalSink } from '#xfer/transports/local/sink.js';
import { encodeHello, encodeOffer, newSession } from '#xfer/transports/tcp/sealed/messages.js';
import { type Disk, openDisk } from '../../../../conformance/disk.js';
import { patternBytes } from '../../../../support/fixtures.js';
import { assertNoMoreThan, countOpen } from '../../../../support/leaks.js';
import {
  ANYTHING,
  BodyWriter,
  callAsSender,
  callFreely,
  FRAME,
  type FreePeer,
  failureOf,
  offering,
  type Receiving,
  type ReceivingOptions,
  senderHello,
  startReceiving,
} from '../../../../support/sealed.js';
import { commitBody, draft, draftBody, entryBody, file, outcome, put, writeBody } from '../requests.js';

const LIMIT = { timeout: 30_000 };
const BYTES = patternBytes(300_000);
const ENTRY = file('large', BYTES.length, { version: 'v1' });
const BYE = new BodyWriter().u64(1).u64(BYTES.length).u64(0).bytes();

async function withReceiver(
  run: (receiving: Receiving, disk: Disk) => Promise<void>,
  options: ReceivingOptions = {},
): Promise<void> {
  const open = countOpen();
  const disk = await openDisk([]);
  const receiving = await startReceiving(await openLocalSink(disk.root), options);
  try {
    await run(receiving, disk);
  } finally {
    await receiving.stop();
    await disk.remove();
  }
  await assertNoMoreThan(open);
}

/** Writes from `start` on, and resolves when it is held. */
async function write(peer: FreePeer, id: number, number: number, start: number, bytes: Buffer): Promise<void> {
  peer.send(FRAME.write, id, writeBody(number, start));
  peer.send(FRAME.bytes, id, bytes);
  assert.equal(await outcome(peer, FRAME.end, id, Buffer.alloc(0)), 'done');
}

/** Number of a draft, and how many bytes it holds. */
async function found(peer: FreePeer, id: number): Promise<[number, number]> {
  const answer = await peer.ask(FRAME.draft, id, entryBody(ENTRY));
  assert.equal(failureOf(answer), undefined);
  const body = answer?.body as Buffer;
  return [body.readUInt32BE(0), body.readUInt16BE(5) === 0 ? 0 : Number(body.readBigUInt64BE(15))];
}

test('a sender that comes back finds its draft, though the receiver has not heard that the line was lost', LIMIT, () =>
  withReceiver(async (receiving, disk) => {
    const hello = senderHello();
    const lost = await callAsSender(receiving.port, ANYTHING, hello);
    const number = await draft(lost, 2, ENTRY);
    await write(lost, 3, number, 0, BYTES.subarray(0, 100_000));
    lost.send(FRAME.write, 4, writeBody(number, 100_000));
    lost.send(FRAME.bytes, 4, BYTES.subarray(100_000, 150_000));
    const back = await callAsSender(receiving.port, ANYTHING, hello);
    await lost.closed;
    const [again, held] = await found(back, 2);
    assert.ok(held >= 100_000 && held <= 150_000, `${held}`);
    await write(back, 3, again, held, BYTES.subarray(held));
    assert.equal(await outcome(back, FRAME.commit, 4, commitBody(again, ENTRY)), 'done');
    assert.equal(await outcome(back, FRAME.bye, 5, BYE), 'done');
    await receiving.ended;
    assert.ok(BYTES.equals((await disk.read('large')) as Buffer));
    assert.deepEqual(await disk.list(), ['large']);
  }),
);

test('a connection that joins works on the same drafts, and the loss of one is not the loss of all', LIMIT, () =>
  withReceiver(async (receiving, disk) => {
    const hello = senderHello();
    const first = await callAsSender(receiving.port, ANYTHING, hello);
    const number = await draft(first, 2, ENTRY);
    const second = await callFreely(receiving.port, 'sender');
    await second.ask(FRAME.hello, 0, encodeHello({ ...hello, joins: true }));
    await Promise.all([
      write(first, 3, number, 0, BYTES.subarray(0, 150_000)),
      write(second, 3, number, 150_000, BYTES.subarray(150_000)),
    ]);
    first.close();
    assert.equal(await outcome(second, FRAME.commit, 4, commitBody(number, ENTRY)), 'done');
    assert.equal(receiving.lost(), 0);
    assert.equal(await outcome(second, FRAME.bye, 5, BYE), 'done');
    await second.closed;
    assert.deepEqual(await receiving.ended, { files: 1, bytes: BYTES.length, failures: 0 });
    assert.ok(BYTES.equals((await disk.read('large')) as Buffer));
  }),
);

test('nobody joins a session that is not there', LIMIT, () =>
  withReceiver(async (receiving) => {
    const peer = await callFreely(receiving.port, 'sender');
    const answer = await peer.ask(FRAME.hello, 0, encodeHello({ ...senderHello(), joins: true }));
    assert.equal(failureOf(answer)?.code, 'DISCONNECTED');
    await peer.closed;
  }),
);

test('one sender at a time is taken, and another in its place when it is gone', LIMIT, () =>
  withReceiver(async (receiving, disk) => {
    const first = await callAsSender(receiving.port);
    const number = await draft(first, 2, ENTRY);
    await write(first, 3, number, 0, BYTES.subarray(0, 100_000));
    const other = await callFreely(receiving.port, 'sender');
    const answer = await other.ask(FRAME.hello, 0, encodeHello(senderHello()));
    assert.deepEqual(
      [failureOf(answer)?.code, /another sender is at work/.test(failureOf(answer)?.message ?? '')],
      ['UNREACHABLE', true],
    );
    await other.closed;
    first.close();
    while (receiving.lost() === 0) await new Promise((resolve) => setImmediate(resolve));
    const again = await callAsSender(receiving.port);
    const [, held] = await found(again, 2);
    assert.equal(held, 100_000, 'a sender that was started again goes on where the first one stopped');
    again.close();
    await receiving.stop();
    assert.equal((await disk.list()).length, 1, 'what can be gone on with is kept');
  }),
);

test('with keep several senders are taken at once, until the receiver is stopped', LIMIT, () =>
  withReceiver(
    async (receiving, disk) => {
      const peers = await Promise.all(['a', 'b', 'c'].map(() => callAsSender(receiving.port)));
      assert.deepEqual(await Promise.all(peers.map((peer, at) => put(peer, 2, `of ${at}`))), ['done', 'done', 'done']);
      for (const peer of peers) {
        assert.equal(await outcome(peer, FRAME.bye, 3, BYE), 'done');
        await peer.closed;
      }
      assert.equal((await disk.list()).length, 3);
    },
    { keep: true },
  ),
);

test('a person is asked once for the same offer, and again for another one', LIMIT, async () => {
  const asked: string[] = [];
  const events = {
    onOffer: async ({ things }: { things: readonly { name: string }[] }) => {
      asked.push(things.map(({ name }) => name).join());
      return true;
    },
  };
  await withReceiver(
    async (receiving) => {
      const hello = senderHello(newSession());
      for (const names of [['a', 'b'], ['a', 'b'], ['c']]) {
        const peer = await callAsSender(receiving.port, offering(...names), hello);
        assert.equal(await put(peer, 2, names[0] as string), 'done');
        peer.close();
      }
      assert.deepEqual(asked, ['a,b', 'c']);
    },
    { events },
  );
});

test('an offer waits for the person, and the line stays alive meanwhile', LIMIT, async () => {
  let answer: (taken: boolean) => void = () => {};
  const events = {
    onOffer: () =>
      new Promise<boolean>((resolve) => {
        answer = resolve;
      }),
  };
  await withReceiver(
    async (receiving) => {
      const peer = await callFreely(receiving.port, 'sender');
      await peer.ask(FRAME.hello, 0, encodeHello(senderHello()));
      const offered = peer.ask(FRAME.offer, 1, encodeOffer(ANYTHING));
      peer.send(FRAME.ping, 0);
      await new Promise((resolve) => setTimeout(resolve, 50));
      answer(true);
      assert.equal((await offered)?.kind, FRAME.done);
      peer.close();
    },
    { events },
  );
});

test(
  'a draft of a file that was being opened when the line was lost is left for the sender that comes back',
  LIMIT,
  () =>
    withReceiver(async (receiving, disk) => {
      const hello = senderHello();
      for (let round = 0; round < 20; round += 1) {
        const lost = await callAsSender(receiving.port, ANYTHING, hello);
        lost.send(FRAME.draft, 2, entryBody(ENTRY));
        lost.send(FRAME.put, 3, Buffer.alloc(0));
        lost.socket.end();
      }
      const back = await callAsSender(receiving.port, ANYTHING, hello);
      const [number] = await found(back, 2);
      assert.equal(await outcome(back, FRAME.discard, 3, draftBody(number)), 'done');
      assert.deepEqual(await disk.list(), []);
      back.close();
    }),
);
