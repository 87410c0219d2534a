/** A receiver that holds the key, and lies: the copy fails with a word for it, and never hangs, loops or believes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copy } from '#xfer/copy/index.js';
import { XferError } from '#xfer/errors.js';
import { openLocalSource } from '#xfer/transports/local/index.js';
import { decodeHello, encodeFailure, encodeHello, encodeRanges } from '#xfer/transports/tcp/sealed/messages.js';
import { openDisk } from '../../../conformance/disk.js';
import { failsWith } from '../../../support/fails-with.js';
import { patternBytes } from '../../../support/fixtures.js';
import { assertNoMoreThan, countOpen } from '../../../support/leaks.js';
import {
  BodyWriter,
  FRAME,
  type Frame,
  type FreePeer,
  listenFreely,
  openSending,
  receiverHello,
} from '../../../support/sealed.js';
import { entryBody } from './requests.js';

const LIMIT = { timeout: 30_000 };
const SIZE = 200_000;

/** What it does with a frame; true: the usual answer is left out. */
type Answer = (peer: FreePeer, frame: Frame) => boolean | undefined;

function drafted(flags = 0, ranges: { start: number; end: number }[] = []): Buffer {
  return new BodyWriter().u32(1).u8(flags).raw(encodeRanges(ranges)).bytes();
}

/** Answers as a receiver would that holds all, without a look at it. */
function answerUsually(peer: FreePeer, { kind, id, body }: Frame): void {
  if (kind === FRAME.hello) peer.send(FRAME.hello, 0, encodeHello(receiverHello(decodeHello(body).session)));
  else if (kind === FRAME.stat) peer.send(FRAME.done, id, Buffer.of(0));
  else if (kind === FRAME.draft) peer.send(FRAME.done, id, drafted());
  else if (kind === FRAME.digest) peer.send(FRAME.done, id, Buffer.alloc(33));
  else if (kind === FRAME.bytes) peer.send(FRAME.held, id, new BodyWriter().u64(body.length).bytes());
  else if (kind !== FRAME.write && kind !== FRAME.abort) peer.send(FRAME.done, id);
}

/** Sends a file to it, and gives the error, with how many connections that took. */
async function sendTo(answer: Answer): Promise<{ error: unknown; connections: number }> {
  const open = countOpen();
  const disk = await openDisk([{ path: 'file', bytes: patternBytes(SIZE) }]);
  let connections = 0;
  const listening = await listenFreely('sender', (peer) => {
    connections += 1;
    void (async () => {
      for (let frame = await peer.next(); frame; frame = await peer.next()) {
        if (!answer(peer, frame)) answerUsually(peer, frame);
      }
    })();
  });
  const retry = { attempts: 3, firstDelayMs: 1, maxDelayMs: 2 };
  const sent = (async () => {
    const sink = await openSending(listening.port);
    try {
      const source = await openLocalSource(`${disk.root}/file`);
      await copy([source], sink, { verify: 'sha256', blockBytes: 64 << 10, retry });
    } finally {
      await sink.close();
    }
  })();
  const error = await sent.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  await listening.stop();
  await disk.remove();
  await assertNoMoreThan(open);
  return { error, connections };
}

/** Lies when a frame of this kind comes, in the place of its answer. */
function on(kind: number, lie: (peer: FreePeer, frame: Frame) => void): Answer {
  return (peer, frame) => {
    if (frame.kind !== kind) return undefined;
    lie(peer, frame);
    return true;
  };
}

const u64 = (value: number) => new BodyWriter().u64(value).bytes();

const LIES: readonly [string, Answer, string, RegExp][] = [
  ['a digest of something else', () => undefined, 'CORRUPT', /SHA-256/],
  [
    'more held than was sent',
    on(FRAME.bytes, (peer, { id }) => peer.send(FRAME.held, id, u64(2 ** 50))),
    'PROTOCOL',
    /more than was sent/,
  ],
  [
    'all held before all was sent',
    on(FRAME.write, (peer, { id }) => peer.send(FRAME.done, id)),
    'PROTOCOL',
    /before all was sent/,
  ],
  [
    'an answer that is no frame',
    on(FRAME.stat, (peer) => peer.socket.write(Buffer.alloc(9, 0xff))),
    'PROTOCOL',
    /no such kind/,
  ],
  [
    'an answer without end',
    on(FRAME.stat, (peer, { id }) => peer.send(FRAME.done, id, Buffer.alloc(65_000))),
    'PROTOCOL',
    /left over/,
  ],
  [
    'a request',
    on(FRAME.stat, (peer) => peer.send(FRAME.put, 1, Buffer.alloc(10))),
    'PROTOCOL',
    /does not send such frames/,
  ],
  [
    'bytes of a file',
    on(FRAME.stat, (peer) => peer.send(FRAME.bytes, 1, Buffer.alloc(10))),
    'PROTOCOL',
    /does not send such frames/,
  ],
  [
    'a draft cut short',
    on(FRAME.draft, (peer, { id }) => peer.send(FRAME.done, id, Buffer.of(0))),
    'PROTOCOL',
    /cut short/,
  ],
  [
    'too many ranges',
    on(FRAME.draft, (peer, { id }) => peer.send(FRAME.done, id, Buffer.of(0, 0, 0, 1, 0, 0xff, 0xff))),
    'PROTOCOL',
    /ranges/,
  ],
  [
    'that the file is there',
    on(FRAME.draft, (peer, { id }) => peer.send(FRAME.done, id, drafted(2))),
    'EXISTS',
    /another file/,
  ],
  [
    'last words',
    on(FRAME.draft, (peer) => peer.send(FRAME.failed, 0, encodeFailure(new XferError('DENIED', 'no more')))),
    'DENIED',
    /no more/,
  ],
  [
    'a code that is none',
    on(FRAME.stat, (peer, { id }) =>
      peer.send(FRAME.failed, id, new BodyWriter().text('INTERNAL').text('x').text('').bytes()),
    ),
    'PROTOCOL',
    /x/,
  ],
  [
    'that it lost the line, for ever',
    on(FRAME.draft, (peer, { id }) =>
      peer.send(FRAME.failed, id, encodeFailure(new XferError('DISCONNECTED', 'again'))),
    ),
    'DISCONNECTED',
    /again/,
  ],
  [
    'a hello of another version',
    on(FRAME.hello, (peer, { body }) =>
      peer.send(FRAME.hello, 0, encodeHello({ ...receiverHello(decodeHello(body).session), version: 2 })),
    ),
    'UNSUPPORTED',
    /version 2/,
  ],
  [
    'a hello of another session',
    on(FRAME.hello, (peer) => peer.send(FRAME.hello, 0, encodeHello(receiverHello()))),
    'PROTOCOL',
    /another than was called/,
  ],
  [
    'nothing of a target',
    on(FRAME.hello, (peer, { body }) =>
      peer.send(FRAME.hello, 0, encodeHello({ version: 1, role: 'receiver', session: decodeHello(body).session })),
    ),
    'PROTOCOL',
    /does not receive/,
  ],
];

for (const [what, answer, code, message] of LIES) {
  test(`it says ${what}`, LIMIT, async () => {
    const { error, connections } = await sendTo(answer);
    assert.ok(failsWith(code as XferError['code'], message)(error));
    assert.ok(connections <= 4, `${connections} connections`);
  });
}

test('control characters of its words are never shown', LIMIT, async () => {
  const words = '\u001b]0;owned\u0007 \u202e\r\n \u009b2J';
  const body = new BodyWriter().text('DENIED').text(words).text(words).bytes();
  const { error } = await sendTo(on(FRAME.stat, (peer, { id }) => peer.send(FRAME.failed, id, body)));
  assert.ok(error instanceof XferError);
  assert.doesNotMatch(error.message + error.hint, /[\p{Cc}\u202e]/u);
});

test('an entry that it states has the path that was asked for, whatever it says', LIMIT, async () => {
  const listening = await listenFreely('sender', (peer) => {
    void (async () => {
      for (let frame = await peer.next(); frame; frame = await peer.next()) {
        const other = Buffer.concat([Buffer.of(1), entryBody({ path: 'other', kind: 'file', size: 3 })]);
        if (frame.kind === FRAME.stat) peer.send(FRAME.done, frame.id, other);
        else answerUsually(peer, frame);
      }
    })();
  });
  const sink = await openSending(listening.port);
  const scope = { signal: new AbortController().signal };
  assert.equal((await sink.stat('asked', scope))?.path, 'asked');
  await sink.close();
  await listening.stop();
});

test('frames without end that nobody asked for take no memory', LIMIT, async () => {
  const memory = process.memoryUsage.rss();
  const flood = Buffer.concat(Array.from({ length: 2000 }, () => Buffer.from('000000008000001000', 'hex')));
  const { error } = await sendTo(
    on(FRAME.stat, (peer, { id }) => {
      for (let count = 0; count < 500; count += 1) peer.socket.write(flood);
      peer.send(FRAME.failed, id, encodeFailure(new XferError('DENIED', 'after the flood')));
    }),
  );
  assert.ok(failsWith('DENIED', /after the flood/)(error));
  assert.ok(process.memoryUsage.rss() - memory < 100 << 20);
});
