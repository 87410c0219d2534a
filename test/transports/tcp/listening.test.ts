/** Where raw TCP listens and connects: unix sockets, families, source addresses, and who may come in. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterEach, type TestContext, test } from 'node:test';
import type { Location } from '#xfer/location.js';
import type { TcpAddress } from '#xfer/transports/tcp/options.js';
import { openWire } from '#xfer/transports/tcp/raw.js';
import { failsWith } from '../../support/fails-with.js';
import {
  assertNoSockets,
  at,
  connectPeer,
  HOST,
  listening,
  never,
  openSink,
  openSource,
  portOf,
  serve,
} from './rig.js';

const limit = { timeout: 10_000 };
const file = { path: '', kind: 'file' } as const;

afterEach(assertNoSockets);

function socketFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-unix-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  if (process.platform === 'win32') return `\\\\.\\pipe\\xfer-${process.pid}-${Math.random()}`;
  return join(folder, 's');
}

const unix = (path: string, listen: boolean): Location => ({ scheme: 'tcp', path, listen });

/** Opens both ends of a unix socket, sends some bytes, and gives what came. */
async function sendOverUnix(path: string): Promise<string> {
  const addresses: TcpAddress[] = [];
  let heard = () => {};
  const isListening = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const onListening = (address: TcpAddress) => {
    addresses.push(address);
    heard();
  };
  const opening = openSource(unix(path, true), { onListening });
  await isListening;
  const sink = await openSink(unix(path, false));
  const source = await opening;
  const reading = text(await source.read(file, { start: 0 }, never));
  const draft = await sink.draft(file, never);
  await pipeline(Readable.from([Buffer.from('over a unix socket')]), await draft.write(0, never));
  await Promise.all([draft.commit({ ...file, size: 18 }, never), reading.then(() => source.close())]);
  await sink.close();
  assert.deepEqual(addresses, [{ host: '', port: 0, path }]);
  return reading;
}

test('a unix socket carries a file, and its name is free again', limit, async (t) => {
  const path = socketFile(t);
  assert.equal(await sendOverUnix(path), 'over a unix socket');
  assert.equal(await sendOverUnix(path), 'over a unix socket');
});

test('a socket that a dead listener left is replaced', { ...limit, skip: process.platform === 'win32' }, async (t) => {
  const path = socketFile(t);
  const { execa } = await import('execa');
  const script = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  await execa(process.execPath, ['-e', script, path], { reject: false });
  await assert.rejects(openWire(unix(path, false), {}, never), failsWith('UNREACHABLE', /refused/));
  assert.equal(await sendOverUnix(path), 'over a unix socket');
});

test('a socket that is in use, and another file, are EXISTS; a missing one is UNREACHABLE', limit, async (t) => {
  const path = socketFile(t);
  await assert.rejects(openWire(unix(path, false), {}, never), failsWith('UNREACHABLE'));
  const server = createServer().listen(path);
  await once(server, 'listening');
  await assert.rejects(openWire(unix(path, true), {}, never), failsWith('EXISTS'));
  server.close();
  await once(server, 'close');
  if (process.platform === 'win32') return;
  writeFileSync(path, 'kept');
  await assert.rejects(openWire(unix(path, true), {}, never), failsWith('EXISTS', /already/));
  await assert.rejects(
    openWire(unix(`/tmp/${'x'.repeat(200)}`, true), {}, never),
    failsWith('UNSAFE_PATH', /too long/),
  );
});

test('who is not allowed is turned away, and who is gets through; IPv4 over IPv6 is IPv4', limit, async () => {
  const notices: string[] = [];
  const everywhere: Location = { scheme: 'tcp', port: 0, path: '', listen: true };
  const barred = portOf({ allow: ['10.0.0.0/8', '::1'], onNotice: (line) => notices.push(line) });
  const opening = openWire(everywhere, barred.options, never);
  const port = await barred.port;
  for (let count = 0; count < 20; count += 1) {
    // It comes to a socket of both families as ::ffff:127.0.0.1, and no header of its own counts.
    const stranger = connect({ host: HOST, port, allowHalfOpen: true }).on('error', () => {});
    stranger.write('X-Forwarded-For: ::1\r\n\r\n');
    await new Promise((resolve) => stranger.resume().once('close', resolve));
  }
  const friend = connect({ host: '::1', port }).on('error', () => {});
  const wire = await opening;
  // A flood of strangers is not a flood of lines.
  assert.equal(notices.length, 11);
  assert.match(notices[0] as string, /^turned away 127\.0\.0\.1/);
  wire.cut();
  await wire.closed;
  friend.destroy();

  const mapped = portOf({ allow: ['127.0.0.0/8'] });
  const second = openWire(everywhere, mapped.options, never);
  const peer = await connectPeer(await mapped.port);
  (await second).cut();
  peer.destroy();
});

test('an address that is none is USAGE, and nothing is bound', limit, async () => {
  let bound = false;
  const onListening = () => {
    bound = true;
  };
  await assert.rejects(openWire(listening, { allow: ['10.0.0.0/33'], onListening }, never), failsWith('USAGE'));
  assert.equal(bound, false);
});

test('a family binds and reaches its own addresses only', limit, async () => {
  for (const [family, own, other] of [
    [4, '127.0.0.1', '::1'],
    [6, '::1', '127.0.0.1'],
  ] as const) {
    const listen = portOf({ family });
    const opening = openWire({ scheme: 'tcp', port: 0, path: '', listen: true }, listen.options, never);
    const port = await listen.port;
    await assert.rejects(openWire({ ...at(port), host: other }, {}, never), failsWith('UNREACHABLE'));
    await assert.rejects(openWire({ ...at(port), host: other }, { family }, never), failsWith('USAGE', /not one of/));
    await assert.rejects(openWire({ ...listening, host: other }, { family }, never), failsWith('USAGE', /not one of/));
    const wire = await openWire({ ...at(port), host: own }, { family }, never);
    (await opening).cut();
    wire.cut();
    await wire.closed;
  }
});

test('a connection comes from the address and the port that were asked for', limit, async () => {
  const { server, port: spare } = await serve(() => {});
  server.close();
  await once(server, 'close');
  const from = portOf();
  let peer: TcpAddress | undefined;
  const opening = openWire(listening, { ...from.options, onConnection: (found) => (peer = found) }, never);
  const host = process.platform === 'linux' ? '127.0.0.2' : HOST;
  const wire = await openWire(at(await from.port), { localAddress: host, localPort: spare }, never);
  (await opening).cut();
  assert.deepEqual(peer, { host, port: spare });
  wire.cut();
  await wire.closed;
});

test('a source address that is not of this machine is an error in words', limit, async () => {
  const { server, port } = await serve(() => {});
  await assert.rejects(openWire(at(port), { localAddress: '192.0.2.1' }, never), failsWith('UNREACHABLE', /address/));
  server.close();
});

test('an address that is not of this machine is told as such, and not as a port', limit, async () => {
  for (const host of ['192.0.2.77', 'nobody.invalid']) {
    await assert.rejects(openSource({ ...at(0), host, listen: true }), (error: Error & { hint?: string }) => {
      failsWith('UNREACHABLE')(error);
      assert.match(error.hint ?? '', /an address of this machine/);
      return true;
    });
  }
});
