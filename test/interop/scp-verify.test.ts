/** `--verify` over a real sshd: by the far side's own program where one may be run, else by reading back. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../support/peers.js';
import { runXfer } from '../support/run-xfer.js';
import { startSshd } from '../support/sshd.js';
import { differences, makeRandomFile } from '../support/trees.js';

const program = { ...needs('sshd', 'ssh-keygen'), timeout: 60_000 };
/** A quote, a space and a leading dash, each of which a shell could take for something else. */
const NAME = "-it's $(touch here) `a`";

async function verified(lines: readonly string[], way: 'up' | 'down') {
  const sshd = await startSshd({ lines });
  try {
    const source = join(sshd.directory, 'from');
    const target = join(sshd.directory, NAME);
    makeRandomFile(source, 12 << 20);
    const [from, to] = way === 'up' ? [source, `h:${target}`] : [`h:${source}`, target];
    const words = ['scp', '--verify', '--json', '-F', sshd.configFile, from, to];
    const { exitCode, stdout, stderr } = await runXfer(words, { cwd: sshd.directory });
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(differences(source, target), []);
    const events = stdout.toString().trim().split('\n');
    return JSON.parse(events.at(-1) as string) as { type: string; verified: string; readBack: boolean };
  } finally {
    await sshd.stop();
  }
}

test('the far side computes the digest of what was sent', program, async () => {
  const { type, verified: proof, readBack } = await verified([], 'up');
  assert.deepEqual([type, proof, readBack], ['done', 'sha256', false]);
});

test('where no command may be run, what was sent is read back', program, async () => {
  const { verified: proof, readBack } = await verified(['ForceCommand internal-sftp'], 'up');
  assert.deepEqual([proof, readBack], ['sha256', true]);
});

test('what came down is compared with what the far side says of its file', program, async () => {
  for (const lines of [[], ['ForceCommand internal-sftp']]) {
    assert.equal((await verified(lines, 'down')).verified, 'sha256');
  }
});

test('a far copy that is another file is CORRUPT, and gets no name', program, async () => {
  const sshd = await startSshd({
    lines: [
      'ForceCommand /bin/sh -c \'case "$SSH_ORIGINAL_COMMAND" in sha256sum*) echo "$(printf %064d 1)  x";; *) exec /usr/lib/openssh/sftp-server;; esac\'',
    ],
  });
  try {
    const source = join(sshd.directory, 'from');
    writeFileSync(source, Buffer.alloc(9 << 20, 7));
    const target = join(sshd.directory, 'to');
    const { exitCode, stderr } = await runXfer(['scp', '--verify', '-F', sshd.configFile, source, `h:${target}`]);
    assert.equal(exitCode, 7, stderr);
    assert.match(stderr, /the copy's SHA-256 is 0{63}1, the source's/);
    assert.equal(existsSync(target), false);
  } finally {
    await sshd.stop();
  }
});
