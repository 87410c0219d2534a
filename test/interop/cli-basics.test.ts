/** What holds for every command: versions, help, wrong options, outputs kept apart, and memory. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { watchMemory } from '../support/processes.js';
import { PROJECT, runProgram, runXfer, startXfer, XFER } from '../support/run-xfer.js';
import { differences, makeRandomFile, makeSparseFile } from '../support/trees.js';

const COMMANDS = ['scp', 'serve', 'get', 'put', 'send', 'recv', 'pipe', 'cp'];
const bounded = { timeout: 60_000 };

function temporary(t: { after(cleanUp: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-basics-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('--version prints the version of the package', bounded, async () => {
  const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { version: string };
  const { exitCode, stdout } = await runXfer(['--version']);
  assert.equal(exitCode, 0);
  assert.match(stdout.toString(), new RegExp(`(^|\\s)${version.replaceAll('.', '\\.')}\\s*$`));
});

test('--help names every command', bounded, async () => {
  const { exitCode, stdout } = await runXfer(['--help']);
  assert.equal(exitCode, 0);
  for (const command of COMMANDS) assert.match(stdout.toString(), new RegExp(`\\b${command}\\b`));
});

for (const command of COMMANDS) {
  test(`${command} --help goes to standard output and shows an example`, bounded, async () => {
    const { exitCode, stdout, stderr } = await runXfer([command, '--help']);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stderr, '');
    assert.match(stdout.toString(), new RegExp(`xfer ${command} \\S+`));
  });
}

test('no command, and a wrong one, exit 2 and name what there is', bounded, async () => {
  for (const args of [[], ['scpp', 'a', 'b']]) {
    const { exitCode, stderr } = await runXfer(args);
    assert.equal(exitCode, 2, `xfer ${args.join(' ')}`);
    assert.match(stderr, /\bscp\b/);
  }
});

test('a wrong option exits 2 and names the nearest right one', bounded, async () => {
  for (const [args, right] of [
    [['cp', '--versoin', 'a', 'b'], '--version'],
    [['cp', '--jsno', 'a', 'b'], '--json'],
    [['cp', '--quite', 'a', 'b'], '--quiet'],
  ] as const) {
    const { exitCode, stdout, stderr } = await runXfer(args);
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, new RegExp(right));
    assert.equal(stdout.length, 0);
  }
});

test('too few names exit 2', bounded, async () => {
  for (const args of [['cp', 'one'], ['scp', 'one'], ['send'], ['get'], ['put', 'one'], ['recv'], ['pipe']]) {
    const { exitCode, stderr } = await runXfer(args);
    assert.equal(exitCode, 2, `xfer ${args.join(' ')}: ${stderr}`);
    assert.notEqual(stderr, '');
  }
});

test('--json prints one event a line, and the message of a failure too', bounded, async (t) => {
  const folder = temporary(t);
  makeRandomFile(join(folder, 'a'), 100_000);
  const done = await runXfer(['cp', '--json', join(folder, 'a'), join(folder, 'b')]);
  assert.equal(done.exitCode, 0, done.stderr);
  const lines = done.stdout.toString().trim().split('\n');
  for (const line of lines) assert.equal(typeof JSON.parse(line), 'object', line);
  assert.deepEqual(differences(join(folder, 'a'), join(folder, 'b')), []);
  const failed = await runXfer(['cp', '--json', join(folder, 'none'), join(folder, 'c')]);
  assert.equal(failed.exitCode, 3, failed.stderr);
  for (const line of failed.stdout.toString().split('\n').filter(Boolean)) JSON.parse(line);
});

test('standard output holds the bytes of the file and nothing else', bounded, async (t) => {
  const folder = temporary(t);
  makeRandomFile(join(folder, 'a'), 300_001);
  const { exitCode, stdout, stderr } = await runXfer(['cp', '-v', join(folder, 'a'), '-']);
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(stdout, readFileSync(join(folder, 'a')));
});

test('standard input becomes a file', bounded, async (t) => {
  const folder = temporary(t);
  const { exitCode, stderr } = await runXfer(['cp', '-', join(folder, 'a')], { input: 'some text' });
  assert.equal(exitCode, 0, stderr);
  assert.equal(readFileSync(join(folder, 'a'), 'utf8'), 'some text');
});

test('--quiet prints nothing when all is well', bounded, async (t) => {
  const folder = temporary(t);
  makeRandomFile(join(folder, 'a'), 10);
  const { exitCode, stdout, stderr } = await runXfer(['cp', '-q', join(folder, 'a'), join(folder, 'b')]);
  assert.deepEqual([exitCode, stdout.toString(), stderr], [0, '', '']);
});

test('a gibibyte takes less than 150 MiB of memory', { timeout: 120_000 }, async (t) => {
  const folder = temporary(t);
  const bytes = 2 ** 30;
  makeSparseFile(join(folder, 'sparse'), bytes);
  let received = 0;
  const server = createServer((socket) => socket.on('data', (chunk) => (received += chunk.length)));
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const sender = startXfer(['send', `127.0.0.1:${port}`, join(folder, 'sparse')]);
  t.after(() => sender.stop('SIGKILL'));
  const memory = watchMemory([sender.child.pid as number]);
  assert.equal((await sender.exited).exitCode, 0, sender.output());
  const peakMiB = memory.stop();
  assert.equal(received, bytes);
  if (process.platform === 'linux') assert.ok((peakMiB as number) < 150, `${peakMiB} MiB`);
});

test('a typed name that is no UTF-8 is found and made as typed', {
  ...bounded,
  skip: process.platform !== 'linux',
}, async (t) => {
  const folder = temporary(t);
  writeFileSync(Buffer.concat([Buffer.from(join(folder, 'a')), Buffer.of(0xff)]), 'bytes');
  const script = 'exec "$0" "$1" cp "$(printf "a\\377")" "$(printf "b\\376")"';
  const { exitCode, stderr } = await runProgram('bash', ['-c', script, process.execPath, XFER], { cwd: folder });
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(readdirSync(folder, 'latin1').sort(), ['a\xff', 'b\xfe']);
});
