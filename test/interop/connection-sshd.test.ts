/** How a connection is made, kept and lost, with a real sshd. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setImmediate as nextTurn, setTimeout } from 'node:timers/promises';
import { copy } from '#xfer/copy/index.js';
import type { Scope } from '#xfer/transport.js';
import type { Carrier } from '#xfer/transports/ssh/carriers/carrier.js';
import { openCarrier } from '#xfer/transports/ssh/carriers/open-carrier.js';
import { type SshOptions, transport } from '#xfer/transports/ssh/index.js';
import { OPEN } from '#xfer/transports/ssh/sftp/codec.js';
import { failsWith } from '../support/fails-with.js';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import { needs } from '../support/peers.js';
import { type Sshd, startSshd } from '../support/sshd.js';

const wanted = needs('sshd', 'ssh-keygen');
const options = { ...wanted, timeout: 30_000 };
const scope = { signal: new AbortController().signal };
let sshd: Sshd;

before(async () => {
  if (wanted.skip === undefined) sshd = await startSshd();
});
after(() => sshd?.stop());

async function connect(t: TestContext, at: Sshd, port: number, ...settings: string[]): Promise<Carrier> {
  const given = { configFile: at.configFile, port, options: [...settings, `HostKeyAlias=[${at.host}]:${at.port}`] };
  const carrier = await openCarrier({ scheme: 'sftp', host: at.host, path: '.' }, given, scope, 'source');
  t.after(() => carrier.close());
  return carrier;
}

/** Bytes go through a far `cat` and come back. */
async function echo(carrier: Carrier, bytes: Buffer): Promise<Buffer> {
  assert.ok(carrier.execute);
  const { stream, stderr } = await carrier.execute('cat', scope);
  stderr.resume();
  stream.end(bytes);
  return Buffer.concat((await stream.toArray()) as Buffer[]);
}

/** What compresses, and what does not. */
function mixedBytes(length: number): Buffer {
  return Buffer.concat([Buffer.alloc(length / 2, 'compressible '), randomBytes(length / 2)]);
}

test('a server that stops answering is lost after ServerAliveInterval and its count', options, async (t) => {
  const proxy = await startFaultyProxy({ to: sshd, stallAfterBytes: 20_000 });
  t.after(() => proxy.stop());
  const carrier = await connect(t, sshd, proxy.port, 'ServerAliveInterval=1', 'ServerAliveCountMax=1');
  assert.ok(carrier.execute);
  const { stream } = await carrier.execute('cat /dev/zero', scope);
  await assert.rejects(stream.toArray(), failsWith('DISCONNECTED', /the server stopped answering/));
  await assert.rejects(carrier.openSftp(scope), failsWith('DISCONNECTED', /the server stopped answering/));
});

test('a server that stays silent but lives is not lost', options, async (t) => {
  const carrier = await connect(t, sshd, sshd.port, 'ServerAliveInterval=1', 'ServerAliveCountMax=1');
  assert.ok(carrier.execute);
  const { stream, exitCode } = await carrier.execute('sleep 2.5; echo late', scope);
  assert.equal(Buffer.concat((await stream.toArray()) as Buffer[]).toString(), 'late\n');
  assert.equal(await exitCode, 0);
});

test('compressed, and with the keys changed on the way, the same bytes come back', options, async (t) => {
  const rekeying = await startSshd({ lines: ['RekeyLimit 1M', 'Compression yes'] });
  t.after(() => rekeying.stop());
  const bytes = mixedBytes(6 * 1024 * 1024);
  for (const compression of ['yes', 'no']) {
    const carrier = await connect(t, rekeying, rekeying.port, `Compression=${compression}`);
    assert.ok(bytes.equals(await echo(carrier, bytes)), compression);
    const client = await carrier.openSftp(scope);
    const path = Buffer.from(`${rekeying.directory}/file-${compression}`);
    const handle = await client.open(path, OPEN.WRITE | OPEN.CREAT, {}, scope);
    const step = 32_000;
    const starts = Array.from({ length: Math.ceil(bytes.length / step) }, (_, at) => at * step);
    await Promise.all(starts.map((at) => client.write(handle, at, bytes.subarray(at, at + step), 'write')));
    await client.close(handle);
    assert.ok(bytes.equals(readFileSync(path)), compression);
  }
});

for (const way of ['down', 'up'] as const) {
  test(`a compressed line that is cut ${way} while it is busy is an error and no crash`, options, async (t) => {
    const proxy = await startFaultyProxy({ to: sshd, way, cutAfterBytes: 120_000 });
    t.after(() => proxy.stop());
    const carrier = await connect(t, sshd, proxy.port, 'Compression=yes');
    const client = await carrier.openSftp(scope);
    const [random, path] = [randomBytes(30_000), Buffer.from(`${sshd.directory}/cut-${way}`)];
    const handle = await client.open(path, OPEN.READ | OPEN.WRITE | OPEN.CREAT, {}, scope);
    const busy = async () => {
      for (let at = 0; ; at = (at + 1) % 100) {
        await client.write(handle, at * random.length, random, 'write');
        await client.read(handle, at * random.length, random.length, 'read');
      }
    };
    const both = await Promise.allSettled([busy(), busy(), echo(carrier, randomBytes(4 * 1024 * 1024))]);
    for (const each of both) assert.ok(each.status === 'rejected' && failsWith('DISCONNECTED')(each.reason));
    await carrier.close();
  });
}

test('a port that opens late is reached by a further attempt', options, async (t) => {
  const proxy = await startFaultyProxy({ to: sshd });
  const { port } = proxy;
  await proxy.stop();
  const connecting = connect(t, sshd, port, 'ConnectionAttempts=20', 'ConnectTimeout=30');
  const late = createServer((near) => near.destroy());
  t.after(() => late.close());
  await new Promise<void>((resolve) => late.listen(port, '127.0.0.1', resolve));
  await assert.rejects(connecting, failsWith('DISCONNECTED'));
});

test('where a connection starts', options, async (t) => {
  const loopback = Object.entries(networkInterfaces()).find(([, all]) =>
    all?.some((each) => each.address === sshd.host),
  );
  const from = async (...settings: string[]) => {
    const carrier = await connect(t, sshd, sshd.port, ...settings);
    assert.ok(carrier.execute);
    const { stream } = await carrier.execute('echo $SSH_CONNECTION', scope);
    return Buffer.concat((await stream.toArray()) as Buffer[])
      .toString()
      .split(' ')[0];
  };
  assert.equal(await from('BindAddress=127.0.0.1'), '127.0.0.1');
  assert.equal(await from(`BindInterface=${loopback?.[0]}`), '127.0.0.1');
  await assert.rejects(from('BindInterface=none0'), failsWith('UNREACHABLE', /interface none0 has no address/));
  await assert.rejects(from('BindAddress=192.0.2.1'), failsWith('UNREACHABLE'));
  await assert.rejects(from('AddressFamily=inet6'), failsWith('UNREACHABLE'));
});

test('a line that breaks is made again without a further question', options, async (t) => {
  const locked = await startSshd({ passphrase: 'open' });
  t.after(() => locked.stop());
  const proxy = await startFaultyProxy({ to: locked, cutAfterBytes: 40_000, times: 1 });
  t.after(() => proxy.stop());
  let questions = 0;
  const secret = async () => {
    questions++;
    return 'open';
  };
  const alias = [`HostKeyAlias=[${locked.host}]:${locked.port}`];
  const prompt = { secret, line: secret };
  const given = { configFile: locked.configFile, port: proxy.port, options: alias, prompt };
  const location = { scheme: 'sftp', host: 'rig', path: '.' };
  const first = await openCarrier(location, given, scope, 'source');
  await assert.rejects(echo(first, randomBytes(100_000)), failsWith('DISCONNECTED'));
  const second = await openCarrier(location, given, scope, 'source');
  const bytes = randomBytes(100_000);
  assert.ok(bytes.equals(await echo(second, bytes)));
  await Promise.all([first.close(), second.close()]);
  assert.equal(questions, 1);
});

test('a stop while a passphrase is asked for says nothing besides', options, async (t) => {
  const locked = await startSshd({ passphrase: 'open' });
  t.after(() => locked.stop());
  const stop = new AbortController();
  const reason = new Error('enough');
  const notices: string[] = [];
  const secret = (_question: string, { signal }: Scope) =>
    new Promise<string>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      stop.abort(reason);
    });
  const prompt = { secret, line: secret };
  const onNotice = (line: string) => void notices.push(line);
  const given = { configFile: locked.configFile, port: locked.port, prompt, onNotice };
  const location = { scheme: 'sftp', host: 'rig', path: '.' };
  await assert.rejects(openCarrier(location, given, stop, 'source'), (error) => error === reason);
  await nextTurn();
  assert.deepEqual(notices, []);
});

test(
  'the login shows the round trip, and an upload of a large file opens its channels together',
  options,
  async (t) => {
    const own = await startSshd();
    t.after(() => own.stop());
    const proxy = await startFaultyProxy({ to: own, delayMs: 20, times: 0 });
    t.after(() => proxy.stop());
    const carrier = await connect(t, own, proxy.port);
    const { rttMs = 0 } = carrier;
    assert.ok(rttMs >= 39 && rttMs < 5000, `${rttMs} ms`);
    assert.ok(transport.openSink);
    for (const [bytes, channels] of [
      [8 << 20, 1],
      [9 << 20, 7],
    ] as const) {
      const before = sessionsOf(own);
      const given = {
        configFile: own.configFile,
        port: proxy.port,
        options: [`HostKeyAlias=[${own.host}]:${own.port}`],
      };
      const largestFile = async () => bytes;
      const sink = await transport.openSink(
        { scheme: 'sftp', host: own.host, path: own.directory },
        { ...given, largestFile } as SshOptions,
        scope,
      );
      const opened = sessionsOf(own) - before;
      assert.ok(channels === 1 ? opened === 1 : opened >= channels, `${opened} sessions for ${bytes} bytes`);
      await sink.close();
    }
  },
);

test('a large file that is read leaves a session to who writes on the same host', options, async (t) => {
  const own = await startSshd({ maxSessions: 2 });
  t.after(() => own.stop());
  const proxy = await startFaultyProxy({ to: own, delayMs: 60, times: 0 });
  t.after(() => proxy.stop());
  const { openSource, openSink } = transport as Required<typeof transport>;
  const large = join(own.directory, 'large');
  await writeFile(large, Buffer.alloc(9 << 20, 7));
  const given: SshOptions = {
    configFile: own.configFile,
    port: proxy.port,
    options: [`HostKeyAlias=[${own.host}]:${own.port}`],
  };
  const source = await openSource({ scheme: 'sftp', host: own.host, path: large }, given, scope);
  t.after(() => source.close());
  // Some round trips, in which it might take what there is.
  await setTimeout(400);
  const sink = await openSink({ scheme: 'sftp', host: own.host, path: `${large}.copy` }, given, scope);
  t.after(() => sink.close());
  const { files } = await copy([source], sink, scope);
  assert.equal(files, 1);
  assert.deepEqual(await readFile(`${large}.copy`), await readFile(large));
});

function sessionsOf(server: Sshd): number {
  return server.log().split('Starting session: subsystem').length - 1;
}
