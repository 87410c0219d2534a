/** An end that comes back to the other one, over a line that turns bits over. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLocalSink } from '#xfer/transports/local/sink.js';
import { newSession, PROTOCOL_VERSION } from '#xfer/transports/tcp/sealed/messages.js';
import { callerOf } from '#xfer/transports/tcp/sealed/reach.js';
import { failsWith } from '../../../support/fails-with.js';
import { startFaultyProxy } from '../../../support/faulty-proxy.js';
import { HOST, KEY, never, startReceiving } from '../../../support/sealed.js';

/** In the magic, and in what proves the key. */
const PLACES = [3, 60, 200];

for (const flipByteAt of PLACES) {
  test(`byte ${flipByteAt} of a handshake turned over: the end of it at first, a lost line later`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'xfer-reach-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const receiving = await startReceiving(await openLocalSink(folder));
    t.after(() => receiving.stop());
    const to = { host: HOST, port: receiving.port };
    for (const after of [0, 1]) {
      const proxy = await startFaultyProxy({ to, way: 'up', flipByteAt, after, times: 1 });
      const hello = { version: PROTOCOL_VERSION, role: 'sender', session: newSession() } as const;
      const caller = callerOf([proxy], 'there', hello, { key: KEY });
      if (after === 0) await assert.rejects(caller.call(never), failsWith(flipByteAt === 3 ? 'PROTOCOL' : 'DENIED'));
      else {
        (await caller.call(never)).lane.cut();
        await assert.rejects(caller.call(never), failsWith('DISCONNECTED', /key does not match|not sealed/));
      }
      (await caller.call(never)).lane.cut();
      await proxy.stop();
    }
  });
}
