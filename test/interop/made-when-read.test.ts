/** Files whose size is 0 until they are read, as all of Linux's /proc: copied with what they hold, as scp does. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runXfer } from '../support/run-xfer.js';
import { SFTP_SERVER } from '../support/sshd.js';

const onLinux = process.platform === 'linux' ? { timeout: 60_000 } : { skip: 'Linux has /proc' };
const VERSION = '/proc/version';
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
