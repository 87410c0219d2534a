/** A receiver that takes no more than so many bytes a second. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Limiter } from '#xfer/copy/limiter.js';
import { createMemoryTree, openMemorySink } from '#xfer/transports/memory/index.js';
import type { ReceivePolicy } from '#xfer/transports/tcp/sealed/receive/policy.js';
import { callAsSender, FRAME, type FreePeer, startReceiving } from '../../../../support/sealed.js';
import { draft, file, outcome, put, writeBody } from '../requests.js';

const LIMIT = { timeout: 30_000 };
const RATE = 1_000_000;
const EACH = Buffer.alloc(400_000);

async function stream(peer: FreePeer, path: string): Promise<void> {
  const number = await draft(peer, 2, file(path, EACH.length));
  peer.send(FRAME.write, 3, writeBody(number, 0));
  for (let at = 0; at < EACH.length; at += 50_000) peer.send(FRAME.bytes, 3, EACH.subarray(at, at + 50_000));
  assert.equal(await outcome(peer, FRAME.end, 3, Buffer.alloc(0)), 'done');
  // Answered when the bytes before it were let through.
  assert.equal(await put(peer, 4, `${path}-after`), 'done');
}

test('all senders together are held back to one rate, whichever way their bytes come', LIMIT, async () => {
  const sink = openMemorySink(createMemoryTree());
  const limiter = new Limiter(RATE);
  const policy: ReceivePolicy = { admit: (bytes, signal) => limiter.take(bytes, signal) };
  const receiving = await startReceiving(sink, { keep: true, policy });
  try {
    const [streaming, putting] = await Promise.all([callAsSender(receiving.port), callAsSender(receiving.port)]);
    const startMs = performance.now();
    const puts = async () => {
      for (let id = 2; id < 10; id += 1) {
        assert.equal(await put(putting, id, `small${id}`, EACH.subarray(0, 50_000)), 'done');
      }
      assert.equal(await put(putting, 10, 'after'), 'done');
    };
    await Promise.all([stream(streaming, 'large'), puts()]);
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs > 600 && tookMs < 5000, `${tookMs}`);
  } finally {
    await receiving.stop();
  }
});
