/** What copying programs got wrong before, with an honest server: old versions mixed in, modes changed, names run. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needs } from '../support/peers.js';
import { runXfer } from '../support/run-xfer.js';
import { SFTP_SERVER } from '../support/sshd.js';
import { bytesOnDisk, differences, makeRandomFile } from '../support/trees.js';

const options = { ...needs('sshd'), timeout: 60_000 };

/** How an operand is written on either side. */
const WAYS: readonly (readonly [way: string, from: string, to: string])[] = [
  ['up', '', 'h:'],
  ['down', 'h:', ''],
  ['between', 'h:', 'g:'],
  ['here', '', ''],
];

function folders(t: TestContext): { root: string; from: string; to: string } {
  const root = mkdtempSync(join(tmpdir(), 'xfer-history-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const [from, to] = [join(root, 'from'), join(root, 'to')];
  for (const folder of [from, to]) mkdirSync(folder);
  return { root, from, to };
}

function scp(cwd: string, args: readonly string[], killWhen?: () => boolean) {
  return runXfer(['scp', '-D', SFTP_SERVER, ...args], { cwd, ...(killWhen ? { killWhen } : {}) });
}

for (const [way, near, far] of WAYS.slice(0, 3)) {
  test(`resume attack, ${way}: what is held of another version is never used, and goes`, options, async (t) => {
    const { root, from, to } = folders(t);
    const operands = [`${near}${from}/big`, `${far}${to}/big`];
    makeRandomFile(join(from, 'big'), 12_000_000);
    const killed = await scp(root, ['--limit', '6M', ...operands], () => bytesOnDisk(to) > 2_000_000);
    assert.equal(killed.signal, 'SIGKILL', killed.stderr);
    assert.match(readdirSync(to).join(), /^\.big\..*part$/);
    makeRandomFile(join(from, 'big'), 12_000_000);
    const { exitCode, stderr } = await scp(root, operands);
    assert.equal(exitCode, 0, stderr);
    assert.doesNotMatch(stderr, /were there already/);
    assert.deepEqual(differences(from, to), []);
  });
}

for (const [way, near, far] of WAYS) {
  test(`c3631567d, ${way}: the mode of a directory that is there stays, but with -p`, options, async (t) => {
    const { root, from, to } = folders(t);
    for (const [parent, mode] of [
      [from, 0o755],
      [to, 0o711],
    ] as const) {
      mkdirSync(join(parent, 'tree', 'below'), { recursive: true });
      for (const each of ['tree', 'tree/below']) chmodSync(join(parent, each), mode);
    }
    writeFileSync(join(from, 'tree', 'below', 'f'), 'bytes');
    const modes = () => ['tree', 'tree/below'].map((each) => statSync(join(to, each)).mode & 0o777);
    const operands = ['-r', `${near}${from}/tree`, `${far}${to}`];
    assert.equal((await scp(root, operands)).exitCode, 0);
    assert.deepEqual(modes(), [0o711, 0o711]);
    assert.equal((await scp(root, ['-p', ...operands])).exitCode, 0);
    assert.deepEqual(modes(), [0o755, 0o755]);
  });

  test(`CVE-2006-0225, CVE-2020-15778, ${way}: a name is never a command`, options, async (t) => {
    const { root, from, to } = folders(t);
    const names = [
      '`touch pwned`',
      '$(touch pwned)',
      ';touch pwned;',
      "'\ntouch pwned\n'",
      '|touch pwned',
      '-oX=pwned',
    ];
    for (const name of names) {
      writeFileSync(join(from, name), name);
      const { exitCode, stderr } = await scp(root, ['--', `${near}${from}/${name}`, `${far}${to}/${name}`]);
      assert.equal(exitCode, 0, stderr);
    }
    assert.deepEqual(differences(from, to), []);
    assert.deepEqual(readdirSync(root).sort(), ['from', 'to']);
  });
}
