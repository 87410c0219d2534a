/** `xfer scp` over a line that is cut again and again, as a bad mobile network or a strict firewall does. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import { needs } from '../support/peers.js';
import { runXfer } from '../support/run-xfer.js';
import { type Sshd, startSshd } from '../support/sshd.js';
import { differences } from '../support/trees.js';

const options = { ...needs('sshd', 'ssh-keygen'), timeout: 120_000 };

interface Rig {
  readonly sshd: Sshd;
  /** Empty, on this side. */
  readonly near: string;
}

async function prepare(t: TestContext): Promise<Rig> {
  const sshd = await startSshd();
  const near = mkdtempSync(join(tmpdir(), 'xfer-cut-'));
  t.after(async () => {
    rmSync(near, { recursive: true, force: true });
    await sshd.stop();
  });
  return { sshd, near };
}

/** `xfer scp` through a port of this machine that is not the server's own. */
function scp(sshd: Sshd, port: number, ...args: string[]): ReturnType<typeof runXfer> {
  const through = ['-F', sshd.configFile, '-P', `${port}`, '-o', 'StrictHostKeyChecking=no'];
  return runXfer(['scp', ...through, '-o', 'UserKnownHostsFile=/dev/null', ...args], { timeoutMs: 90_000 });
}

test('a tree of small files goes up whole, and leaves nothing unfinished', options, async (t) => {
  const { sshd, near } = await prepare(t);
  const tree = join(near, 'tree');
  mkdirSync(tree);
  for (let index = 0; index < 300; index++) writeFileSync(join(tree, `f${index}`), Buffer.alloc(30_000, `${index} `));
  const proxy = await startFaultyProxy({ to: sshd, way: 'up', resetAfterBytes: 2_000_000 });
  t.after(() => proxy.stop());
  const { exitCode, stderr } = await scp(sshd, proxy.port, '-q', '-r', tree, `h:${sshd.directory}`);
  assert.equal(exitCode, 0, stderr);
  assert.ok(proxy.connections > 4, `${proxy.connections} connections`);
  assert.deepEqual(differences(tree, join(sshd.directory, 'tree')), []);
  assert.equal(readdirSync(join(sshd.directory, 'tree')).length, 300);
});
