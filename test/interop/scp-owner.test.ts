/** Files of others that are replaced on a server of OpenSSH. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../support/peers.js';
import { runXfer } from '../support/run-xfer.js';
import { SFTP_SERVER, startSshd } from '../support/sshd.js';

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

test('what another put where a draft was left is not gone on with', { ...root, timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-planted-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [source, far] = [join(folder, 'private'), join(folder, 'far')];
  mkdirSync(far);
  writeFileSync(source, Buffer.alloc(40 << 20, 'private'), { mode: 0o600 });
  const words = ['scp', '-D', SFTP_SERVER, '--limit', '20M', source, `h:${far}/copy`];
  const drafts = () => readdirSync(far).filter((name) => name.endsWith('.xfer-part'));
  const hasBegun = () => drafts().some((name) => statSync(join(far, name)).size > 9 << 20);
  await runXfer(words, { killWhen: hasBegun });
  const [draft] = drafts();
  assert.ok(draft);
  rmSync(join(far, draft));
  writeFileSync(join(far, draft), Buffer.alloc(40 << 20, 'planted'));
  chownSync(join(far, draft), 65534, 65534);
  chmodSync(join(far, draft), 0o666);
  const refused = await runXfer(words);
  assert.equal(refused.exitCode, 8, refused.stderr);
  assert.match(refused.stderr, /somebody else's file has the name of the draft/);
  assert.deepEqual(readdirSync(far), [draft]);
  chownSync(join(far, draft), 0, 0);
  rmSync(join(far, draft));
  const good = await runXfer(words);
  assert.equal(good.exitCode, 0, good.stderr);
  assert.ok(readFileSync(join(far, 'copy')).equals(readFileSync(source)));
  assert.deepEqual(readdirSync(far), ['copy']);
});
