/** `xfer scp` where something is wrong: the exit code, the words, and what is left behind. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { needs } from '../support/peers.js';
import { type RunResult, runXfer } from '../support/run-xfer.js';
import { type Sshd, startSshd } from '../support/sshd.js';
import { makeRandomFile } from '../support/trees.js';

const wanted = needs('sshd', 'ssh-keygen');
const options = { ...wanted, timeout: 60_000 };
let sshd: Sshd;

before(async () => {
  if (wanted.skip === undefined) sshd = await startSshd();
});
after(() => sshd?.stop());

/** A directory on this side with a file `a` in it, and one on the other side. */
function folders(t: TestContext): { near: string; far: string; file: string } {
  const near = mkdtempSync(join(tmpdir(), 'xfer-scp-failures-'));
  t.after(() => rmSync(near, { recursive: true, force: true }));
  const file = join(near, 'a');
  writeFileSync(file, 'some bytes');
  return { near, far: mkdtempSync(join(sshd.directory, 'far-')), file };
}

/** Lines of the rig's ssh_config stay in force where `settings` do not come before them. */
function scp(args: readonly string[], settings: readonly string[] = []): Promise<RunResult> {
  const set = ['BatchMode=yes', ...settings].flatMap((setting) => ['-o', setting]);
  return runXfer(['scp', '-F', sshd.configFile, ...set, ...args], { timeoutMs: 30_000 });
}

function assertFailure({ exitCode, stderr }: RunResult, expected: number, words: RegExp): void {
  assert.equal(exitCode, expected, stderr);
  assert.match(stderr, words);
  assert.doesNotMatch(stderr, /\n\s+at /, 'a stack is for bugs');
}

test('an unknown host key exits 4 and sends nothing', options, async (t) => {
  const { near, far, file } = folders(t);
  const known = join(near, 'known_hosts');
  writeFileSync(known, '');
  const result = await scp([file, `rig:${far}/a`], [`UserKnownHostsFile=${known}`]);
  assertFailure(result, 4, /host key|known_hosts|not known/i);
  assert.equal(existsSync(join(far, 'a')), false);
  assert.equal(readFileSync(known, 'utf8'), '');
});

test('a changed host key exits 4 and names the line', options, async (t) => {
  const { near, far, file } = folders(t);
  const [known, other] = [join(near, 'known_hosts'), join(near, 'other')];
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other]);
  const line = `[127.0.0.1]:${sshd.port} ${readFileSync(`${other}.pub`, 'utf8')}`;
  writeFileSync(known, line);
  for (const checking of ['yes', 'no', 'accept-new']) {
    const settings = [`UserKnownHostsFile=${known}`, `StrictHostKeyChecking=${checking}`];
    const result = await scp([file, `rig:${far}/a`], settings);
    assertFailure(result, 4, /changed|differs|another key|not the one/i);
    assert.match(result.stderr, /known_hosts/);
    assert.equal(existsSync(join(far, 'a')), false, checking);
    assert.equal(readFileSync(known, 'utf8'), line);
  }
});

test('accept-new takes an unknown key and remembers it', options, async (t) => {
  const { near, far, file } = folders(t);
  const known = join(near, 'known_hosts');
  const settings = [`UserKnownHostsFile=${known}`, 'StrictHostKeyChecking=accept-new', 'HashKnownHosts=no'];
  const result = await scp([file, `rig:${far}/a`], settings);
  assert.equal(result.exitCode, 0, result.stderr);
  assert.match(readFileSync(known, 'utf8'), /ssh-ed25519 /);
});

test('a key that sshd does not know exits 4', options, async (t) => {
  const { near, far, file } = folders(t);
  const key = join(near, 'wrong');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  // The rig's own key would be tried as well from its ssh_config.
  const config = join(near, 'config');
  writeFileSync(config, readFileSync(sshd.configFile, 'utf8').replace(sshd.identityFile, key));
  const args = ['scp', '-F', config, '-o', 'BatchMode=yes', file, `rig:${far}/a`];
  assertFailure(await runXfer(args), 4, /log ?in|denied|key/i);
  assert.equal(existsSync(join(far, 'a')), false);
});

test('no such host, and a refused port, exit 5', options, async (t) => {
  const { file } = folders(t);
  assertFailure(await runXfer(['scp', '-F', 'none', file, 'no-such-host.invalid:a']), 5, /no-such-host\.invalid/);
  assertFailure(await runXfer(['scp', '-F', 'none', '-P', '1', file, '127.0.0.1:a']), 5, /refused/);
});

test('a missing file exits 3 on either side', options, async (t) => {
  const { near, far } = folders(t);
  assertFailure(await scp([join(near, 'none'), `rig:${far}/a`]), 3, /none/);
  assertFailure(await scp([`rig:${far}/none`, join(near, 'b')]), 3, /none/);
  assert.deepEqual([readdirSync(near), readdirSync(far)], [['a'], []]);
});

test('a directory without -r is refused and not copied', options, async (t) => {
  const { near, far } = folders(t);
  mkdirSync(join(near, 'tree'));
  const result = await scp([join(near, 'tree'), `rig:${far}`]);
  assert.notEqual(result.exitCode, 0);
  assert.match(result.stderr, /-r\b/);
  assert.deepEqual(readdirSync(far), []);
});

test('several sources need a directory', options, async (t) => {
  const { near, far, file } = folders(t);
  writeFileSync(join(near, 'b'), 'more');
  writeFileSync(join(far, 'file'), 'was here');
  const result = await scp([file, join(near, 'b'), `rig:${far}/file`]);
  assert.notEqual(result.exitCode, 0);
  assert.match(result.stderr, /directory/);
  assert.equal(readFileSync(join(far, 'file'), 'utf8'), 'was here');
});

test('a link that leads nowhere is reported, the rest arrives, and the exit is 9', options, async (t) => {
  const { near, far } = folders(t);
  const tree = join(near, 'tree');
  mkdirSync(tree);
  symlinkSync('nowhere', join(tree, 'dangling'));
  for (const name of ['before', 'zlast']) writeFileSync(join(tree, name), name);
  const result = await scp(['-r', tree, `rig:${far}/tree`]);
  assertFailure(result, 9, /dangling/);
  assert.deepEqual(readdirSync(join(far, 'tree')).sort(), ['before', 'zlast']);
});

test('one of several sources is missing: the rest arrives, and the exit is 9', options, async (t) => {
  const { near, far, file } = folders(t);
  assertFailure(await scp([join(near, 'none'), file, `rig:${far}`]), 9, /none/);
  assert.deepEqual(readdirSync(far), ['a']);
});

/** A file system of one MiB at `path`; the reason why not, where the system gives none. */
function mountSmall(path: string): string | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `no small file system could be mounted: ${(error as Error).message.split('\n', 1)[0]}`;
  }
}

for (const way of ['up', 'down'] as const) {
  test(`${way}: a full disk exits 8 and leaves no short file`, options, async (t) => {
    const { near, far } = folders(t);
    const [big, full] = [join(way === 'up' ? near : far, 'big'), join(way === 'up' ? far : near, 'full')];
    makeRandomFile(big, 3 * 1024 * 1024);
    mkdirSync(full);
    const reason = mountSmall(full);
    if (reason !== undefined) return t.skip(reason);
    try {
      const args = way === 'up' ? [big, `rig:${full}/big`] : [`rig:${big}`, `${full}/big`];
      assertFailure(await scp(args), 8, /space/i);
      assert.equal(existsSync(join(full, 'big')), false);
    } finally {
      execFileSync('umount', ['-l', full]);
    }
  });
}

test('wrong options exit 2 before anyone is called', options, async (t) => {
  const { file } = folders(t);
  for (const args of [['-P', '65536'], ['-P', 'x'], ['--recursvie'], ['-l', 'fast']]) {
    const { exitCode, stderr } = await runXfer(['scp', ...args, file, '127.0.0.1:a']);
    assert.equal(exitCode, 2, `${args.join(' ')}: ${stderr}`);
  }
  const host = await runXfer(['scp', file, '-oProxyCommand=id:a']);
  assert.notEqual(host.exitCode, 0);
});
