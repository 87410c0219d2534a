/** Files too long for one piece, over a real socket. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { OpenFile } from '#xfer/transport.js';
import { openLocalSource } from '#xfer/transports/local/source.js';
import { patternBytes } from '../../../support/fixtures.js';
import { serve, temporaryFolder, until } from './rig.js';

const LENGTH = 3 * 1024 * 1024 + 17;

interface Long {
  readonly url: string;
  readonly port: number;
  readonly place: string;
  readonly bytes: Buffer;
  /** Files of the share that are open. */
  readonly open: Set<OpenFile>;
}

async function serveLong(t: TestContext, length = LENGTH): Promise<Long> {
  const folder = await temporaryFolder(t);
  const place = join(folder, 'long');
  const bytes = patternBytes(length, 7);
  await writeFile(place, bytes);
  const open = new Set<OpenFile>();
  const share = await openLocalSource(folder);
  const plain = share.open.bind(share);
  share.open = async (path, scope) => {
    const file = await plain(path, scope);
    const close = file.close.bind(file);
    open.add(file);
    file.close = () => {
      open.delete(file);
      return close();
    };
    return file;
  };
  const { url, port } = await serve(t, folder, { share });
  return { url: `${url}/long`, port, place, bytes, open };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A client that reads nothing once the first byte is there. */
async function stalled(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('GET /long HTTP/1.1\r\nHost: test\r\n\r\n');
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
  return socket;
}

test('the bytes of many pieces, and of ranges over their borders, are those of the file', async (t) => {
  const { url, bytes, open } = await serveLong(t);
  const whole = Buffer.from(await (await fetch(url)).arrayBuffer());
  assert.equal(sha256(whole), sha256(bytes));
  const piece = 512 * 1024;
  for (const [start, end] of [
    [0, 1],
    [piece - 1, piece + 1],
    [1, LENGTH],
    [LENGTH - 1, LENGTH],
  ] as const) {
    const part = await fetch(url, { headers: { range: `bytes=${start}-${end - 1}` } });
    assert.equal(part.status, 206);
    assert.ok(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(start, end)), `${start}-${end}`);
  }
  assert.equal(open.size, 0);
});

test('a file that is cut while it is sent ends the connection before its announced end', async (t) => {
  const { port, place, open } = await serveLong(t, 64 * 1024 * 1024);
  const socket = await stalled(port);
  await truncate(place, 1024 * 1024);
  let got = 0;
  socket.on('data', (chunk: Buffer) => {
    got += chunk.length;
  });
  await new Promise((resolve) => socket.resume().once('close', resolve));
  assert.ok(got < 64 * 1024 * 1024);
  await until(() => open.size === 0);
});

test('clients that stop reading, and then go, leave no file open', { timeout: 30_000 }, async (t) => {
  const { url, port, bytes, open } = await serveLong(t, 16 * 1024 * 1024);
  const clients = await Promise.all(Array.from({ length: 200 }, () => stalled(port)));
  await until(() => open.size === 200);
  const whole = Buffer.from(await (await fetch(url)).arrayBuffer());
  assert.equal(sha256(whole), sha256(bytes), 'those that stand still hold no buffer that others need');
  for (const client of clients) client.destroy();
  await until(() => open.size === 0);
});

test('a request that waits behind another one on its connection opens nothing, and ends with it', async (t) => {
  const { port, open } = await serveLong(t, 16 * 1024 * 1024);
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const request = 'GET /long HTTP/1.1\r\nHost: test\r\n\r\n';
  socket.write(request + request);
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
  await until(() => open.size === 1);
  socket.destroy();
  await until(() => open.size === 0);
});
