/** Those who lack the key at a receiver that waits, and a sender that meets one: T5, T6, T14, T17, T21 and T22. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import { openLocalSink } from '#xfer/transports/local/sink.js';
import { formatKey, newKey } from '#xfer/transports/tcp/sealed/key.js';
import { MAGIC } from '#xfer/transports/tcp/sealed/magic.js';
import { type Disk, openDisk } from '../../../conformance/disk.js';
import { failsWith } from '../../../support/fails-with.js';
import { assertNoMoreThan, countOpen } from '../../../support/leaks.js';
import { startRecordingLine } from '../../../support/recording-line.js';
import { callFreely, HOST, KEY, never, openSending, type Receiving, startReceiving } from '../../../support/sealed.js';
import { gone, serve } from '../rig.js';

const LIMIT = { timeout: 60_000 };
const SECRET = 'a-name-that-nobody-may-see';

async function withReceiver(run: (receiving: Receiving, disk: Disk) => Promise<void>, keep = false): Promise<void> {
  const open = countOpen();
  const disk = await openDisk([]);
  const receiving = await startReceiving(await openLocalSink(disk.root), { keep });
  try {
    await run(receiving, disk);
  } finally {
    await receiving.stop();
    await disk.remove();
  }
  await assertNoMoreThan(open);
}

async function sendOne(port: number): Promise<void> {
  const sink = await openSending(port);
  await sink.put({ path: SECRET, kind: 'file', size: 4 }, Buffer.from('sent'), false, never);
  await sink.conclude({ files: 1, bytes: 4, failures: 0 }, never);
  await sink.close();
}

/** All that one who sends these bytes is answered. */
async function answered(port: number, bytes: Buffer | string): Promise<string> {
  const socket = connect(port, HOST);
  const chunks: Buffer[] = [];
  socket.on('error', () => {}).on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(bytes);
  await gone(socket);
  return Buffer.concat(chunks).toString('latin1');
}

test(
  'T17: 200 idle connections, a port scan and wrong keys do not hold up a good sender, nor use up the receiver',
  LIMIT,
  () =>
    withReceiver(async (receiving, disk) => {
      const memory = process.memoryUsage.rss();
      const idle: Socket[] = [];
      for (let count = 0; count < 200; count += 1) {
        const socket = connect(receiving.port, HOST);
        socket.on('error', () => {}).resume();
        if (count % 3 === 1) socket.write(MAGIC.subarray(0, count % 17));
        if (count % 3 === 2) socket.write(Buffer.concat([MAGIC, Buffer.of(0x16, 3, 1, 2, 0, 1)]));
        idle.push(socket);
      }
      for (let count = 0; count < 20; count += 1) {
        const scan = connect(receiving.port, HOST);
        await once(scan, 'connect');
        scan.destroy();
      }
      const wrong = callFreely(receiving.port, 'sender', newKey());
      await assert.rejects(wrong, failsWith('DENIED', /the key does not match/));
      assert.deepEqual(await disk.list(), []);
      await sendOne(receiving.port);
      assert.deepEqual(await receiving.ended, { files: 1, bytes: 4, failures: 0 });
      assert.deepEqual(await disk.list(), [SECRET]);
      // The receiver has ended, and keeps none of them.
      await Promise.all(idle.map(gone));
      assert.ok(process.memoryUsage.rss() - memory < 100 << 20);
    }),
);

test('T17: of a flood of connections the oldest make room', LIMIT, () =>
  withReceiver(async (receiving) => {
    const idle = Array.from({ length: 320 }, () => connect(receiving.port, HOST));
    for (const socket of idle) socket.on('error', () => {}).resume();
    await gone(idle[0] as Socket);
    await sendOne(receiving.port);
    await receiving.ended;
    await Promise.all(idle.map(gone));
  }),
);

test('T17: one that says nothing, or half a handshake, is gone within ten seconds', LIMIT, () =>
  withReceiver(async (receiving) => {
    const startMs = performance.now();
    await Promise.all([
      answered(receiving.port, ''),
      answered(receiving.port, Buffer.concat([MAGIC, Buffer.of(0x16, 3)])),
    ]);
    assert.ok(performance.now() - startMs < 15_000);
    assert.equal(receiving.notices.filter((line) => /no sealed answer within 10 s/.test(line)).length, 2);
  }),
);

test('T21: a plain sender is told so in words, and nothing of it is taken', LIMIT, () =>
  withReceiver(async (receiving, disk) => {
    const words = /^this port takes sealed transfers only/;
    assert.match(await answered(receiving.port, 'GET / HTTP/1.1\r\n\r\n'), words);
    assert.match(await answered(receiving.port, Buffer.concat([MAGIC.subarray(0, 15), Buffer.alloc(100_000)])), words);
    assert.match(await answered(receiving.port, Buffer.of(0x16, 3, 1, 0, 1)), words, 'TLS without the magic');
    assert.deepEqual(await disk.list(), []);
    assert.match(receiving.notices.join('\n'), /turned away 127\.0\.0\.1: .*not sealed, so nothing was taken/);
    await sendOne(receiving.port);
  }),
);

test('an end that says less than a head of TLS, and no more, is known not to be sealed', LIMIT, async (t) => {
  for (const said of ['x', 'four']) {
    const { server, port } = await serve((socket) => {
      socket.on('error', () => {}).resume();
      socket.end(said);
    });
    t.after(() => server.close());
    await assert.rejects(openSending(port), failsWith('PROTOCOL', /not sealed, so nothing was sent/));
  }
});

test('T14 and T21: a sender sends no byte of a file to one that cannot prove the key', LIMIT, async () => {
  const chunks: Buffer[] = [];
  const { server, port } = await serve((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      socket.end('220 hello\r\n');
    });
  });
  await assert.rejects(openSending(port), failsWith('PROTOCOL', /not sealed, so nothing was sent/));
  server.close();
  const seen = Buffer.concat(chunks);
  assert.ok(seen.subarray(0, 16).equals(MAGIC));
  // A record of a handshake: type 22, and all of it is the ClientHello.
  assert.equal(seen[16], 22);
  assert.equal(seen.length, 16 + 5 + seen.readUInt16BE(19));
});

test('both ends with the same role, and a wrong key, are told so', LIMIT, () =>
  withReceiver(async (receiving) => {
    await assert.rejects(callFreely(receiving.port, 'receiver'), failsWith('DENIED', /key does not match/));
    await assert.rejects(openSending(receiving.port, { key: newKey() }), (error: unknown) => {
      assert.ok(error instanceof XferError);
      assert.match(error.hint ?? '', /one end must send, and the other receive/);
      return true;
    });
    assert.match(receiving.notices.join('\n'), /turned away 127\.0\.0\.1: .*the key does not match/);
  }),
);

test('T5 and T6: nothing of the key, no name and no size is on the wire in the clear', LIMIT, () =>
  withReceiver(async (receiving) => {
    const line = await startRecordingLine(receiving.port);
    await sendOne(line.port);
    await receiving.ended;
    await line.stop();
    const wire = Buffer.concat([line.up(), line.down()]);
    const { hostname } = await import('node:os');
    const text = formatKey(KEY);
    const bare = text.replaceAll('-', '');
    const secrets = [
      SECRET,
      'sent',
      text,
      bare,
      bare.slice(0, 8),
      bare.slice(-8),
      KEY.toString('hex'),
      hostname(),
      HOST,
    ];
    // A name of two letters, as a machine may have, is found in any ciphertext now and then.
    for (const secret of secrets.filter(({ length }) => length >= 4)) assert.equal(wire.indexOf(secret), -1, secret);
    for (let at = 0; at + 4 <= KEY.length; at += 4)
      assert.equal(wire.indexOf(KEY.subarray(at, at + 4)), -1, 'key bytes');
  }),
);

test('T22: a recorded session sent again is turned away', LIMIT, () =>
  withReceiver(async (receiving, disk) => {
    const line = await startRecordingLine(receiving.port);
    const sink = await openSending(line.port);
    await sink.put({ path: 'once', kind: 'file', size: 4 }, Buffer.from('sent'), false, never);
    await sink.close();
    const recorded = line.up();
    await line.stop();
    await disk.remove();
    await answered(receiving.port, recorded);
    assert.deepEqual(await disk.list(), []);
    assert.match(receiving.notices.join('\n'), /turned away 127\.0\.0\.1/);
  }, true),
);
