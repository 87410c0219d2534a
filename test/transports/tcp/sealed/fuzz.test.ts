/**
 * Whatever comes, an end says what is wrong with it and goes on: no crash, no hang, no memory, and no byte outside the
 * target. All of them look for XFER_FUZZ_SECONDS; a failure prints the seed and the path that repeat it.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { XferError } from '#xfer/errors.js';
import type { Entry } from '#xfer/transport.js';
import { openLocalSink } from '#xfer/transports/local/sink.js';
import { FRAME, type FrameKind, FrameReader, frameHeader } from '#xfer/transports/tcp/sealed/frame.js';
import {
  decodeFailure,
  decodeHello,
  decodeOffer,
  encodeHello,
  encodeOffer,
  encodeRanges,
  readEntry,
  readRanges,
  writeEntry,
} from '#xfer/transports/tcp/sealed/messages.js';
import { type Disk, openDisk } from '../../../conformance/disk.js';
import { startRecordingLine } from '../../../support/recording-line.js';
import {
  ANYTHING,
  BodyReader,
  BodyWriter,
  callAsSender,
  callFreely,
  HOST,
  never,
  openSending,
  type Receiving,
  senderHello,
  startReceiving,
} from '../../../support/sealed.js';
import { gone, serve } from '../rig.js';
import { commitBody, draftBody, entryBody, file, put, putBody, writeBody } from './requests.js';

const SECONDS = Number(process.env.XFER_FUZZ_SECONDS ?? 14);
/** Of the seven tests. */
const EACH_MS = (SECONDS / 7) * 1000;
const TEST = { timeout: 60_000 + SECONDS * 3000 };
const MOST_BYTES_MORE = 150 << 20;

function long<T>(): fc.Parameters<T> {
  return { numRuns: 1_000_000_000, interruptAfterTimeLimit: EACH_MS, markInterruptAsFailure: false };
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));

/** What a reader makes of some pieces: its frames, and the code of the error that ended it. */
function readAll(pieces: readonly Buffer[]): unknown[] {
  const found: unknown[] = [];
  let chunk: Buffer[] = [];
  const flush = () => {
    if (chunk.length > 0) found.push(Buffer.concat(chunk).toString('hex'));
    chunk = [];
  };
  const reader = new FrameReader({
    onFrame: (kind, id, body) => {
      flush();
      found.push([kind, id, body.toString('hex')]);
    },
    onBytes: (id, piece) => {
      assert.ok(piece.length > 0);
      chunk.push(Buffer.concat([Buffer.from(`${id}:`), piece]).subarray(`${id}:`.length));
    },
  });
  try {
    for (const piece of pieces) assert.equal(reader.take(piece), piece.length);
  } catch (error) {
    assert.ok(error instanceof XferError && error.code === 'PROTOCOL', String(error));
    flush();
    return [...found, error.code];
  }
  flush();
  return found;
}

function cut(whole: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (whole.length + 1)), whole.length].sort((a, b) => a - b);
  return at.slice(1).map((end, index) => whole.subarray(at[index], end));
}

const kind = fc.oneof(fc.constantFrom(...Object.values(FRAME)), fc.integer({ min: 0, max: 255 }));
const anyFrame = fc
  .tuple(kind, fc.integer({ min: 0, max: 5 }), bytes(60))
  .map(([of, id, body]) => Buffer.concat([frameHeader(of as FrameKind, id, body.length), body]));
const anyStream = fc.oneof(
  bytes(200),
  fc.array(anyFrame, { maxLength: 8 }).map((frames) => Buffer.concat(frames)),
);

test('frames are the same however they are cut, and what is none is PROTOCOL', TEST, () => {
  fc.assert(
    fc.property(anyStream, fc.array(fc.nat(500), { maxLength: 6 }), (whole, places) => {
      assert.deepEqual(readAll(cut(whole, places)), readAll([whole]));
    }),
    long(),
  );
});

test('bodies are read, or are a breach, and nothing else', TEST, () => {
  const readers: ((body: Buffer) => unknown)[] = [
    decodeHello,
    decodeOffer,
    decodeFailure,
    (body) => readEntry(new BodyReader(body)),
    (body) => readRanges(new BodyReader(body)),
  ];
  fc.assert(
    fc.property(bytes(300), fc.nat(readers.length - 1), (body, which) => {
      try {
        readers[which]?.(body);
      } catch (error) {
        assert.ok(error instanceof XferError, String(error));
        assert.ok(['PROTOCOL', 'UNSUPPORTED', 'UNSAFE_PATH'].includes(error.code), error.code);
        assert.doesNotMatch(error.message, /[\p{Cc}]/u);
      }
    }),
    long(),
  );
});

const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter((text) => !/[/\0]|^\.\.?$/.test(text));
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const entry = fc
  .record({
    path: fc.array(name, { maxLength: 4 }).map((parts) => parts.join('/')),
    kind: fc.constantFrom('file', 'directory', 'symlink'),
    size: optional(fc.maxSafeNat()),
    mtimeMs: optional(fc.double({ noNaN: true, noDefaultInfinity: true })),
    atimeMs: optional(fc.double({ noNaN: true, noDefaultInfinity: true })),
    mode: optional(fc.integer({ min: 0, max: 0o7777 })),
    target: optional(fc.string({ unit: 'binary', maxLength: 30 })),
    version: optional(fc.string({ unit: 'binary', maxLength: 30 })),
  })
  .map(
    (fields) =>
      Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as unknown as Entry,
  );

test('what is written is read back as it was', TEST, () => {
  fc.assert(
    fc.property(entry, fc.array(fc.tuple(fc.maxSafeNat(), fc.maxSafeNat()), { maxLength: 5 }), (one, spans) => {
      const body = new BodyReader(writeEntry(new BodyWriter(), one).bytes());
      assert.deepEqual(readEntry(body), one);
      body.end();
      const ranges = spans.map(([start, end]) => ({ start, end }));
      assert.deepEqual(readRanges(new BodyReader(encodeRanges(ranges))), ranges);
    }),
    long(),
  );
});

/** One byte turned over, the rest cut off, some of it left out, or other bytes in it. */
const change = fc.record({
  how: fc.nat(3),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  bit: fc.nat(7),
  other: bytes(12),
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function changed(whole: Buffer, changes: readonly Change[]): Buffer {
  return changes.reduce((now, { how, at, bit, other }) => {
    const place = Math.min(Math.floor(at * now.length), Math.max(0, now.length - 1));
    if (how === 0) return now.subarray(0, place);
    if (how === 1) return Buffer.concat([now.subarray(0, place), other, now.subarray(place)]);
    if (how === 2) return Buffer.concat([now.subarray(0, place), now.subarray(place + other.length)]);
    const copy = Buffer.from(now);
    if (copy.length > 0) copy[place] = (copy[place] as number) ^ (1 << bit);
    return copy;
  }, whole);
}

/** A whole good session of a sender, behind its hello. */
function goodSession(): Buffer {
  const parts: [FrameKind, number, Buffer][] = [
    [FRAME.offer, 1, encodeOffer(ANYTHING)],
    [FRAME.create, 2, entryBody({ path: 'd', kind: 'directory', mode: 0o755, mtimeMs: 1000 })],
    [FRAME.stat, 3, new BodyWriter().text('d/x').bytes()],
    [FRAME.put, 4, putBody(file('d/x', 4), Buffer.from('sent'))],
    [FRAME.draft, 5, entryBody(file('big', 100, { version: 'v' }))],
    [FRAME.write, 6, writeBody(1, 0)],
    [FRAME.bytes, 6, Buffer.alloc(100, 1)],
    [FRAME.end, 6, Buffer.alloc(0)],
    [FRAME.digest, 7, draftBody(1)],
    [FRAME.commit, 8, commitBody(1, file('big', 100))],
    [FRAME.create, 9, entryBody({ path: 'l', kind: 'symlink', target: 'd/x' })],
    [FRAME.finish, 10, entryBody({ path: 'd', kind: 'directory', mode: 0o755, mtimeMs: 1000 })],
    [FRAME.bye, 11, new BodyWriter().u64(2).u64(104).u64(0).bytes()],
  ];
  return Buffer.concat(parts.map(([of, id, body]) => Buffer.concat([frameHeader(of, id, body.length), body])));
}

/** What is left after a collection: both ends and the maker of the inputs are one process here, and leave much behind. */
function keptBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('a receiver that listens', TEST, () => {
  let disk: Disk;
  let receiving: Receiving;
  let outside: string[];
  let memory: number;

  before(async () => {
    disk = await openDisk([{ path: 'old', bytes: Buffer.from('old') }]);
    outside = await disk.outside();
    receiving = await startReceiving(await openLocalSink(disk.root), { keep: true });
    memory = keptBytes();
  });
  after(async () => {
    await receiving.stop();
    await disk.remove();
  });

  /** It still takes what a good sender sends, and has kept the rest of the world as it was. */
  async function stillGood(called: string): Promise<void> {
    const peer = await callAsSender(receiving.port);
    assert.equal(await put(peer, 2, called), 'done');
    peer.close();
    assert.deepEqual(await disk.outside(), outside);
    assert.equal((await disk.read('old'))?.toString(), 'old');
    const more = keptBytes() - memory;
    assert.ok(more < MOST_BYTES_MORE, `${more} bytes more are kept`);
  }

  test('a good session with bytes changed inside the seal', TEST, async () => {
    const good = goodSession();
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const peer = await callFreely(receiving.port, 'sender');
        await peer.ask(FRAME.hello, 0, encodeHello(senderHello()));
        peer.socket.end(changed(good, changes));
        await peer.closed;
      }),
      long(),
    );
    await stillGood('after-frames');
  });

  test('any frames at all inside the seal', TEST, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyFrame, { maxLength: 20 }), async (frames) => {
        const peer = await callAsSender(receiving.port);
        peer.socket.end(Buffer.concat(frames));
        await peer.closed;
      }),
      long(),
    );
    await stillGood('after-any');
  });

  test('what went over the wire before, changed or not, writes nothing', TEST, async () => {
    const line = await startRecordingLine(receiving.port);
    const sink = await openSending(line.port);
    await sink.put({ path: 'recorded', kind: 'file', size: 60_000 }, Buffer.alloc(60_000, 7), false, never);
    await sink.close();
    const recorded = line.up().subarray(0, 64 << 10);
    await line.stop();
    assert.ok(recorded.length > 60_000);
    const before = (await disk.list()).sort();
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 3 }), async (changes) => {
        const socket = connect(receiving.port, HOST);
        socket.on('error', () => {}).resume();
        socket.end(changed(recorded, changes));
        await Promise.race([gone(socket), sleep(100, undefined, { ref: false })]);
        socket.destroy();
      }),
      long(),
    );
    assert.deepEqual((await disk.list()).sort(), before);
    await stillGood('after-wire');
  });
});

test('a sender that calls one that answers anything', TEST, async () => {
  const disk = await openDisk([]);
  const receiving = await startReceiving(await openLocalSink(disk.root), { keep: true });
  const line = await startRecordingLine(receiving.port);
  await (await openSending(line.port)).close();
  const recorded = line.down();
  await line.stop();
  await receiving.stop();
  let answer: Buffer = Buffer.alloc(0);
  const { server, port } = await serve((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(answer));
  });
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        bytes(300),
        fc.array(change, { maxLength: 3 }).map((all) => changed(recorded, all)),
      ),
      async (said) => {
        answer = said;
        await assert.rejects(openSending(port), (error) => error instanceof XferError && error.code !== 'INTERNAL');
      },
    ),
    long(),
  );
  server.close();
  await disk.remove();
});
