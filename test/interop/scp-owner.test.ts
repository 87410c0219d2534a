/** Files of others that are replaced on a server of OpenSSH. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../support/peers.js';
import { runXfer } from '../support/run-xfer.js';
import { startSshd } from '../support/sshd.js';

const root = process.getuid?.() === 0 ? needs('sshd', 'ssh-keygen') : { skip: 'needs root' };

test('a file that is replaced keeps its owner and group, both ways', { ...root, timeout: 60_000 }, async () => {
  const sshd = await startSshd();
  try {
    for (const [way, bytes] of [
      ['up', 100],
      ['up', 9 << 20],
      ['down', 100],
    ] as const) {
      const folder = join(sshd.directory, `${way}-${bytes}`);
      mkdirSync(folder);
      const [source, target] = [join(folder, 'from'), join(folder, 'to')];
      writeFileSync(source, Buffer.alloc(bytes, 'new'));
      writeFileSync(target, 'old');
      chownSync(target, 65534, 100);
      chmodSync(target, 0o640);
      const words = way === 'up' ? [source, `h:${target}`] : [`h:${source}`, target];
      const { exitCode, stderr } = await runXfer(['scp', '-F', sshd.configFile, ...words]);
      assert.equal(exitCode, 0, stderr);
      const { uid, gid, mode } = statSync(target);
      assert.deepEqual([uid, gid, mode & 0o7777], [65534, 100, 0o640], `${way} ${bytes}`);
      assert.ok(readFileSync(target).equals(readFileSync(source)));
      assert.deepEqual(readdirSync(folder).sort(), ['from', 'to']);
    }
  } finally {
    await sshd.stop();
  }
});
