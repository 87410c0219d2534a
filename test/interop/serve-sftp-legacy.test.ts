/** Clients of the old scp protocol against `xfer serve --sftp`. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { patternBytes } from '../support/fixtures.js';
import { needs } from '../support/peers.js';
import { runProgram, runXfer, startProgram } from '../support/run-xfer.js';
import { ACCOUNT, type StartedSftp, startSftp } from '../support/sftp-listener.js';

const TIME = { timeout: 30_000 };
const folder = mkdtempSync(join(tmpdir(), 'xfer-old-scp-'));
const [root, here] = [join(folder, 'root'), join(folder, 'here')];
const bytes = patternBytes(3_000_000);
let served: StartedSftp;
let readOnly: StartedSftp;

before(async () => {
  for (const path of [root, here, join(here, 'tree'), join(here, 'tree', 'deep')]) mkdirSync(path);
  writeFileSync(join(here, 'a file'), bytes, { mode: 0o640 });
  writeFileSync(join(here, 'tree', 'deep', 'x'), 'x');
  writeFileSync(join(folder, 'secret'), 'outside');
  [served, readOnly] = await Promise.all([startSftp(root), startSftp(root, [])]);
});
after(async () => {
  await Promise.all([served.stop(), readOnly.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

for (const [name, run] of [
  ['scp', (args: string[]) => runProgram('scp', args, { cwd: here })],
  ['xfer scp', (args: string[]) => runXfer(['scp', ...args], { cwd: here })],
] as const) {
  test(`${name} -O copies both ways`, { ...TIME, ...needs('scp') }, async () => {
    const scp = async (...args: string[]) => {
      const ended = await run(['-q', '-O', '-F', served.configFile, ...args]);
      assert.equal(ended.exitCode, 0, `${args.join(' ')}\n${ended.stderr}`);
    };
    const [at, got] = [`${served.host}:${name.replace(' ', '-')}`, name.replace(' ', '-')];
    mkdirSync(join(root, got));
    await scp('-p', 'a file', `${at}/b`);
    assert.deepEqual(readFileSync(join(root, got, 'b')), bytes);
    assert.equal(statSync(join(root, got, 'b')).mode & 0o777, 0o640);
    await scp('-r', 'tree', `${at}/tree`);
    symlinkSync('deep/x', join(root, got, 'tree', 'link'));
    symlinkSync('../../../secret', join(root, got, 'tree', 'out'));
    await scp('-rp', at, got);
    assert.deepEqual(readFileSync(join(here, got, 'b')), bytes);
    assert.equal(readFileSync(join(here, got, 'tree', 'deep', 'x'), 'utf8'), 'x');
    assert.equal(readFileSync(join(here, got, 'tree', 'link'), 'utf8'), 'x');
    assert.equal(existsSync(join(here, got, 'tree', 'out')), false);
    await served.xfer.waitForLine(new RegExp(`anna put "/${got}/b" 3000000 bytes$`, 'm'));
    await served.xfer.waitForLine(new RegExp(`anna get "/${got}/tree/deep/x" 1 bytes$`, 'm'));
  });
}

test('an upload gets no bit that would let a program run as whoever serves', { ...TIME, ...needs('scp') }, async () => {
  mkdirSync(join(here, 'special'));
  writeFileSync(join(here, 'special', 'program'), '#!/bin/sh\n');
  for (const path of ['special', 'special/program']) chmodSync(join(here, path), 0o6755);
  const ended = await runProgram('scp', ['-Orpq', '-F', served.configFile, 'special', `${served.host}:`], {
    cwd: here,
  });
  assert.equal(ended.exitCode, 0, ended.stderr);
  for (const path of ['special', 'special/program'])
    assert.equal(statSync(join(root, path)).mode & 0o7777, 0o755, path);
});

test('pscp -scp copies both ways', { ...TIME, ...needs('pscp') }, async () => {
  const login = [
    '-scp',
    '-q',
    '-batch',
    '-hostkey',
    served.fingerprint,
    '-P',
    String(served.port),
    '-pw',
    ACCOUNT.password,
  ];
  const at = `${served.user}@${served.host}`;
  for (const pair of [
    ['a file', `${at}:p`],
    [`${at}:p`, 'pscp'],
  ] as const) {
    const ended = await runProgram('pscp', [...login, ...pair], { cwd: here, env: { HOME: folder } });
    assert.equal(ended.exitCode, 0, ended.stderr);
  }
  assert.deepEqual(readFileSync(join(here, 'pscp')), bytes);
});

test('the old protocol leaves the root no more than the new one, and changes nothing that may only be read', {
  ...TIME,
  ...needs('scp'),
}, async () => {
  writeFileSync(join(root, 'kept'), 'kept');
  symlinkSync('..', join(root, 'up'));
  const scp = (at: StartedSftp, ...args: string[]) =>
    runProgram('scp', ['-q', '-O', '-F', at.configFile, ...args], { cwd: here });
  const before = readdirSync(root).sort();
  const refused: [StartedSftp, string[]][] = [
    [readOnly, ['a file', `${readOnly.host}:kept`]],
    [readOnly, ['a file', `${readOnly.host}:new`]],
    [served, ['a file', `${served.host}:up/new`]],
    [served, ['a file', `${served.host}:missing/`]],
    [served, ['a file', `${served.host}:missing/.`]],
    [served, [`${served.host}:up/secret`, 'stolen']],
    [served, [`${served.host}:../secret`, 'stolen']],
    [served, [`${served.host}:${folder}/secret`, 'stolen']],
  ];
  for (const [at, args] of refused) {
    const ended = await scp(at, ...args);
    assert.notEqual(ended.exitCode, 0, args.join(' '));
    assert.ok(!ended.stderr.includes(folder) || args.join(' ').includes(folder), ended.stderr);
  }
  assert.equal(existsSync(join(here, 'stolen')), false);
  assert.deepEqual(readdirSync(root).sort(), before);
  assert.deepEqual(readdirSync(folder).includes('new'), false);
  assert.equal(readFileSync(join(root, 'kept'), 'utf8'), 'kept');
});

test('an old client that is killed in the middle leaves nothing', { ...TIME, ...needs('scp') }, async (t) => {
  const args = ['-q', '-O', '-l', '1600', '-F', served.configFile, 'a file', `${served.host}:killed`];
  const client = startProgram('scp', args, { cwd: here });
  t.after(() => client.stop('SIGKILL'));
  const parts = () => readdirSync(root).filter((name) => /killed|xfer-part/.test(name));
  while (parts().length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.ok(!parts().includes('killed'));
  await client.stop('SIGKILL');
  while (parts().length > 0) await new Promise((resolve) => setTimeout(resolve, 2));
});
