/** Programs in the place of a connection: how they are started, what their words mean, and how they end. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, type TestContext, test } from 'node:test';
import type { ErrorCode } from '#xfer/errors.js';
import { tellLines } from '#xfer/streams/text-lines.js';
import type { Carrier } from '#xfer/transports/ssh/carriers/carrier.js';
import { openCarrier } from '#xfer/transports/ssh/carriers/open-carrier.js';
import type { SshOptions } from '#xfer/transports/ssh/ssh-options.js';
import { failsWith } from '../../../support/fails-with.js';
import { assertNoMoreThan, countOpen } from '../../../support/leaks.js';

const options = { timeout: 30_000, skip: process.platform === 'win32' && 'the programs are shell scripts' };
const scope = { signal: new AbortController().signal };
const location = { scheme: 'sftp', host: 'there', user: 'me', path: '.' };
let directory: string;
let scripts = 0;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'xfer-program-'));
});
after(() => rm(directory, { recursive: true, force: true }));

/** A program with these lines of shell. */
async function script(...lines: string[]): Promise<string> {
  const path = join(directory, `program-${scripts++}`);
  await writeFile(path, ['#!/bin/sh', ...lines, ''].join('\n'));
  await chmod(path, 0o755);
  return path;
}

async function open(t: TestContext, given: SshOptions): Promise<Carrier> {
  const carrier = await openCarrier(location, given, scope, 'source');
  t.after(() => carrier.close());
  return carrier;
}

/** Whether a process is there, and no zombie. */
async function isAlive(pid: number): Promise<boolean> {
  return readFile(`/proc/${pid}/stat`, 'latin1').then(
    (text) => !/^\d+ \(.*\) Z/s.test(text),
    () => false,
  );
}

test('ssh’s own words become codes, and come as notices too', options, async (t) => {
  const cases: [string, ErrorCode][] = [
    ['me@there: Permission denied (publickey).', 'DENIED'],
    ['Host key verification failed.', 'DENIED'],
    ['ssh: Could not resolve hostname there: Name or service not known', 'UNREACHABLE'],
    ['ssh: connect to host there port 22: Connection refused', 'UNREACHABLE'],
    ['ssh: connect to host there port 22: Connection timed out', 'TIMED_OUT'],
    ['Timeout, server there not responding.', 'TIMED_OUT'],
    ['subsystem request failed on channel 0', 'UNSUPPORTED'],
    ['command-line: line 0: Bad configuration option: foo', 'USAGE'],
    ['Connection closed by 192.0.2.1 port 22', 'DISCONNECTED'],
  ];
  for (const [line, code] of cases) {
    const notices: string[] = [];
    const program = await script(`echo '${line}' >&2`, 'exit 255');
    const carrier = await open(t, { program, onNotice: (notice) => notices.push(notice) });
    await assert.rejects(carrier.openSftp(scope), (error: unknown) => {
      assert.ok(error instanceof Error && error.message.endsWith(line), String(error));
      return failsWith(code)(error);
    });
    assert.deepEqual(notices, [line]);
    assert.ok(carrier.execute);
    const { stream, exitCode } = await carrier.execute('true', scope);
    await assert.rejects(stream.toArray(), failsWith(code));
    assert.equal(await exitCode, null);
  }
});

test('a program that is not there, and one that ends without a word', options, async (t) => {
  const missing = await open(t, { program: join(directory, 'missing') });
  await assert.rejects(missing.openSftp(scope), failsWith('NOT_FOUND', /missing: no such file/));
  const silent = await open(t, { program: await script('exit 3') });
  await assert.rejects(silent.openSftp(scope), failsWith('DISCONNECTED', /exit code 3/));
  const killed = await open(t, { sftpServer: await script('kill -TERM $$') });
  await assert.rejects(killed.openSftp(scope), failsWith('DISCONNECTED', /SIGTERM/));
  assert.equal(killed.execute, undefined);
});

test('a command has its streams and its exit code', options, async (t) => {
  const carrier = await open(t, { program: await script('cat; echo oops >&2; exit 7') });
  assert.ok(carrier.execute);
  const { stream, stderr, exitCode } = await carrier.execute('anything', scope);
  stream.end('some bytes');
  assert.equal(Buffer.concat(await stream.toArray()).toString(), 'some bytes');
  assert.equal(Buffer.concat(await stderr.toArray()).toString(), 'oops\n');
  assert.equal(await exitCode, 7);
});

test('close ends a program that does not want to end, and leaves nothing', options, async () => {
  const before = countOpen();
  const pidFile = join(directory, 'pid');
  const program = await script(
    "trap '' TERM HUP",
    `echo $$ > ${pidFile}`,
    'echo ready >&2',
    'while :; do sleep 0.1; done',
  );
  const told = new EventEmitter();
  const said = once(told, 'line');
  const carrier = await openCarrier(
    location,
    { program, onNotice: (line) => told.emit('line', line) },
    scope,
    'source',
  );
  const opening = carrier.openSftp(scope);
  const failing = assert.rejects(opening, failsWith('DISCONNECTED'));
  assert.deepEqual(await said, ['ready']);
  await carrier.close();
  await failing;
  assert.equal(await isAlive(Number(await readFile(pidFile, 'utf8'))), false);
  await assert.rejects(carrier.openSftp(scope), failsWith('DISCONNECTED', /closed/));
  await assertNoMoreThan(before);
});

test('an abort while it starts ends the program, with the signal’s reason', options, async (t) => {
  const pidFile = join(directory, 'aborted');
  const program = await script(`echo $$ > ${pidFile}`, 'echo ready >&2', 'exec cat > /dev/null');
  const stop = new AbortController();
  const reason = new Error('enough');
  const carrier = await open(t, { program, onNotice: () => stop.abort(reason) });
  await assert.rejects(carrier.openSftp({ signal: stop.signal }), reason);
  assert.equal(await isAlive(Number(await readFile(pidFile, 'utf8'))), false);
});

test('lines are told whole, printable and bounded', async () => {
  const lines: string[] = [];
  const pieces = ['on', 'e\r\ntw', 'o\x1b[2J\n\n', 'x'.repeat(1500), 'y\nla', 'st é'].map((text) => Buffer.from(text));
  const stream = Readable.from([
    ...pieces.slice(0, -1),
    ...[...(pieces.at(-1) as Buffer)].map((byte) => Buffer.of(byte)),
  ]);
  tellLines(stream, (line) => lines.push(line));
  await new Promise((resolve) => stream.once('close', resolve));
  assert.deepEqual(lines, ['one', 'two\\x1b[2J', 'x'.repeat(1000), 'y', 'last é']);
});
