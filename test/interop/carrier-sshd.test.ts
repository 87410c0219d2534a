/** What carries sessions, against OpenSSH's sshd. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Carrier } from '#xfer/transports/ssh/carriers/carrier.js';
import { openCarrier } from '#xfer/transports/ssh/carriers/open-carrier.js';
import type { SshOptions } from '#xfer/transports/ssh/ssh-options.js';
import { failsWith } from '../support/fails-with.js';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import { needs } from '../support/peers.js';
import { runXfer } from '../support/run-xfer.js';
import { type Sshd, startSshd } from '../support/sshd.js';

const wanted = needs('sshd', 'ssh-keygen');
const options = { ...wanted, timeout: 30_000 };
const scope = { signal: new AbortController().signal };
let sshd: Sshd;

before(async () => {
  if (wanted.skip === undefined) sshd = await startSshd();
});
after(() => sshd?.stop());

async function connect(t: TestContext, given: SshOptions = {}): Promise<Carrier> {
  const location = { scheme: 'sftp', host: 'rig', path: '.' };
  const carrier = await openCarrier(location, { configFile: sshd.configFile, ...given }, scope, 'source');
  t.after(() => carrier.close());
  return carrier;
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function start(carrier: Carrier, command: string) {
  assert.ok(carrier.execute);
  return carrier.execute(command, scope);
}

test('a command has its input, both its outputs and its exit code', options, async (t) => {
  const carrier = await connect(t);
  assert.equal(carrier.account, `sftp://${sshd.user}@127.0.0.1:${sshd.port}`);
  const { stream, stderr, exitCode } = await start(carrier, 'cat; echo oops >&2; exit 7');
  const [out, err] = [collect(stream), collect(stderr)];
  stream.end('some bytes');
  assert.equal((await out).toString(), 'some bytes');
  assert.equal((await err).toString(), 'oops\n');
  assert.equal(await exitCode, 7);
  const killed = await start(carrier, 'kill -KILL $$');
  await collect(killed.stream);
  assert.equal(await killed.exitCode, null);
});

test('a command whose output nobody reads is held back, and comes whole when it is read', options, async (t) => {
  const bytes = 32 * 1024 * 1024;
  const { stream, exitCode } = await start(await connect(t), `head -c ${bytes} /dev/zero`);
  await once(stream, 'readable');
  let held = -1;
  while (held !== stream.readableLength) {
    held = stream.readableLength;
    await sleep(50);
  }
  assert.ok(held < 4 * 1024 * 1024, `${held} bytes held`);
  assert.equal((await collect(stream)).length, bytes);
  assert.equal(await exitCode, 0);
});

test('a command that ends while it is written to fails the writes', options, async (t) => {
  const { stream } = await start(await connect(t), 'exit 3');
  stream.resume();
  stream.write(Buffer.alloc(8 * 1024 * 1024));
  const [error] = await once(stream, 'error');
  failsWith('DISCONNECTED', /ended early/)(error);
});

test('destroying the stream ends the command', options, async (t) => {
  const { stream, exitCode } = await start(await connect(t), 'cat');
  stream.destroy();
  await exitCode;
});

test('a line that breaks fails the stream, and the carrier says why it is lost', options, async (t) => {
  const proxy = await startFaultyProxy({ to: sshd, cutAfterBytes: 200_000 });
  t.after(() => proxy.stop());
  const given = ['HostKeyAlias=rig', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null'];
  const carrier = await connect(t, { port: proxy.port, options: given });
  const { stream, exitCode } = await start(carrier, 'cat /dev/zero');
  await assert.rejects(collect(stream), failsWith('DISCONNECTED'));
  assert.equal(await exitCode, null);
  assert.ok(carrier.lost);
  await assert.rejects(start(carrier, 'true'), carrier.lost);
  await assert.rejects(carrier.openSftp(scope), carrier.lost);
});

test('many sources, and a target, on one host take one login and few sessions', options, async (t) => {
  const few = await startSshd({ maxSessions: 2 });
  t.after(() => few.stop());
  const names = Array.from({ length: 12 }, (_, at) => `file-${at}`);
  for (const name of names) writeFileSync(join(few.directory, name), name);
  mkdirSync(join(few.directory, 'there'));
  const args = ['scp', '-q', '-F', few.configFile, '-o', 'BatchMode=yes'];
  const result = await runXfer([...args, `rig:${few.directory}/file-*`, `rig:${few.directory}/there`]);
  assert.equal(result.exitCode, 0, result.stderr);
  assert.deepEqual(readdirSync(join(few.directory, 'there')).sort(), [...names].sort());
  assert.equal(few.log().match(/Accepted publickey/g)?.length, 1);
});
