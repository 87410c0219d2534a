/** The ten half-close orders of OpenBSD's regress/usr.bin/nc, against the built command in both roles. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { follow, HALF_CLOSE_ORDERS } from '../support/half-close-peer.js';
import { runXfer, startXfer } from '../support/run-xfer.js';

const bounded = { timeout: 60_000 };

for (const role of ['connect', 'listen'] as const) {
  for (const [order, steps] of Object.entries(HALF_CLOSE_ORDERS)) {
    test(`xfer pipe ${role}s, half-close order ${order}`, bounded, async (t) => {
      if (role === 'listen') {
        const listener = startXfer(['pipe', '-l', '127.0.0.1:0'], { input: 'command' });
        t.after(() => listener.stop('SIGKILL'));
        const [, port] = await listener.waitForLine(/listening on \S*:(\d+)/i);
        const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
        await once(socket, 'connect');
        await follow(socket, steps);
        assert.equal((await listener.exited).exitCode, 0, listener.output());
        assert.match(listener.output(), /greeting/);
        return;
      }
      const server = createServer({ allowHalfOpen: true });
      t.after(() => server.close());
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const accepted = once(server, 'connection');
      const { port } = server.address() as { port: number };
      const running = runXfer(['pipe', `127.0.0.1:${port}`], { input: 'command' });
      const [socket] = await accepted;
      await follow(socket, steps);
      const { exitCode, stdout, stderr } = await running;
      assert.equal(exitCode, 0, stderr);
      assert.equal(String(stdout), 'greeting');
    });
  }
}
