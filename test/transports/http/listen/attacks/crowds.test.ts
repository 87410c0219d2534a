/** Row 18: crowds of clients that send or take next to nothing. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeSparseFile } from '../../../../support/trees.js';
import { serveLocal } from '../archive/archive-rig.js';
import { get, temporaryFolder, until } from '../rig.js';

const BOUNDED = { timeout: 60_000 };
const CROWD = 200;

/** Connections that have sent `text`, each. */
async function crowd(t: TestContext, port: number, text: string): Promise<Socket[]> {
  const sockets = await Promise.all(
    Array.from({ length: CROWD }, async () => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined).pause();
      await new Promise<void>((resolve) => socket.write(text === '' ? Buffer.alloc(0) : text, () => resolve()));
      return socket;
    }),
  );
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  return sockets;
}

const KINDS: Record<string, string> = {
  'say nothing': '',
  'send half a head': 'GET /big HTTP/1.1\r\nHost: te',
  'send half a body': 'POST /big HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nhalf',
  'read nothing': 'GET /big HTTP/1.1\r\nHost: test\r\n\r\n',
  'read no archive': 'GET /?archive=tar HTTP/1.1\r\nHost: test\r\n\r\n',
  'read nothing of much': 'GET /big HTTP/1.1\r\nHost: test\r\n\r\n'.repeat(50),
};

for (const [kind, text] of Object.entries(KINDS)) {
  test(`${CROWD} that ${kind}: another one is served within a second, and then they are cut`, BOUNDED, async (t) => {
    const folder = await temporaryFolder(t);
    makeSparseFile(join(folder, 'big'), 32 << 20);
    await writeFile(join(folder, 'small'), 'small');
    const { port, listener } = await serveLocal(t, folder, { headersTimeoutMs: 1500, idleTimeoutMs: 1500 });
    const sockets = await crowd(t, port, text);
    const tookMs: number[] = [];
    for (let time = 0; time < 3; time += 1) {
      const startMs = performance.now();
      assert.match(await get(port, '/small'), /^HTTP\/1\.1 200 [\s\S]*small$/);
      tookMs.push(performance.now() - startMs);
    }
    // The crowd is in this process too, and has to be served at first.
    assert.ok(Math.min(...tookMs) < 1000, `${tookMs.map(Math.round)} ms`);
    await until(() => listener.transfers?.().length === 0);
    // To be told of its end a client has to read on.
    for (const socket of sockets) socket.resume();
    await until(() => sockets.every((socket) => socket.closed));
  });
}
