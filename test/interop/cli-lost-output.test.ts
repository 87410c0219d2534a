/** What a command says and returns where its own standard output takes no more. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readVersion } from '#xfer/version.js';
import { XFER, xferEnvironment } from '../support/run-xfer.js';

const options = { timeout: 30_000, skip: !existsSync('/dev/full') && 'this system has no /dev/full' };

function runOntoFullDisk(...words: string[]) {
  const full = openSync('/dev/full', 'w');
  const child = spawnSync(process.execPath, [XFER, ...words], {
    stdio: ['ignore', full, 'pipe'],
    env: xferEnvironment(),
    timeout: 20_000,
  });
  closeSync(full);
  return { exitCode: child.status, stderr: child.stderr.toString() };
}

test('what was printed and lost on a full disk is a failure, and is said once', options, (t) => {
  const root = mkdtempSync(join(tmpdir(), 'xfer-lost-output-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const [file, copy] = [join(root, 'a'), join(root, 'b')];
  writeFileSync(file, 'bytes');
  for (const words of [['cp', '--json', file, copy], ['--version'], ['--help'], ['scp', '--help'], ['cp', file, '-']]) {
    const { exitCode, stderr } = runOntoFullDisk(...words);
    assert.equal(exitCode, 8, words.join(' '));
    const [line, ...more] = stderr.split('\n');
    assert.equal(line, 'xfer: write standard output: no space left on device', words.join(' '));
    assert.ok(
      more.every((other) => !other.startsWith('xfer:')),
      stderr,
    );
  }
  assert.equal(readFileSync(copy, 'utf8'), 'bytes', 'the copy itself was done');
  for (const words of [
    ['cp', file, copy],
    ['cp', '--quiet', file, copy],
  ]) {
    assert.equal(runOntoFullDisk(...words).exitCode, 0, 'nothing was printed, so that nothing is lost');
  }
});

test('a full disk behind standard error fails nothing that does not print there', options, () => {
  const full = openSync('/dev/full', 'w');
  const { status, stdout } = spawnSync(process.execPath, [XFER, '--version'], { stdio: ['ignore', 'pipe', full] });
  closeSync(full);
  assert.deepEqual([status, stdout.toString()], [0, `${readVersion()}\n`]);
});
