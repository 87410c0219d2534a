import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { loadCommands } from '#xfer/cli/commands/index.js';
import { completionScript, SHELLS } from '#xfer/cli/completion-script.js';
import { COMMAND_NAMES, OPTIONS, optionsOf } from '#xfer/cli/options.js';
import { needs } from '../support/peers.js';

for (const shell of SHELLS) {
  test(`${shell}: every command and every option that is not refused`, async () => {
    const script = completionScript(shell, await loadCommands());
    for (const name of COMMAND_NAMES) assert.match(script, new RegExp(`\\b${name}\\b`));
    for (const { name, refused } of OPTIONS) {
      if (refused !== undefined) continue;
      const spelled = shell === 'fish' ? `-l ${name}` : `--${name}`;
      assert.ok(script.includes(spelled), `${shell} lacks ${spelled}`);
    }
  });
}

const LOG = OPTIONS.find(({ name }) => name === 'log')?.choices;

test('fish takes the second word for the command, and no operand of its name', async () => {
  const script = completionScript('fish', await loadCommands());
  assert.doesNotMatch(script, /__fish_seen_subcommand_from/);
  assert.match(script, /^complete -c xfer -n '__xfer_command scp' -l links /m);
});

test('completion takes no option that would change nothing', () => {
  assert.deepEqual(
    optionsOf('completion').map(({ name }) => name),
    ['help', 'version'],
  );
});

test('bash completes a command and an option', { timeout: 20_000, ...needs('bash') }, async () => {
  const script = completionScript('bash', await loadCommands());
  const ask = (words: string, index: number): string[] => {
    const line = `${script}\nCOMP_WORDS=(${words}); COMP_CWORD=${index}; _xfer; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', line], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return stdout.split('\n').filter((word) => word !== '');
  };
  assert.deepEqual(ask('xfer s', 1), ['scp', 'serve', 'send']);
  assert.deepEqual(ask('xfer scp --pre', 2), ['--preserve']);
  assert.deepEqual(ask("xfer serve --log ''", 3), LOG);
  assert.deepEqual(ask('xfer serve --log =', 3), LOG);
  assert.deepEqual(ask('xfer serve --log = j', 4), ['json']);
  assert.deepEqual(ask('xfer scp -r --links k', 4), ['keep']);
  assert.deepEqual(ask('xfer scp --links keep --pre', 4), ['--preserve']);
  assert.deepEqual(ask('xfer scp --links keep fi', 4), []);
  assert.deepEqual(ask("xfer completion ''", 2).slice(-3), ['bash', 'zsh', 'fish']);
});
