/** `xfer scp` where one end has too little: room, files, open files, or rights. What to do is said, nothing half-done stays. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needs } from '../support/peers.js';
import { type RunResult, runProgram, runXfer, XFER } from '../support/run-xfer.js';
import { SFTP_SERVER, startSshd } from '../support/sshd.js';
import { differences } from '../support/trees.js';

/** A number that no account has. */
const NAMELESS = 54_321;

const options = { ...needs('sshd'), timeout: 60_000 };

interface Ground {
  readonly root: string;
  /** 40 files of 3,000 bytes. */
  readonly many: string;
  /** Ten directories with six files each, and one below with six more. */
  readonly dirs: string;
  /** 300,000 bytes. */
  readonly big: string;
  /** Empty. */
  readonly out: string;
}

function prepare(t: TestContext): Ground {
  const root = mkdtempSync(join(tmpdir(), 'xfer-limits-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  chmodSync(root, 0o755);
  const [many, dirs, big, out] = ['many', 'dirs', 'big', 'out'].map((name) => join(root, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const folder of [many, out]) mkdirSync(folder);
  for (let index = 0; index < 40; index++) writeFileSync(join(many, `f${index}`), Buffer.alloc(3000, `${index} `));
  for (let index = 0; index < 60; index++) {
    const folder = join(dirs, `d${index % 10}`, 'below');
    mkdirSync(folder, { recursive: true });
    for (const each of [folder, join(folder, '..')]) writeFileSync(join(each, `f${index}`), `${index}`);
  }
  writeFileSync(big, Buffer.alloc(300_000, 'big '));
  return { root, many, dirs, big, out };
}

/** A program that sets something for OpenSSH's sftp-server and then becomes it. */
function server(ground: Ground, setting: string, ...args: string[]): string {
  const program = join(ground.root, 'server');
  const [first, exec] = setting.startsWith('exec ') ? ['', setting] : [setting, 'exec'];
  writeFileSync(program, `#!/bin/sh\n${first}\n${exec} ${SFTP_SERVER} ${args.join(' ')}\n`);
  chmodSync(program, 0o755);
  return program;
}

function scp(program: string, ...args: string[]): Promise<RunResult> {
  return runXfer(['scp', '-D', program, '--retry', '0', ...args]);
}

function assertFailure({ exitCode, stderr }: RunResult, exit: number, words: RegExp, hint: RegExp): void {
  assert.equal(exitCode, exit, stderr);
  assert.match(stderr, words);
  assert.match(/hint: (.*)/.exec(stderr)?.[1] ?? '', hint, stderr);
  assert.doesNotMatch(stderr, /xfer-part/, 'a person knows no temporary names');
  assert.doesNotMatch(stderr, /\n\s+at /, 'a stack is for bugs');
}

/** Mounts a small file system; skips where the system gives none. */
function mountSmall(t: TestContext, path: string, limit: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', limit, 'tmpfs', path], { stdio: 'pipe' });
  } catch (error) {
    t.skip(`no small file system could be mounted: ${(error as Error).message.split('\n', 1)[0]}`);
    return false;
  }
  return true;
}

for (const limit of ['size=64k', 'nr_inodes=6']) {
  for (const way of ['up', 'down'] as const) {
    test(`${way}: many small files where the disk has ${limit}`, options, async (t) => {
      const ground = prepare(t);
      if (!mountSmall(t, ground.out, limit)) return;
      try {
        const operands = way === 'up' ? [ground.many, `h:${ground.out}`] : [`h:${ground.many}`, ground.out];
        const result = await scp(SFTP_SERVER, '-r', ...operands);
        assertFailure(result, 9, /f\d+: no space left on/, way === 'up' ? /make room/ : /./);
        assert.doesNotMatch(result.stderr, /without a reason/);
        const arrived = readdirSync(join(ground.out, 'many'));
        assert.ok(arrived.length > 0 && arrived.length < 40);
        for (const name of arrived) {
          assert.deepEqual(differences(join(ground.many, name), join(ground.out, 'many', name)), []);
        }
      } finally {
        execFileSync('umount', ['-l', ground.out]);
      }
    });
  }
}

test('up: a file larger than the disk leaves nothing, and what was there stays', options, async (t) => {
  const ground = prepare(t);
  if (!mountSmall(t, ground.out, 'size=64k')) return;
  try {
    writeFileSync(join(ground.out, 'big'), 'as it was');
    assertFailure(await scp(SFTP_SERVER, ground.big, `h:${ground.out}`), 8, /big: no space left/, /make room/);
    assert.deepEqual(readdirSync(ground.out), ['big']);
    assert.equal(readFileSync(join(ground.out, 'big'), 'utf8'), 'as it was');
  } finally {
    execFileSync('umount', ['-l', ground.out]);
  }
});

for (const handles of [4, 5, 8]) {
  test(`a tree comes and goes with a server that opens ${handles} files`, options, async (t) => {
    const ground = prepare(t);
    // sftp-server keeps five for itself.
    const program = server(ground, `ulimit -n ${handles + 5}`);
    for (const operands of [
      [`h:${ground.dirs}`, join(ground.out, 'down')],
      [ground.dirs, `h:${ground.out}/up`],
    ]) {
      const { exitCode, stderr } = await scp(program, '-r', ...operands);
      assert.equal(exitCode, 0, stderr);
    }
    for (const name of ['down', 'up']) assert.deepEqual(differences(ground.dirs, join(ground.out, name)), []);
  });
}

test('no account and no home here', { ...options, ...needs('sshd', 'setpriv') }, async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can be another user');
  const ground = prepare(t);
  const sshd = await startSshd();
  t.after(() => sshd.stop());
  const [key, known] = [join(ground.root, 'key'), join(ground.root, 'known')];
  for (const [from, to] of [
    [sshd.identityFile, key],
    [sshd.knownHostsFile, known],
  ] as const) {
    copyFileSync(from, to);
    chownSync(to, NAMELESS, NAMELESS);
  }
  const words = ['-F', 'none', '-P', `${sshd.port}`, '-i', key, '-o', `UserKnownHostsFile=${known}`, ground.big];
  const copy = (target: string, ...unset: string[]) => {
    const who = [`--reuid=${NAMELESS}`, `--regid=${NAMELESS}`, '--clear-groups', 'env', '-u', 'USER', '-u', 'LOGNAME'];
    const xfer = [process.execPath, XFER, 'scp', ...words, target];
    return runProgram('setpriv', [...who, '-u', 'USERNAME', ...unset, ...xfer], { env: { XDG_STATE_HOME: '/' } });
  };
  for (const unset of [['HOME=/'], ['-u', 'HOME']]) {
    const { exitCode, stderr } = await copy(`${sshd.user}@127.0.0.1:${ground.out}`, ...unset);
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /\/xfer\/journal: permission denied; what breaks off will begin anew/);
  }
  assertFailure(await copy('127.0.0.1:x', 'HOME=/'), 2, /no user name was given/, /user@host/);
});

test('too few open files here', options, async (t) => {
  const ground = prepare(t);
  const copy = `ulimit -n 27; exec "$@"`;
  const words = [process.execPath, XFER, 'scp', '-D', SFTP_SERVER, '-r', ground.many, `h:${ground.out}`];
  assertFailure(await runProgram('sh', ['-c', copy, 'sh', ...words]), 8, /too many open files/, /ulimit -n/);
  assert.deepEqual(readdirSync(ground.out), []);
});

test('a limit on the size of files there', options, async (t) => {
  const ground = prepare(t);
  const program = server(ground, "trap '' XFSZ; ulimit -f 100");
  const result = await scp(program, ground.big, `h:${ground.out}/big`);
  assertFailure(result, 4, /big: the server refused without a reason/, /quota/);
  assert.deepEqual(readdirSync(ground.out), []);
});

test('a server that is for reading only', options, async (t) => {
  const ground = prepare(t);
  const program = server(ground, 'umask 022', '-R');
  const file = join(ground.many, 'f1');
  assertFailure(await scp(program, file, `h:${ground.out}`), 4, /out\/f1: permission denied/, /log in as/);
  assertFailure(await scp(program, '-r', ground.many, `h:${ground.out}`), 4, /many: permission denied/, /log in as/);
  assert.deepEqual(readdirSync(ground.out), []);
});

test('no permission, and no directory', { ...options, ...needs('sshd', 'setpriv') }, async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can be another user');
  const ground = prepare(t);
  chmodSync(ground.many, 0o700);
  const program = server(ground, 'exec setpriv --reuid 65534 --regid 65534 --clear-groups');
  const file = join(ground.root, 'big');
  assertFailure(await scp(program, file, `h:${ground.out}`), 4, /out\/big: permission denied/, /log in as/);
  assertFailure(await scp(program, file, `h:${ground.out}/none/x`), 3, /none\/x: no such file/, /make its directory/);
  assertFailure(await scp(program, `h:${ground.many}/f1`, ground.out), 4, /f1: permission denied/, /log in as/);
  assert.deepEqual(readdirSync(ground.out), []);
});
