/** Files whose size says nothing until they are read, as all of Linux's /proc and /sys: copied with what they hold, as scp does. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runXfer } from '../support/run-xfer.js';
import { SFTP_SERVER } from '../support/sshd.js';

const onLinux = process.platform === 'linux' ? { timeout: 60_000 } : { skip: 'Linux has /proc' };
const VERSION = '/proc/version';
/** Which of control groups' there is depends on their version. */
const OTHERS = [
  '/sys/class/net/lo/mtu',
  '/sys/kernel/mm/transparent_hugepage/enabled',
  '/sys/fs/cgroup/cgroup.controllers',
  '/sys/fs/cgroup/memory/memory.swappiness',
];
const FAR = ['scp', '-D', SFTP_SERVER];

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-made-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('what they hold goes up, down and from here to here', onLinux, async (t) => {
  const folder = folderOf(t);
  const to = join(folder, 'to');
  for (const words of [
    [...FAR, VERSION, `h:${to}`],
    [...FAR, '--verify', VERSION, `h:${to}`],
    [...FAR, `h:${VERSION}`, to],
    ['cp', VERSION, to],
  ]) {
    rmSync(to, { force: true });
    const { exitCode, stderr } = await runXfer(words);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(readFileSync(to), readFileSync(VERSION), words.join(' '));
  }
});

test('so do those of /sys and of control groups, whose size is a page, or none', onLinux, async (t) => {
  const to = join(folderOf(t), 'to');
  for (const from of OTHERS.filter((path) => existsSync(path))) {
    const { exitCode, stderr } = await runXfer(['cp', from, to]);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(readFileSync(to), readFileSync(from), from);
  }
});

test('a page that a file has no blocks for is one of its bytes', onLinux, async (t) => {
  const folder = folderOf(t);
  const [from, to] = [join(folder, 'hole'), join(folder, 'to')];
  writeFileSync(from, '');
  truncateSync(from, 4096);
  const { exitCode, stderr } = await runXfer(['cp', from, to]);
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(readFileSync(to), Buffer.alloc(4096));
});

test('a file that is empty stays so', onLinux, async (t) => {
  const folder = folderOf(t);
  writeFileSync(join(folder, 'empty'), '');
  for (const [from, to] of [
    [join(folder, 'empty'), `h:${join(folder, 'far')}`],
    [`h:${join(folder, 'far')}`, join(folder, 'near')],
  ] as const) {
    const { exitCode, stderr } = await runXfer([...FAR, from, to]);
    assert.equal(exitCode, 0, stderr);
  }
  assert.equal(readFileSync(join(folder, 'near')).length, 0);
});
