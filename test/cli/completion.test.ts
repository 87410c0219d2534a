import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { loadCommands } from '#xfer/cli/commands/index.js';
import { completionScript, SHELLS } from '#xfer/cli/completion-script.js';
import { COMMAND_NAMES, OPTIONS, optionsOf } from '#xfer/cli/options.js';
import { needs } from '../support/peers.js';
import { xferEnvironment } from '../support/run-xfer.js';

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

/** Runs a script in its shell, without the files of the person. */
function runShell(shell: string, words: readonly string[]): string[] {
  const { stdout, stderr, status } = spawnSync(shell, words, { encoding: 'utf8', env: xferEnvironment() });
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  return stdout.split('\n').filter((word) => word !== '');
}

const NAMES = [...COMMAND_NAMES];

test('bash completes commands, options and their values', { timeout: 20_000, ...needs('bash') }, async () => {
  const script = completionScript('bash', await loadCommands());
  const ask = (words: string, index: number): string[] => {
    const line = `${script}\nCOMP_WORDS=(${words}); COMP_CWORD=${index}; _xfer; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return runShell('bash', ['--norc', '-c', line]);
  };
  assert.deepEqual(ask('xfer s', 1), ['scp', 'serve', 'send']);
  assert.deepEqual(ask('xfer he', 1), ['help']);
  assert.deepEqual(ask('xfer scp --pre', 2), ['--preserve']);
  assert.deepEqual(ask("xfer serve --log ''", 3), LOG);
  assert.deepEqual(ask('xfer serve --log =', 3), LOG);
  assert.deepEqual(ask('xfer serve --log = j', 4), ['json']);
  assert.deepEqual(ask('xfer scp -r --links k', 4), ['keep']);
  assert.deepEqual(ask('xfer scp --links keep --pre', 4), ['--preserve']);
  assert.deepEqual(ask('xfer scp --links keep fi', 4), []);
  assert.deepEqual(ask("xfer completion ''", 2).slice(-3), ['bash', 'zsh', 'fish']);
  assert.deepEqual(ask("xfer help ''", 2), NAMES);
  assert.deepEqual(ask('xfer help se', 2), ['serve', 'send']);
  assert.deepEqual(ask('xfer help serve --', 3), []);
  assert.deepEqual(ask('xfer scp -- --pre', 3), []);
  assert.deepEqual(ask('xfer scp -p -- a -', 5), []);
});

test('bash offers files where one can be meant, and only there', { timeout: 20_000, ...needs('bash') }, async () => {
  const script = completionScript('bash', await loadCommands());
  const offersFiles = (words: string, index: number): boolean => {
    const line = `compopt() { echo "$@"; }\n${script}\nCOMP_WORDS=(${words}); COMP_CWORD=${index}; _xfer`;
    return !runShell('bash', ['--norc', '-c', line]).includes('+o default');
  };
  for (const [words, index] of [
    ["xfer scp ''", 2],
    ["xfer scp -i ''", 3],
    ['xfer get --output = f', 4],
    ['xfer recv 8080 f', 3],
    ['xfer scp -- f', 3],
    ['xfer scp ./a : f', 4],
  ] as const) {
    assert.ok(offersFiles(words, index), words);
  }
  for (const [words, index] of [
    ["xfer scp -P ''", 3],
    ['xfer scp --port = 2', 4],
    ['xfer scp host : f', 4],
    ['xfer scp host :', 3],
    ['xfer get http : //localhost : 8000/', 6],
    ["xfer completion ''", 2],
    ["xfer help ''", 2],
  ] as const) {
    assert.ok(!offersFiles(words, index), words);
  }
});

test('zsh completes commands, and tells what options there are', { timeout: 20_000, ...needs('zsh') }, async () => {
  const script = completionScript('zsh', await loadCommands());
  const ask = (...words: string[]): string[] => {
    const stubs = 'compdef() {}; _describe() { print -rl -- $commands }; _arguments() { print -rl -- "$@" }';
    const line = `${stubs}; compadd() { print -rl -- "$@" }\n${script}\nwords=("$@"); CURRENT=$#words; _xfer; true`;
    return runShell('zsh', ['-f', '-c', line, 'zsh', ...words]);
  };
  const named = (lines: string[]) => lines.map((line) => line.split(':', 1)[0]);
  assert.deepEqual(named(ask('xfer', '')), [...NAMES, 'help']);
  assert.deepEqual(ask('xfer', '-'), ['--', '--help', '--version']);
  assert.deepEqual(named(ask('xfer', 'help', '')), NAMES);
  assert.deepEqual(ask('xfer', 'help', 'scp', ''), []);
  const scp = ask('xfer', 'scp', '');
  assert.deepEqual(scp.slice(0, 2), ['-s', '-S'], 'options end at --');
  const starting = (text: string) => scp.filter((line) => line.startsWith(text)).length;
  for (const text of ['--port=[', '-P+[', '--recursive[', '-r[', '*--exclude=[']) assert.equal(starting(text), 1, text);
  assert.match(scp.find((line) => line.startsWith('--port=')) ?? '', /:port: $/);
  assert.match(scp.find((line) => line.startsWith('*-i+')) ?? '', /:file:_files$/);
});

test('fish completes commands, options and their values', { timeout: 20_000, ...needs('fish') }, async () => {
  const script = completionScript('fish', await loadCommands());
  const ask = (line: string): (string | undefined)[] =>
    runShell('fish', ['--no-config', '-c', `${script}\ncomplete -C "${line}"`]).map((word) => word.split('\t', 1)[0]);
  assert.deepEqual(ask('xfer s'), ['scp', 'send', 'serve']);
  assert.deepEqual(ask('xfer help '), NAMES.toSorted());
  assert.deepEqual(ask('xfer --ver'), ['--version']);
  assert.deepEqual(ask('xfer scp --links k'), ['keep']);
  assert.deepEqual(ask('xfer scp -- --pre'), []);
  assert.deepEqual(ask('xfer scp -P '), []);
});
