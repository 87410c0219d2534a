/** What makes a check of a length or a digest that the receiver was told beforehand. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, test } from 'node:test';
import type { Entry, Source } from '#xfer/transport.js';
import type { Passed, TcpOptions } from '#xfer/transports/tcp/options.js';
import { failsWith } from '../../support/fails-with.js';
import { acceptPeer, assertNoSockets, at, never, openSource } from './rig.js';

const limit = { timeout: 5000 };
const WORDS = 'all of it';
const SHA256 = createHash('sha256').update(WORDS).digest('hex');

afterEach(assertNoSockets);

interface Receiving {
  readonly source: Source;
  readonly peer: Socket;
  readonly received: Promise<string>;
  readonly passed: Passed[];
}

async function receive(options: TcpOptions): Promise<Receiving> {
  const passed: Passed[] = [];
  const { port, socket } = await acceptPeer();
  const source = await openSource(at(port), { ...options, onPassed: (all) => passed.push(all) });
  const entries: Entry[] = [];
  for await (const entry of source.entries(never)) entries.push(entry);
  assert.equal(entries[0]?.size, options.expectedBytes);
  const { size } = entries[0] as Entry;
  const range = size === undefined ? { start: 0 } : { start: 0, end: size };
  const received = text(await source.read(entries[0] as Entry, range, never));
  received.catch(() => {});
  return { source, peer: await socket, received, passed };
}

test('bytes and digest are told after a clean end, and checked where they are known', limit, async () => {
  const all = { bytes: WORDS.length, sha256: SHA256 };
  for (const options of [{}, { expectedBytes: WORDS.length }, { expectedSha256: SHA256 }]) {
    const { source, peer, received, passed } = await receive(options);
    peer.resume().end(WORDS);
    assert.equal(await received, WORDS);
    assert.deepEqual(passed, [all]);
    await source.close();
  }
});

test('fewer bytes are TRUNCATED, more and others are CORRUPT, and the sender sees a reset', limit, async () => {
  const cases: [TcpOptions, string, 'TRUNCATED' | 'CORRUPT', RegExp][] = [
    [{ expectedBytes: 10 }, WORDS, 'TRUNCATED', /9 of 10 bytes/],
    [{ expectedBytes: 8 }, WORDS, 'CORRUPT', /more than 8 bytes/],
    [{ expectedBytes: 0 }, WORDS, 'CORRUPT', /more than 0 bytes/],
    [{ expectedSha256: SHA256 }, 'all of id', 'CORRUPT', /the SHA-256 of what came is [0-9a-f]{64}, not/],
    [{ expectedSha256: SHA256, expectedBytes: 9 }, 'all of id', 'CORRUPT', /SHA-256/],
  ];
  for (const [options, sent, code, message] of cases) {
    const { source, peer, received, passed } = await receive(options);
    const reset = once(peer.removeAllListeners('error').resume(), 'error');
    peer.end(sent);
    await assert.rejects(received, failsWith(code, message));
    assert.equal(((await reset) as [NodeJS.ErrnoException])[0].code, 'ECONNRESET');
    assert.deepEqual(passed, []);
    await source.close();
  }
});

test('a sender that does not stop is stopped at the length that was announced', limit, async () => {
  const { source, peer, received } = await receive({ expectedBytes: 1000 });
  let sent = 0;
  const chunk = Buffer.alloc(1024 * 1024);
  const flood = () => {
    while (!peer.destroyed && sent < 1024) {
      sent += 1;
      if (!peer.write(chunk)) return;
    }
  };
  peer.on('drain', flood).resume();
  flood();
  await assert.rejects(received, failsWith('CORRUPT'));
  await source.close();
  assert.ok(sent < 40, `${sent} MiB were sent`);
});

test('once all is there a sender that does not close is told to, and needs not to', limit, async () => {
  for (const closes of [true, false]) {
    const { source, peer, received } = await receive({ expectedBytes: WORDS.length, finTimeoutMs: 100 });
    peer.write(WORDS);
    await once(peer.resume(), 'end');
    if (closes) peer.end();
    assert.equal(await received, WORDS);
    await source.close();
    peer.destroy();
  }
});

test('a reset after the last byte that was expected takes nothing away', limit, async () => {
  const { source, peer, received } = await receive({ expectedBytes: WORDS.length });
  await new Promise((done) => peer.write(WORDS, done));
  await once(peer.resume(), 'end');
  peer.resetAndDestroy();
  assert.equal(await received, WORDS);
  await source.close();
});
