/** Other people's sftp clients against `xfer serve --sftp`. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { patternBytes } from '../support/fixtures.js';
import { needs, needsFuse } from '../support/peers.js';
import { runProgram } from '../support/run-xfer.js';
import { ACCOUNT, type StartedSftp, startSftp } from '../support/sftp-listener.js';

const TIME = { timeout: 30_000 };
const folder = mkdtempSync(join(tmpdir(), 'xfer-peers-'));
const [root, here] = [join(folder, 'root'), join(folder, 'here')];
const bytes = patternBytes(3_000_000);
let served: StartedSftp;

before(async () => {
  for (const path of [root, here, join(here, 'tree'), join(here, 'tree', 'deep')]) mkdirSync(path);
  writeFileSync(join(here, 'big'), bytes);
  writeFileSync(join(here, 'tree', 'deep', 'x'), 'x');
  writeFileSync(join(here, 'tree', 'naïve "name"'), 'y');
  served = await startSftp(root);
});
after(async () => {
  await served.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function runs(program: string, args: readonly string[], input = ''): Promise<string> {
  const env = { RCLONE_CONFIG: '/dev/null', HOME: folder };
  const ended = await runProgram(program, args, { cwd: here, input, env });
  assert.equal(ended.exitCode, 0, `${program} ${args.join(' ')}\n${ended.stderr}${ended.stdout}`);
  return ended.stdout.toString();
}

function sameTree(one: string, other: string): void {
  assert.deepEqual(readdirSync(one, { recursive: true }).sort(), readdirSync(other, { recursive: true }).sort());
  assert.equal(readFileSync(join(one, 'deep', 'x'), 'utf8'), readFileSync(join(other, 'deep', 'x'), 'utf8'));
}

test('rclone copies, checks and moves', { ...TIME, ...needs('rclone') }, async () => {
  const secret = (await runs('rclone', ['obscure', '-'], `${ACCOUNT.password}\n`)).trim();
  const at = `:sftp,host=${served.host},port=${served.port},user=${served.user},pass=${secret}:rclone`;
  await runs('rclone', ['copy', 'tree', `${at}/tree`]);
  await runs('rclone', ['copyto', 'big', `${at}/big`]);
  await runs('rclone', ['check', '--download', 'tree', `${at}/tree`]);
  await runs('rclone', ['copy', `${at}/tree`, 'rclone-tree']);
  sameTree(join(here, 'tree'), join(here, 'rclone-tree'));
  await runs('rclone', ['moveto', `${at}/big`, `${at}/moved`]);
  assert.deepEqual(readFileSync(join(root, 'rclone', 'moved')), bytes);
  assert.equal(Math.floor(statSync(join(root, 'rclone', 'moved')).mtimeMs / 1000), seconds(join(here, 'big')));
  await runs('rclone', ['purge', at]);
  assert.equal(readdirSync(root).includes('rclone'), false);
});

function seconds(path: string): number {
  return Math.floor(statSync(path).mtimeMs / 1000);
}

test('lftp mirrors both ways', { ...TIME, ...needs('lftp') }, async () => {
  const connect = `set sftp:connect-program "ssh -a -x -F ${served.configFile}"; set net:max-retries 1`;
  const work = 'mirror -R tree lftp; mirror lftp lftp-tree; put big -o lftp/big; get lftp/big -o lftp-big; rm -r lftp';
  await runs('lftp', ['-e', `${connect}; ${work}; bye`, `sftp://${served.user}@${served.host}:${served.port}`]);
  sameTree(join(here, 'tree'), join(here, 'lftp-tree'));
  assert.deepEqual(readFileSync(join(here, 'lftp-big')), bytes);
});

test('pscp and psftp copy, and are content with the order of the answers', {
  ...TIME,
  ...needs('pscp', 'psftp'),
}, async () => {
  const login = ['-batch', '-hostkey', served.fingerprint, '-P', String(served.port), '-pw', ACCOUNT.password];
  const at = `${served.user}@${served.host}`;
  mkdirSync(join(root, 'putty'));
  await runs('pscp', [...login, '-sftp', '-q', 'big', `${at}:putty/big`]);
  for (let round = 0; round < 3; round++) await runs('pscp', [...login, '-sftp', '-q', `${at}:putty/big`, 'pscp-big']);
  assert.deepEqual(readFileSync(join(here, 'pscp-big')), bytes);
  await runs('pscp', [...login, '-q', '-r', 'tree', `${at}:putty`]);
  const commands = ['cd putty', 'get -r tree psftp-tree', 'mv big bigger', 'get bigger psftp-big', 'rm bigger', 'quit'];
  writeFileSync(join(here, 'commands'), `${commands.join('\n')}\n`);
  await runs('psftp', [...login, '-b', 'commands', at]);
  sameTree(join(here, 'tree'), join(here, 'psftp-tree'));
  assert.deepEqual(readFileSync(join(here, 'psftp-big')), bytes);
  assert.deepEqual(readdirSync(join(root, 'putty')), ['tree']);
});

test('sshfs mounts it, and programs work in it', { ...TIME, ...needsFuse() }, async () => {
  const mount = join(folder, 'mount');
  mkdirSync(mount);
  await runs('sshfs', ['-F', served.configFile, '-p', String(served.port), `${served.user}@${served.host}:/`, mount]);
  try {
    workIn(join(mount, 'fs'));
  } finally {
    await runs('fusermount', ['-u', mount]);
  }
  assert.deepEqual(readdirSync(join(root, 'fs')), ['log']);
  assert.equal(readFileSync(join(root, 'fs', 'log'), 'utf8'), 'one two');
});

function workIn(place: string): void {
  mkdirSync(place);
  copyFileSync(join(here, 'big'), join(place, 'big'));
  assert.equal(statSync(join(place, 'big')).size, bytes.length);
  renameSync(join(place, 'big'), join(place, 'bigger'));
  assert.deepEqual(readdirSync(place), ['bigger']);
  assert.deepEqual(readFileSync(join(place, 'bigger')), bytes);
  truncateSync(join(place, 'bigger'), 10);
  assert.equal(readFileSync(join(place, 'bigger')).length, 10);
  writeFileSync(join(place, 'log'), 'one');
  appendFileSync(join(place, 'log'), ' two');
  rmSync(join(place, 'bigger'));
}
