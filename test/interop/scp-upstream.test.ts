/** The cases of OpenSSH's regression scripts that are newer than version 9.2 (scp.sh 1.20, scp3.sh 1.6, sftp-resume.sh 1.1). */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needs } from '../support/peers.js';
import { runXfer } from '../support/run-xfer.js';
import { SFTP_SERVER } from '../support/sshd.js';
import { differences, makeRandomFile } from '../support/trees.js';

const options = { ...needs('sshd'), timeout: 60_000 };
const CARRIERS = [['-D', SFTP_SERVER]] as const;

/** A tree with links to a file and to a directory in it, and what a copy of it must be. */
function makeForest(t: TestContext): { root: string; tree: string; followed: string } {
  const root = mkdtempSync(join(tmpdir(), 'xfer-upstream-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const [tree, followed] = [join(root, 'tree'), join(root, 'followed')];
  mkdirSync(join(tree, 'subdir', 'deeper'), { recursive: true });
  for (const path of ['copy', 'subdir/copy', 'subdir/deeper/copy']) makeRandomFile(join(tree, path), 20_000);
  // By hand: `cpSync` of Node 24 keeps such links, also where it is told to follow them.
  cpSync(tree, followed, { recursive: true });
  cpSync(join(tree, 'copy'), join(followed, 'copy-sym'));
  cpSync(join(tree, 'subdir'), join(followed, 'dir-sym'), { recursive: true });
  symlinkSync('copy', join(tree, 'copy-sym'));
  symlinkSync('subdir', join(tree, 'dir-sym'));
  return { root, tree, followed };
}

async function mustCopy(cwd: string, ...args: string[]): Promise<void> {
  const { exitCode, stderr } = await runXfer(['scp', '-q', ...args], { cwd });
  assert.equal(exitCode, 0, stderr);
}

for (const carrier of CARRIERS) {
  const named = carrier.join(' ');
  const ways: [name: string, from: string, to: string][] = [
    ['up', 'PATH', 'far:PATH'],
    ['down', 'far:PATH', 'PATH'],
    ['between two hosts', 'hostA:PATH', 'hostB:PATH'],
    ['here', 'PATH', 'PATH'],
  ];
  for (const [way, from, to] of ways) {
    test(`${named}: ${way}, links in a tree are followed, to directories too`, options, async (t) => {
      const { root, tree, followed } = makeForest(t);
      const out = join(root, 'out');
      await mustCopy(root, ...carrier, '-r', from.replace('PATH', tree), to.replace('PATH', out));
      assert.deepEqual(differences(followed, out), []);
    });

    test(`${named}: ${way}, .. as a source lands inside the target`, options, async (t) => {
      const { root, tree, followed } = makeForest(t);
      mkdirSync(join(root, 'holder', 'target'), { recursive: true });
      const target = join(root, 'holder', 'target');
      await mustCopy(root, ...carrier, '-r', from.replace('PATH', `${tree}/subdir/..`), to.replace('PATH', target));
      assert.deepEqual(differences(followed, target), []);
      mkdirSync(join(root, 'only', 'target'), { recursive: true });
      cpSync(followed, join(root, 'only', 'target'), { recursive: true });
      assert.deepEqual(differences(join(root, 'only'), join(root, 'holder')), []);
    });
  }

  test(`${named}: a target that holds the first part of a file, or all of it, becomes the file`, options, async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'xfer-upstream-'));
    t.after(() => rmSync(root, { recursive: true, force: true }));
    const file = join(root, 'file');
    makeRandomFile(file, 3_000_000);
    const bytes = readFileSync(file);
    for (const length of [0, 1, 1024, 1024 * 1024, bytes.length - 1, bytes.length]) {
      for (const [from, to] of [
        [file, `far:${root}/there`],
        [`far:${file}`, join(root, 'there')],
      ] as const) {
        writeFileSync(join(root, 'there'), bytes.subarray(0, length));
        await mustCopy(root, ...carrier, from, to);
        assert.deepEqual(differences(file, join(root, 'there')), [], `${length} bytes, to ${to}`);
      }
    }
  });
}
