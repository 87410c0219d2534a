/** A named pipe in a tree: left out with a word, as scp and rsync do, and neither waited for nor a failure. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../support/peers.js';
import { runXfer } from '../support/run-xfer.js';
import { startSshd } from '../support/sshd.js';

test('a pipe in a tree is left out, and said', {
  ...needs('sshd', 'ssh-keygen', 'scp', 'mkfifo'),
  timeout: 60_000,
}, async (t) => {
  const sshd = await startSshd();
  const near = mkdtempSync(join(tmpdir(), 'xfer-kinds-'));
  t.after(async () => {
    rmSync(near, { recursive: true, force: true });
    await sshd.stop();
  });
  const tree = join(near, 'tree');
  mkdirSync(join(tree, 'below'), { recursive: true });
  writeFileSync(join(tree, 'below', 'file'), 'bytes');
  execFileSync('mkfifo', [join(tree, 'below', 'pipe')]);
  const config = ['-F', sshd.configFile];
  for (const [words, to] of [
    [['cp', '-r', tree, join(near, 'local')], join(near, 'local')],
    [['scp', ...config, '-r', tree, `h:${sshd.directory}/up`], join(sshd.directory, 'up')],
    [['scp', ...config, '-r', `h:${tree}`, join(near, 'down')], join(near, 'down')],
    [['scp', ...config, '-O', '-r', tree, `h:${sshd.directory}/old`], join(sshd.directory, 'old')],
    [['scp', ...config, '-O', '-r', `h:${tree}`, join(near, 'old')], join(near, 'old')],
  ] as const) {
    const { exitCode, stderr } = await runXfer(words);
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /pipe: left out: not a regular file\n1 file, .*, 1 left out\n$/, words.join(' '));
    assert.deepEqual(readdirSync(join(to, 'below')), ['file']);
  }
  const quiet = await runXfer(['cp', '-q', '-r', tree, join(near, 'quiet')]);
  assert.deepEqual([quiet.exitCode, quiet.stderr], [0, '']);
});
