/** `xfer scp` over a line that is cut again and again, as a bad mobile network or a strict firewall does. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
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

test('by the old protocol what goes up begins again, file by file', options, async (t) => {
  const { sshd, near } = await prepare(t);
  const [big, tree] = [join(near, 'big'), join(near, 'tree')];
  writeFileSync(big, randomBytes(4_000_000));
  mkdirSync(join(tree, 'below'), { recursive: true });
  for (let index = 0; index < 60; index++) {
    writeFileSync(join(tree, index % 2 === 0 ? 'below' : '', `f${index}`), randomBytes(30_000));
  }
  mkdirSync(join(sshd.directory, 'there'));
  for (const [source, target, arrived] of [
    [big, 'big', 'big'],
    [tree, 'new', 'new'],
    [tree, 'there', 'there/tree'],
  ] as const) {
    const proxy = await startFaultyProxy({ to: sshd, way: 'up', resetAfterBytes: 700_000, times: 2 });
    t.after(() => proxy.stop());
    const { exitCode, stderr } = await scp(sshd, proxy.port, '-O', '-rp', source, `h:${sshd.directory}/${target}`);
    assert.equal(exitCode, 0, stderr);
    assert.equal(proxy.connections, 3);
    assert.match(stderr, /try 2 in/);
    assert.deepEqual(differences(source, join(sshd.directory, arrived), { modes: true }), []);
  }
});

test('by the old protocol what comes down ends with the line, and says what to do', options, async (t) => {
  const { sshd, near } = await prepare(t);
  writeFileSync(join(sshd.directory, 'big'), randomBytes(4_000_000));
  const proxy = await startFaultyProxy({ to: sshd, resetAfterBytes: 1_000_000 });
  t.after(() => proxy.stop());
  const { exitCode, stderr } = await scp(sshd, proxy.port, '-O', `h:${sshd.directory}/big`, near);
  assert.equal(exitCode, 5, stderr);
  assert.match(stderr, /hint: the old scp protocol cannot go on where it was: run the same command again/);
  assert.equal(proxy.connections, 1);
  assert.deepEqual(readdirSync(near), []);
});
