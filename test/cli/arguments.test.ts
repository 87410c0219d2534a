import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spellOut } from '#xfer/cli/arguments.js';
import { loadCommand } from '#xfer/cli/commands/index.js';
import { scpLimit } from '#xfer/cli/commands/scp.js';
import { type CommandName, OPTIONS, optionsOf } from '#xfer/cli/options.js';
import { parseArguments } from '#xfer/cli/parse.js';
import { sshOptions } from '#xfer/cli/ssh-options.js';
import { XferError } from '#xfer/errors.js';

function scp(...words: string[]) {
  return spellOut(words, { command: 'scp', options: optionsOf('scp'), operandEndsOptions: true });
}

async function parse(name: CommandName, ...words: string[]) {
  return parseArguments(await loadCommand(name), words);
}

function refusal(code: string, message: RegExp, hint?: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof XferError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    if (hint) assert.match(error.hint ?? '', hint);
    return true;
  };
}

test('letters are taken apart as getopt does', () => {
  const cases: [string[], string[]][] = [
    [['-rp'], ['--recursive', '--preserve']],
    [['-P2222'], ['--port=2222']],
    [['-P', '2222'], ['--port=2222']],
    [['-rP2222'], ['--recursive', '--port=2222']],
    [['-oKey=value'], ['--option=Key=value']],
    [['-o', 'Key=value'], ['--option=Key=value']],
    [
      ['-oPort=22', '-oUser=a'],
      ['--option=Port=22', '--option=User=a'],
    ],
    [
      ['-i', 'a', '-ib'],
      ['--identity=a', '--identity=b'],
    ],
    [
      ['-vv', '-v'],
      ['--verbose', '--verbose', '--verbose'],
    ],
    [['-F-'], ['--config=-']],
    [['-i', '-r'], ['--identity=-r']],
    [['--port=22'], ['--port=22']],
    [['--port', '22'], ['--port=22']],
  ];
  for (const [words, expected] of cases) assert.deepEqual(scp(...words).options, expected, words.join(' '));
});

test("scp's first operand ends the options, and -- does everywhere", () => {
  assert.deepEqual(scp('-r', 'a', '-p', 'host:'), { options: ['--recursive'], operands: ['a', '-p', 'host:'] });
  assert.deepEqual(scp('--', '-r', 'host:').operands, ['-r', 'host:']);
  const cp = spellOut(['a', '-p', 'b', '--', '-n'], { command: 'cp', options: optionsOf('cp') });
  assert.deepEqual(cp, { options: ['--preserve'], operands: ['a', 'b', '-n'] });
});

test('operands stay text, and - is one', async () => {
  const parsed = await parse('cp', '007', '-', '1e3');
  assert.deepEqual(parsed.operands, ['007', '-', '1e3']);
});

test('a wrong option is refused, and names the nearest right one', async () => {
  assert.throws(() => scp('--recusive', 'a', 'b'), refusal('USAGE', /--recusive/, /--recursive/));
  assert.throws(() => scp('-z', 'a', 'b'), refusal('USAGE', /option -z/, /scp --help/));
  assert.throws(() => scp('-P'), refusal('USAGE', /-P: a value is missing/));
  assert.throws(() => scp('--recursive=yes'), refusal('USAGE', /takes no value/));
  await assert.rejects(parse('cp', '--links', 'hard', 'a', 'b'), refusal('USAGE', /links/));
  await assert.rejects(parse('cp', 'a'), refusal('USAGE', /a source and a target/));
  await assert.rejects(parse('send', 'h:1', 'a', 'b'), refusal('USAGE', /send b: one operand too many/));
});

test('an option that scp has and xfer does not is known, and refused', async () => {
  for (const words of [['-A'], ['-J', 'hop'], ['-O'], ['-R'], ['-S', 'ssh'], ['-D', 'sftp'], ['-X', 'a=b']]) {
    await assert.rejects(parse('scp', ...words, 'a', 'h:'), refusal('UNSUPPORTED', /option -[AJORSDX]: /));
  }
  for (const word of ['-3', '-s', '-T']) assert.ok(await parse('scp', word, 'a', 'h:'));
});

test("scp's options reach the SSH transport", async () => {
  const parsed = await parse('scp', '-4BCvv', '-P22', '-ik', '-Fc', '-cx', '-oA=b', '-o', 'C=d', 'a', 'h:');
  assert.deepEqual(sshOptions(parsed), {
    options: ['A=b', 'C=d', 'Ciphers=x', 'BatchMode=yes', 'AddressFamily=inet'],
    identityFiles: ['k'],
    compression: true,
    verbose: true,
    configFile: 'c',
    port: 22,
  });
  const wrong = await parse('scp', '-P99999', 'a', 'h:');
  assert.throws(() => sshOptions(wrong), refusal('USAGE', /port 99999/));
});

test("scp's limit is in kbit of 1024 bits", async () => {
  assert.deepEqual(scpLimit(await parse('scp', '-l', '800', 'a', 'h:')), { limitBytesPerSecond: 102_400 });
  const zero = await parse('scp', '-l0', 'a', 'h:');
  assert.throws(() => scpLimit(zero), refusal('USAGE', /--limit/));
  const word = await parse('scp', '-lfast', 'a', 'h:');
  assert.throws(() => scpLimit(word), refusal('USAGE', /--limit fast: not a number/));
});

test('no command has two options of one name or one letter', () => {
  for (const name of new Set(OPTIONS.flatMap((option) => option.commands))) {
    const words = optionsOf(name).flatMap((option) => [option.name, ...(option.alias ? [option.alias] : [])]);
    assert.equal(new Set(words).size, words.length, name);
  }
});
