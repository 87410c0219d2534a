/** `xfer scp -R`: the first host's own scp copies to the second. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findProgram, needs } from '../support/peers.js';
import { runXfer } from '../support/run-xfer.js';
import { startSshd } from '../support/sshd.js';
import { differences } from '../support/trees.js';

const options = { ...needs('sshd', 'ssh-keygen', 'scp'), timeout: 60_000 };

/** A host whose scp logs in to where a test's configuration leads; `config` is made once the server is there. */
async function prepare(t: TestContext, scpArguments: (configFile: string) => string) {
  const bin = mkdtempSync(join(tmpdir(), 'xfer-direct-'));
  const sshd = await startSshd({ lines: [`SetEnv SHLVL=1 PATH=${bin}:/usr/bin:/bin`] });
  t.after(async () => {
    await sshd.stop();
    rmSync(bin, { recursive: true, force: true });
  });
  const shim = `#!/bin/sh\nexec '${findProgram('scp')}' ${scpArguments(sshd.configFile)} "$@"\n`;
  writeFileSync(join(bin, 'scp'), shim, { mode: 0o755 });
  const far = sshd.directory;
  mkdirSync(join(far, 'd', 'sub'), { recursive: true });
  for (const name of ['f', 'g', 'a b', '$(touch pwned)', '-rf', 'd/h', 'd/sub/k']) writeFileSync(join(far, name), name);
  const scp = (...args: string[]) =>
    runXfer(['scp', '-F', sshd.configFile, ...args.map((word) => word.replace('FAR', far))], { cwd: bin });
  return { far, bin, scp };
}

test('files, trees, patterns and odd names', options, async (t) => {
  const { far, scp } = await prepare(t, (configFile) => `-F ${configFile}`);
  const cases: [string[], string, string][] = [
    [['h:FAR/f', 'h:FAR/new'], 'f', 'new'],
    [['-r', 'h:FAR/d', 'h:FAR/tree'], 'd', 'tree'],
    [['h:FAR/a b', 'h:FAR/with a space'], 'a b', 'with a space'],
    [['h:FAR/$(touch pwned)', 'h:FAR/`id`'], '$(touch pwned)', '`id`'],
  ];
  for (const [words, from, to] of cases) {
    const { exitCode, stderr } = await scp('-R', ...words);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(differences(join(far, from), join(far, to)), []);
  }
  mkdirSync(join(far, 'in'));
  const several = await scp('-R', 'h:FAR/[fg]', 'h:FAR/-rf', 'h:FAR/in');
  assert.equal(several.exitCode, 0, several.stderr);
  assert.deepEqual(readdirSync(join(far, 'in')).sort(), ['-rf', 'f', 'g']);
  assert.equal(readdirSync(far).includes('pwned'), false);
});

test('what fails is told, with how to go on', options, async (t) => {
  const { far, scp } = await prepare(t, (configFile) => `-F ${configFile} -oPubkeyAuthentication=no`);
  const denied = await scp('-R', 'h:FAR/f', 'h:FAR/new');
  assert.equal(denied.exitCode, 5, denied.stderr);
  assert.match(denied.stderr, /Permission denied/);
  assert.match(denied.stderr, /h cannot log in to h, where it cannot be asked\n {2}hint: let it in by a key/);
  assert.equal(readdirSync(far).includes('new'), false);
});

test('a far scp that fails, or is missing', options, async (t) => {
  const { far, bin, scp } = await prepare(t, (configFile) => `-F ${configFile}`);
  mkdirSync(join(far, 'in'));
  const some = await scp('-R', 'h:FAR/none', 'h:FAR/g', 'h:FAR/in');
  assert.equal(some.exitCode, 9, some.stderr);
  assert.match(some.stderr, /none/);
  assert.deepEqual(readdirSync(join(far, 'in')), ['g']);
  writeFileSync(join(bin, 'scp'), '#!/bin/sh\nexit 127\n', { mode: 0o755 });
  const missing = await scp('-R', 'h:FAR/f', 'h:FAR/new');
  assert.equal(missing.exitCode, 2, missing.stderr);
  assert.match(missing.stderr, /h has no scp/);
});

test('what a far scp cannot do is refused, and -3 after -R counts', options, async (t) => {
  const { far, scp } = await prepare(t, () => '-Z');
  for (const words of [
    ['-R', '--exclude', 'x', 'h:FAR/f', 'h:FAR/new'],
    ['-R', '--dry-run', 'h:FAR/f', 'h:FAR/new'],
    ['-R', 'here', 'h:FAR/f', 'h:FAR/in'],
    ['-R', 'h:FAR/f', 'scp://h:2222/new'],
  ]) {
    const { exitCode, stderr } = await scp(...words);
    assert.equal(exitCode, 2, `${words.join(' ')}: ${stderr}`);
  }
  const here = await scp('-R3', 'h:FAR/f', 'h:FAR/new');
  assert.equal(here.exitCode, 0, here.stderr);
  assert.deepEqual(differences(join(far, 'f'), join(far, 'new')), []);
});
