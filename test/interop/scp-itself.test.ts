/** Copies onto and into themselves: what was there is there afterwards, and no copy goes on without end. */
import assert from 'node:assert/strict';
import {
  linkSync,
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
import { after, before, describe, test } from 'node:test';
import { needs } from '../support/peers.js';
import { runXfer } from '../support/run-xfer.js';
import { type Sshd, startSshd } from '../support/sshd.js';

const program = { ...needs('sshd', 'ssh-keygen'), timeout: 60_000 };
const TEXT = 'what must not be lost\n'.repeat(1000);

describe('onto itself', program, () => {
  let sshd: Sshd;
  let root: string;
  before(async () => {
    if (program.skip !== undefined) return;
    sshd = await startSshd();
    root = mkdtempSync(join(tmpdir(), 'xfer-itself-'));
    mkdirSync(join(root, 'd', 'sub'), { recursive: true });
    for (const path of ['f', 'd/h', 'd/sub/k']) writeFileSync(join(root, path), TEXT);
    symlinkSync('f', join(root, 'link'));
    symlinkSync('d', join(root, 'dlink'));
    linkSync(join(root, 'f'), join(root, 'hard'));
  });
  after(async () => {
    if (program.skip !== undefined) return;
    rmSync(root, { recursive: true, force: true });
    await sshd.stop();
  });

  const scp = (...args: string[]) =>
    runXfer(['scp', '-F', sshd.configFile, ...args.map((word) => word.replace('ROOT', root))], { cwd: root });
  const names = () => readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();

  for (const line of [
    'f f',
    'f ./f',
    'f link',
    'link f',
    'f hard',
    'f .',
    '-r d .',
    '-r dlink/. d',
    '-rp d/. d',
    'h:ROOT/f h:ROOT/f',
    'h:ROOT/f h:ROOT/link',
    'h:ROOT/link h:ROOT/f',
    'h:ROOT/f h:ROOT/hard',
    'h:ROOT/f f',
    'f h:ROOT/f',
    '-r h:ROOT/d h:ROOT',
    '-r d h:ROOT',
  ]) {
    test(line, program, async () => {
      const there = names();
      const { exitCode, stderr } = await scp(...line.split(' '));
      assert.equal(exitCode, 0, stderr);
      assert.deepEqual(names(), there);
      for (const path of ['f', 'link', 'hard', 'd/h', 'd/sub/k']) {
        assert.equal(readFileSync(join(root, path), 'utf8'), TEXT, path);
      }
    });
  }

  for (const line of ['-r d d', '-r d d/sub', '-r d d/sub/new', '-r d dlink/sub', '-r h:ROOT/d h:ROOT/d/sub']) {
    test(`${line}: a directory does not go into itself`, program, async () => {
      const there = names();
      const { exitCode, stderr } = await scp(...line.split(' '));
      assert.equal(exitCode, 8, stderr);
      assert.match(stderr, /a directory into itself/);
      assert.deepEqual(names(), there);
    });
  }
});
