/** OpenSSH's clients against `xfer serve --sftp`. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { patternBytes } from '../support/fixtures.js';
import { needs } from '../support/peers.js';
import { runProgram } from '../support/run-xfer.js';
import { type StartedSftp, startSftp } from '../support/sftp-listener.js';

const peers = { timeout: 30_000, ...needs('sftp', 'scp', 'ssh') };
const folder = mkdtempSync(join(tmpdir(), 'xfer-openssh-'));
const [root, here] = [join(folder, 'root'), join(folder, 'here')];
const bytes = patternBytes(700_000);
let served: StartedSftp;
let readOnly: StartedSftp;

before(async () => {
  for (const path of [root, here, join(here, 'tree'), join(here, 'tree', 'deep')]) mkdirSync(path);
  writeFileSync(join(here, 'a file'), bytes, { mode: 0o640 });
  writeFileSync(join(here, 'tree', 'deep', 'x'), 'x');
  writeFileSync(join(here, 'tree', 'y'), 'y');
  [served, readOnly] = await Promise.all([startSftp(root), startSftp(root, [])]);
});
after(async () => {
  await Promise.all([served.stop(), readOnly.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** One batch of sftp's commands, all of which must work. */
async function sftp(at: StartedSftp, ...commands: string[]): Promise<string> {
  const input = `${commands.join('\n')}\n`;
  const ended = await runProgram('sftp', ['-q', '-F', at.configFile, '-b', '-', at.host], { cwd: here, input });
  assert.equal(ended.exitCode, 0, `${commands.join('; ')}\n${ended.stderr}${ended.stdout}`);
  return ended.stdout.toString();
}

test('sftp puts, gets, lists, renames and removes', peers, async () => {
  await sftp(served, 'put -p "a file" b', 'mkdir d', 'rename b d/c', 'get -p d/c back', 'chmod 600 d/c');
  assert.deepEqual(readFileSync(join(here, 'back')), bytes);
  assert.equal(statSync(join(here, 'back')).mtimeMs, Math.floor(statSync(join(here, 'a file')).mtimeMs / 1000) * 1000);
  assert.equal(statSync(join(root, 'd', 'c')).mode & 0o777, 0o600);
  const listed = await sftp(served, 'ls -la d', 'pwd', 'df');
  assert.match(listed, /^-rw------- +1 .* 700000 .* c$/m);
  assert.match(listed, /Remote working directory: \/$/m);
  await sftp(served, 'ln -s c d/l', 'get d/l linked', 'rm d/l', 'rm d/c', 'rmdir d');
  assert.deepEqual(readFileSync(join(here, 'linked')), bytes);
  assert.deepEqual(readdirSync(root), []);
});

test('sftp copies trees, and goes on with what it left', peers, async () => {
  await sftp(served, 'put -r tree', 'get -r tree tree2');
  assert.equal(readFileSync(join(here, 'tree2', 'deep', 'x'), 'utf8'), 'x');
  writeFileSync(join(root, 'part'), bytes.subarray(0, 300_000));
  writeFileSync(join(here, 'part'), bytes);
  await sftp(served, 'reput part', 'get part part2');
  assert.deepEqual(readFileSync(join(root, 'part')), bytes);
  assert.deepEqual(readFileSync(join(here, 'part2')), bytes);
});

test('scp copies both ways, over what is there too', peers, async () => {
  const scp = (...args: string[]) => runProgram('scp', ['-q', '-F', served.configFile, ...args], { cwd: here });
  const at = `${served.host}:`;
  writeFileSync(join(root, 'copy'), Buffer.alloc(900_000));
  chmodSync(join(root, 'copy'), 0o604);
  for (const args of [
    ['a file', `${at}copy`],
    ['-r', 'tree', `${at}tree3`],
    [`${at}copy`, 'copied'],
    ['-rp', `${at}tree3`, 'tree4'],
  ]) {
    const ended = await scp(...args);
    assert.equal(ended.exitCode, 0, ended.stderr);
  }
  assert.deepEqual(readFileSync(join(root, 'copy')), bytes);
  assert.equal(statSync(join(root, 'copy')).mode & 0o777, 0o604);
  assert.deepEqual(readFileSync(join(here, 'copied')), bytes);
  assert.equal(readFileSync(join(here, 'tree4', 'deep', 'x'), 'utf8'), 'x');
});

test('a file does not take the name of a directory that is missing', peers, async () => {
  for (const legacy of [[], ['-O']]) {
    const args = ['-q', ...legacy, '-F', served.configFile, 'a file', `${served.host}:missing/`];
    const ended = await runProgram('scp', args, { cwd: here });
    assert.equal(ended.exitCode, 1, legacy.join());
    assert.match(ended.stderr, /no such|not a directory/i, legacy.join());
  }
  writeFileSync(join(root, 'stays'), 'x');
  for (const change of ['put part missing/', 'rename stays missing/', 'ln -s stays missing/']) {
    const args = ['-q', '-F', served.configFile, '-b', '-', served.host];
    const ended = await runProgram('sftp', args, { cwd: here, input: `${change}\n` });
    assert.equal(ended.exitCode, 1, change);
  }
  assert.equal(existsSync(join(root, 'missing')), false);
  await sftp(served, 'mkdir moves', 'rename moves/ moved/', 'put part moved/', 'rm moved/part', 'rmdir moved/');
});

test('without --upload all can be read and nothing changed', peers, async () => {
  writeFileSync(join(root, 'kept'), 'kept');
  await sftp(readOnly, 'get kept kept', 'ls');
  assert.equal(readFileSync(join(here, 'kept'), 'utf8'), 'kept');
  const changes = [
    'put kept new',
    'rm kept',
    'rename kept x',
    'mkdir d',
    'rmdir tree',
    'ln -s kept l',
    'chmod 600 kept',
  ];
  const before = readdirSync(root).sort();
  for (const change of changes) {
    const args = ['-q', '-F', readOnly.configFile, '-b', '-', readOnly.host];
    const ended = await runProgram('sftp', args, { cwd: here, input: `${change}\n` });
    assert.equal(ended.exitCode, 1, change);
    assert.match(ended.stderr + ended.stdout, /permission denied/i, change);
  }
  assert.deepEqual(readdirSync(root).sort(), before);
  assert.equal(readFileSync(join(root, 'kept'), 'utf8'), 'kept');
});

test('a shell, a command and a forwarded port are refused', peers, async () => {
  const ssh = (...args: string[]) => runProgram('ssh', ['-F', served.configFile, ...args], { cwd: here });
  const command = await ssh(served.host, `touch ${join(here, 'done')}`);
  assert.equal(command.exitCode, 255);
  assert.match(command.stderr, /exec request failed/);
  const shell = await ssh('-tt', served.host);
  assert.match(shell.stderr, /(PTY allocation|shell) request failed/);
  assert.notEqual(shell.exitCode, 0);
  const back = await ssh('-N', '-o', 'ExitOnForwardFailure=yes', '-R', '0:127.0.0.1:1', served.host);
  assert.match(back.stderr, /remote port forwarding failed/);
  const through = await ssh('-W', `127.0.0.1:${served.port}`, served.host);
  assert.match(through.stderr, /administratively prohibited/);
  assert.equal(existsSync(join(here, 'done')), false);
});
