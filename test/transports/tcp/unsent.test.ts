import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, test } from 'node:test';
import { queueLength } from '#xfer/transports/tcp/unsent.js';
import { acceptPeer, assertNoSockets, connectPeer } from './rig.js';

afterEach(assertNoSockets);

test('bytes that the other end does not take are counted, where the system tells', { timeout: 5000 }, async () => {
  const { port, socket } = await acceptPeer();
  const sender = await connectPeer(port);
  const peer = (await socket).pause();
  const local = sender.localPort ?? 0;
  assert.equal(queueLength(local, port), 0);
  sender.write(Buffer.alloc(16_000_000));
  // The kernel's buffers are full once a write does not end in this turn.
  await new Promise((resolve) => setTimeout(resolve, 20));
  const queued = queueLength(local, port);
  assert.ok(process.platform === 'linux' ? queued > 0 : queued === 0, `${queued} bytes queued`);
  assert.equal(queueLength(local, 1), 0);
  sender.resetAndDestroy();
  await once(sender, 'close');
  peer.destroy();
});
