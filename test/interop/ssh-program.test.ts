/** Another program in the place of our own SSH: the system's ssh as scp calls it, and an sftp server here. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { openCarrier } from '#xfer/transports/ssh/carriers/open-carrier.js';
import { type SshOptions, transport } from '#xfer/transports/ssh/index.js';
import { failsWith } from '../support/fails-with.js';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import { needs } from '../support/peers.js';
import { runProgram, runXfer } from '../support/run-xfer.js';
import { type Sshd, sftpServer, startSshd } from '../support/sshd.js';

const wanted = needs('sshd', 'ssh', 'scp', 'ssh-keygen');
const options = { ...wanted, timeout: 60_000 };
const scope = { signal: new AbortController().signal };
let sshd: Sshd;
let directory: string;

before(async () => {
  if (wanted.skip !== undefined) return;
  sshd = await startSshd();
  directory = await mkdtemp(join(tmpdir(), 'xfer-ssh-program-'));
});
after(async () => {
  await sshd?.stop();
  if (directory) await rm(directory, { recursive: true, force: true });
});

/** A program that writes its arguments down, one a line. */
async function recorder(): Promise<{ program: string; recorded: () => Promise<string[]> }> {
  const [program, file] = [join(directory, 'recorder'), join(directory, 'arguments')];
  await writeFile(program, `#!/bin/sh\nprintf '%s\\n' "$@" > ${file}\n`);
  await chmod(program, 0o755);
  return { program, recorded: async () => (await readFile(file, 'utf8')).trimEnd().split('\n') };
}

/** What ssh makes of arguments: all its settings. */
async function understood(args: readonly string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await runProgram('ssh', ['-G', ...args]);
  assert.equal(exitCode, 0, stderr);
  return stdout.toString();
}

/** What a person types before the files. */
const CALLS: string[][] = [
  [],
  ['-6CABq'],
  ['-4', '-c', 'aes128-ctr', '-v', '-v'],
  ['-F', '/dev/null', '-i', '/k 1', '-i', '/k2'],
  ['-J', 'a,me@b:22', '-rpl', '100'],
  ['-oUser=other', '-oPort=3', '-P', '99', '-o', 'Compression=yes'],
  ['-o', 'ForwardAgent=yes', '-T', '-3'],
];

test('ssh is called as scp calls it', options, async () => {
  const { program, recorded } = await recorder();
  const file = join(directory, 'recorder');
  for (const args of CALLS) {
    await runProgram('scp', ['-S', program, ...args, file, 'me@there:x']);
    const theirs = await recorded();
    const { stderr } = await runXfer(['scp', '-S', program, ...args, '--retry', '0', file, 'me@there:x']);
    assert.match(stderr, /exit code 0/);
    const ours = await recorded();
    const label = args.join(' ');
    // Newer than Debian 12's: a copy makes no master connection.
    const always = ours.filter((word) => theirs.includes('-oControlMaster=no') || word !== '-oControlMaster=no');
    assert.deepEqual(always.slice(0, 5), theirs.slice(0, 5), label);
    const tail = theirs.slice(theirs.indexOf('-oForwardAgent=no'));
    assert.deepEqual(ours.slice(ours.indexOf('-oForwardAgent=no')), tail, label);
    assert.equal(await understood(always), await understood(theirs), label);
  }
});

test('an old copy’s command, a port and an address are passed as scp passes them', options, async () => {
  const { program, recorded } = await recorder();
  const file = join(directory, 'arguments');
  await runProgram('scp', ['-O', '-P', '77', '-S', program, file, '[::1]:x']);
  const theirs = await recorded();
  const carrier = await openCarrier({ scheme: 'sftp', host: '::1', port: 77, path: 'x' }, { program }, scope, 'source');
  assert.ok(carrier.execute);
  const { stream } = await carrier.execute('scp -t x', scope);
  await stream.resume().toArray();
  assert.deepEqual(
    (await recorded()).filter((word) => theirs.includes('-oControlMaster=no') || word !== '-oControlMaster=no'),
    theirs,
  );
  await carrier.close();
});

test('an sftp server is called as scp calls it', options, async () => {
  const { program, recorded } = await recorder();
  await runProgram('scp', ['-D', program, join(directory, 'recorder'), 'me@there:x']);
  const theirs = await recorded();
  const carrier = await openCarrier(
    { scheme: 'sftp', user: 'me', host: 'there', path: 'x' },
    { sftpServer: program },
    scope,
    'source',
  );
  await assert.rejects(carrier.openSftp(scope), failsWith('DISCONNECTED'));
  assert.deepEqual(await recorded(), theirs);
});

async function collect(stream: Readable): Promise<Buffer> {
  return Buffer.concat((await stream.toArray()) as Buffer[]);
}

/** A file goes there and comes back. */
async function roundTrip(given: SshOptions, path: string): Promise<void> {
  assert.ok(transport.openSink && transport.openSource);
  const location = { scheme: 'sftp', host: 'rig', path };
  const bytes = randomBytes(3_000_001);
  const sink = await transport.openSink(location, given, scope);
  const entry = { path: '', kind: 'file', size: bytes.length, mode: 0o600 } as const;
  const draft = await sink.draft(entry, scope);
  const stream = await draft.write(0, scope);
  await new Promise((resolve, reject) => stream.once('close', resolve).once('error', reject).end(bytes));
  await draft.commit(entry, scope);
  await sink.close();
  assert.ok(bytes.equals(await readFile(path)));
  const source = await transport.openSource(location, given, scope);
  const found = (await source.stat?.('', scope)) ?? entry;
  assert.ok(bytes.equals(await collect(await source.read(found, { start: 0, end: bytes.length }, scope))));
  await source.close();
}

test('a file goes there and back through the system’s ssh', options, async () => {
  await roundTrip({ program: 'ssh', configFile: sshd.configFile }, join(sshd.directory, 'by-ssh'));
});

test('a file goes there and back through an sftp server on this machine', options, async () => {
  await roundTrip({ sftpServer: sftpServer() }, join(sshd.directory, 'by-server'));
});

test('what is wrong at the far end is said in ssh’s words', options, async () => {
  const location = { scheme: 'sftp', host: 'rig', path: '.' };
  const open = async (...settings: string[]) => {
    const given = { program: 'ssh', configFile: sshd.configFile, options: ['BatchMode=yes', ...settings] };
    const carrier = await openCarrier(location, given, scope, 'source');
    return carrier.openSftp(scope).finally(() => carrier.close());
  };
  await assert.rejects(open('UserKnownHostsFile=/dev/null'), failsWith('DENIED', /Host key verification failed/));
  await assert.rejects(open('PubkeyAuthentication=no'), failsWith('DENIED', /Permission denied \(publickey\)/));
  await assert.rejects(open('Port=1'), failsWith('UNREACHABLE', /Connection refused/));
  await assert.rejects(open('HostName=no-such-host.invalid'), failsWith('UNREACHABLE', /Could not resolve/));
  await assert.rejects(open('NoSuchKeyword=1'), failsWith('USAGE', /NoSuchKeyword/i));
});

test('a copy goes on by a second ssh where the line of the first broke', options, async (t) => {
  const proxy = await startFaultyProxy({ to: sshd, cutAfterBytes: 2_000_000, times: 1 });
  t.after(() => proxy.stop());
  const [there, here] = [join(sshd.directory, 'long'), join(directory, 'long')];
  const bytes = randomBytes(6_000_000);
  await writeFile(there, bytes);
  const alias = ['-P', String(proxy.port), '-o', `HostKeyAlias=[${sshd.host}]:${sshd.port}`];
  const { exitCode, stderr } = await runXfer([
    'scp',
    '-S',
    'ssh',
    '-F',
    sshd.configFile,
    ...alias,
    `rig:${there}`,
    here,
  ]);
  assert.equal(exitCode, 0, stderr);
  assert.ok(bytes.equals(await readFile(here)));
  assert.equal(proxy.connections, 2);
});

test('sessions of the system’s ssh share a master that is there', options, async (t) => {
  const path = join(directory, 'master');
  const master = ['-F', sshd.configFile, '-o', `ControlPath=${path}`];
  const started = await runProgram('ssh', [...master, '-fNM', 'rig']);
  assert.equal(started.exitCode, 0, started.stderr);
  t.after(() => runProgram('ssh', [...master, '-O', 'exit', 'rig']));
  const logins = sshd.log().split('Accepted publickey').length;
  const given = { program: 'ssh', configFile: sshd.configFile, options: [`ControlPath=${path}`] };
  await roundTrip(given, join(sshd.directory, 'by-master'));
  assert.equal(sshd.log().split('Accepted publickey').length, logins);
});
