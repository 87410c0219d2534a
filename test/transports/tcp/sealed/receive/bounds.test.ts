/** Senders that send without end, or without a look at the answers: the receiver takes what it has room for. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { copy } from '#xfer/copy/index.js';
import type { Sink } from '#xfer/transport.js';
import { openLocalSink, openLocalSource } from '#xfer/transports/local/index.js';
import { frameHeader } from '#xfer/transports/tcp/sealed/frame.js';
import {
  BodyWriter,
  callAsSender,
  FRAME,
  type FreePeer,
  openSending,
  type Receiving,
  startReceiving,
} from '../../../../support/sealed.js';
import { differences, makeFlatTree } from '../../../../support/trees.js';
import { draft, entryBody, file, outcome, put, writeBody } from '../requests.js';

const LIMIT = { timeout: 120_000 };

async function withTarget(
  run: (receiving: Receiving, root: string) => Promise<void>,
  wrap = (sink: Sink) => sink,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'xfer-sealed-bounds-'));
  const receiving = await startReceiving(wrap(await openLocalSink(root)), { keep: true });
  try {
    await run(receiving, root);
  } finally {
    await receiving.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

/** Until nothing more of what was sent is taken. */
async function settled(peer: FreePeer): Promise<number> {
  for (let last = -1; last !== peer.socket.writableLength; ) {
    last = peer.socket.writableLength;
    await sleep(300);
  }
  return peer.socket.writableLength;
}

test('a sender that reads no answer is read no more, until it does', LIMIT, () =>
  withTarget(async (receiving) => {
    const peer = await callAsSender(receiving.port);
    const name = 'x'.repeat(200);
    assert.equal(await put(peer, 1, name), 'done');
    peer.socket.pause();
    const memory = process.memoryUsage.rss();
    const stat = new BodyWriter().text(name).bytes();
    for (let id = 2; id < 50_000; id += 1) peer.send(FRAME.stat, id, stat);
    const left = await settled(peer);
    assert.ok(process.memoryUsage.rss() - memory < 150 << 20);
    assert.ok(left > 1 << 20, `${left} bytes wait at the sender`);
    peer.socket.resume();
    assert.equal(await put(peer, 200_000, 'after'), 'done');
    peer.close();
  }),
);

test('bytes that cannot be written are not taken', LIMIT, () =>
  withTarget(
    async (receiving) => {
      const peer = await callAsSender(receiving.port);
      const number = await draft(peer, 2, file('stuck', 2 ** 40));
      peer.send(FRAME.write, 3, writeBody(number, 0));
      const chunk = Buffer.alloc(1 << 20);
      for (let count = 0; count < 64; count += 1) peer.send(FRAME.bytes, 3, chunk);
      assert.ok((await settled(peer)) > 32 << 20, 'most of it waits at the sender');
      peer.close();
    },
    (sink) => stuck(sink),
  ),
);

/** Takes no byte. */
function stuck(sink: Sink): Sink {
  return new Proxy(sink, {
    get(target, property) {
      if (property !== 'draft') {
        const value = Reflect.get(target, property, target);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return async (...args: Parameters<Sink['draft']>) => {
        const made = await target.draft(...args);
        made.write = async () => new Writable({ write: () => {} });
        return made;
      };
    },
  });
}

test('a file in frames of one byte takes no memory', LIMIT, () =>
  withTarget(async (receiving) => {
    const peer = await callAsSender(receiving.port);
    const count = 400_000;
    const number = await draft(peer, 2, file('tiny', count));
    const memory = process.memoryUsage.rss();
    peer.send(FRAME.write, 3, writeBody(number, 0));
    const one = Buffer.concat([frameHeader(FRAME.bytes, 3, 1), Buffer.of(7)]);
    const many = Buffer.concat(Array.from({ length: 4000 }, () => one));
    for (let sent = 0; sent < count; sent += 4000) peer.socket.write(many);
    assert.equal(await outcome(peer, FRAME.end, 3, Buffer.alloc(0)), 'done');
    assert.ok(process.memoryUsage.rss() - memory < 150 << 20, `${(process.memoryUsage.rss() - memory) >> 20} MiB`);
    peer.close();
  }),
);

test('streams and drafts without end are a breach', LIMIT, () =>
  withTarget(async (receiving, root) => {
    const first = await callAsSender(receiving.port);
    let told = '';
    for (let id = 2; id < 700 && told !== 'PROTOCOL'; id += 1)
      told = await outcome(first, FRAME.draft, id, entryBody(file(`f${id}`, 5)));
    assert.equal(told, 'PROTOCOL');
    await first.closed;
    const second = await callAsSender(receiving.port);
    const number = await draft(second, 2, file('one', 5));
    for (let id = 3; id < 700; id += 1) second.send(FRAME.write, id, writeBody(number, 0));
    await second.closed;
    while (readdirSync(root).length > 0) await sleep(10);
  }),
);

test('writes that are given up without end take no memory, and the file is right', LIMIT, () =>
  withTarget(async (receiving) => {
    const peer = await callAsSender(receiving.port);
    const number = await draft(peer, 2, file('again', 5));
    for (let id = 3; id < 5000; id += 1) {
      peer.send(FRAME.write, id, writeBody(number, 0));
      peer.send(FRAME.bytes, id, Buffer.from('wron'));
      peer.send(FRAME.abort, id);
    }
    peer.send(FRAME.write, 9000, writeBody(number, 0));
    peer.send(FRAME.bytes, 9000, Buffer.from('right'));
    assert.equal(await outcome(peer, FRAME.end, 9000, Buffer.alloc(0)), 'done');
    peer.close();
  }),
);

test('ten thousand small files at once', LIMIT, () =>
  withTarget(async (receiving, root) => {
    const from = mkdtempSync(join(tmpdir(), 'xfer-sealed-many-'));
    try {
      makeFlatTree(join(from, 'many'), 10_000, 2048);
      const memory = process.memoryUsage.rss();
      const sink = await openSending(receiving.port);
      const source = await openLocalSource(join(from, 'many'));
      const result = await copy([source], sink, {
        recursive: true,
        intoDirectory: true,
        verify: 'sha256',
        filesInFlight: 512,
      });
      await sink.close();
      assert.equal(result.files, 10_000);
      assert.equal(result.verified, 'sha256');
      assert.deepEqual(differences(join(from, 'many'), join(root, 'many')), []);
      assert.ok(process.memoryUsage.rss() - memory < 150 << 20);
    } finally {
      rmSync(from, { recursive: true, force: true });
    }
  }),
);
