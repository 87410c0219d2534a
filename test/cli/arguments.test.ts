import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spellOut } from '#xfer/cli/arguments.js';
import { loadCommand } from '#xfer/cli/commands/index.js';
import { copyOptions } from '#xfer/cli/copy-options.js';
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

test('an empty value is refused, as a variable that was not set would let everybody in', async () => {
  const cases: [CommandName, string[]][] = [
    ['serve', ['--auth', '']],
    ['serve', ['--allow=']],
    ['serve', ['--bind', '']],
    ['serve', ['--allow', '127.0.0.1', '--allow', '']],
    ['recv', ['-l', '--allow', '', '9000', 'f']],
    ['send', ['--source=', 'host:9', 'f']],
    ['get', ['--pin=', 'https://host/f']],
    ['scp', ['-S', '', 'a', 'host:']],
    ['scp', ['-D', '', 'a', 'host:']],
  ];
  for (const [name, words] of cases) {
    await assert.rejects(
      parse(name, ...words),
      refusal('USAGE', /^option --[a-z-]+: its value is empty$/, /leave it out/),
    );
  }
  assert.equal((await parse('serve', '--base-path', '')).text('base-path'), '');
  assert.equal((await parse('send', 'host:9', '--text', '')).text('text'), '');
  assert.deepEqual((await parse('scp', '-i', '', '-o', '', 'a', 'host:')).operands, ['a', 'host:']);
  assert.ok((await parse('serve', '--allow', '', '--help')).flag('help'));
});

test('a time is some milliseconds at least, and no longer than a timer can be', async () => {
  for (const value of ['0', '0.0001', '99999999999']) {
    const parsed = await parse('send', '--connect-timeout', value, 'host:9', 'f');
    assert.throws(() => parsed.milliseconds('connect-timeout'), refusal('USAGE', /: not a time from/, /timeout 30/));
  }
  assert.equal((await parse('send', '--connect-timeout', '1.5', 'host:9')).milliseconds('connect-timeout'), 1500);
});

test("scp's first operand ends the options, and -- does everywhere", () => {
  assert.deepEqual(scp('-r', 'a', '-p', 'host:'), { options: ['--recursive'], operands: ['a', '-p', 'host:'] });
  assert.deepEqual(scp('--', '-r', 'host:').operands, ['-r', 'host:']);
  const cp = spellOut(['a', '-p', 'b', '--', '-n'], { command: 'cp', options: optionsOf('cp') });
  assert.deepEqual(cp, { options: ['--preserve'], operands: ['a', 'b', '-n'] });
});

test('another name of an option is that option, and some take the place of the first operand', async () => {
  assert.equal((await parse('recv', '--keep', '8080')).flag('keep-open'), true);
  assert.deepEqual((await parse('recv', '--announce')).operands, []);
  assert.deepEqual((await parse('send', '--find', 'a')).operands, ['a']);
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
  await assert.rejects(parse('recv', '1', 'a', 'b'), refusal('USAGE', /recv b: one operand too many/));
  await assert.rejects(parse('send'), refusal('USAGE', /host:port and a file/));
});

test('every letter of scp 9.2 is known, with a value where it takes one there', async () => {
  for (const letter of '2346ABCOpqRrsTv') assert.ok(await parse('scp', `-${letter}`, 'a', 'h:'), letter);
  for (const letter of 'cDFiJloPSX') {
    await assert.rejects(parse('scp', `-${letter}`), refusal('USAGE', /a value is missing/), letter);
    assert.equal(scp(`-${letter}1`, 'a', 'h:').operands.length, 2, letter);
    assert.equal(scp(`-${letter}`, '1', 'a', 'h:').operands.length, 2, letter);
  }
  await assert.rejects(parse('scp', '-1', 'a', 'h:'), refusal('UNSUPPORTED', /-1: version 1 of SSH is no longer/));
  for (const letter of 'abdEfgHt')
    await assert.rejects(parse('scp', `-${letter}`), refusal('USAGE', /option -/), letter);
});

const NOTHING = { options: [], identityFiles: [], verbose: false, preserve: false };

test("scp's options reach the SSH transport", async () => {
  const parsed = await parse('scp', '-4BCvv', '-P22', '-ik', '-Fc', '-cx', '-Jj', '-oA=b', '-o', 'C=d', 'a', 'h:');
  assert.deepEqual(sshOptions(parsed), {
    options: ['Ciphers=x', 'BatchMode=yes', 'AddressFamily=inet', 'ProxyJump=j', 'A=b', 'C=d', 'LogLevel=DEBUG2'],
    identityFiles: ['k'],
    compression: true,
    verbose: true,
    preserve: false,
    configFile: 'c',
    port: 22,
  });
  const rest = await parse('scp', '-AqpTOSssh', '-D', '/sftp server', '--parallel', '3', 'a', 'h:');
  assert.deepEqual(sshOptions(rest), {
    ...NOTHING,
    options: ['LogLevel=QUIET'],
    preserve: true,
    strictNames: false,
    forwardAgent: true,
    program: 'ssh',
    sftpServer: '/sftp server',
    protocol: 'scp',
    parallel: 3,
  });
  assert.deepEqual(sshOptions(await parse('scp', 'a', 'h:')), NOTHING);
});

test('of options that exclude each other the last one counts', async () => {
  const cases: [string[], object][] = [
    [['-O', '-s'], { protocol: 'sftp' }],
    [['-sO'], { protocol: 'scp' }],
    [['-O', '-q', '-s', '-O'], { protocol: 'scp', options: ['LogLevel=QUIET'] }],
    [['-46'], { options: ['AddressFamily=inet6'] }],
    [['-6', '-4'], { options: ['AddressFamily=inet'] }],
    [['-P1', '-P2', '-Fa', '-Fb', '-cx', '-cy'], { port: 2, configFile: 'b', options: ['Ciphers=y'] }],
    [['-Xbuffer=1', '-Xbuffer=2', '-Xnrequests=9'], { requestBytes: 2, requests: 9 }],
  ];
  for (const [words, expected] of cases) {
    const options = sshOptions(await parse('scp', ...words, 'a', 'h:'));
    assert.deepEqual(options, { ...NOTHING, ...expected }, words.join(' '));
  }
});

test('of an option that has choices the last one counts', async () => {
  assert.equal((await parse('cp', '--links', 'keep', '--links', 'follow', 'a', 'b')).text('links'), 'follow');
  assert.equal((await parse('serve', '--log=json', '--log=off')).text('log'), 'off');
  await assert.rejects(
    parse('cp', '--links=keep', '--links=hard', 'a', 'b'),
    refusal('USAGE', /--links: hard is none of follow, keep, skip/),
  );
});

test('a value that scp refuses is refused', async () => {
  for (const [word, message] of [
    ['-P99999', /port 99999/],
    ['-P0', /port 0/],
    ['-Xfoo', /-X foo: not nrequests=n or buffer=size/],
    ['-Xnrequests=0', /a number from 1 to 262144/],
    ['-Xnrequests=262145', /a number from 1 to 262144/],
    ['-Xnrequests=5x', /a number from/],
    ['-Xbuffer=0', /a size from 1 to 256K/],
    ['-Xbuffer=0.1', /a size/],
    ['-Xbuffer=256.1K', /a size/],
    ['-Xbuffer=1KB', /a size/],
    ['-Xbuffer=1e3', /a size/],
    ['-Xbuffer=', /a size/],
    ['-Ja,b', undefined],
  ] as const) {
    const parsed = await parse('scp', word, 'a', 'h:');
    if (message) assert.throws(() => sshOptions(parsed), refusal('USAGE', message), word);
    else assert.ok(sshOptions(parsed));
  }
  const twice = await parse('scp', '-Ja', '-Jb', 'x', 'h:');
  assert.throws(() => sshOptions(twice), refusal('USAGE', /-J: it was given twice/, /-J a,b$/));
});

test('sizes of -X may have a sign, a fraction and a unit', async () => {
  for (const [text, bytes] of [
    ['+5', 5],
    [' 5', 5],
    ['5.', 5],
    ['5.5K', 5632],
    ['.5k', 512],
    ['7b', 7],
    ['256K', 262_144],
  ] as const) {
    assert.equal(sshOptions(await parse('scp', '-X', `buffer=${text}`, 'a', 'h:')).requestBytes, bytes, text);
  }
});

test("scp's limit is in kbit of 1024 bits, --limit in bytes", async () => {
  const limitOf = async (...words: string[]) =>
    copyOptions(await parse('scp', ...words, 'a', 'h:')).limitBytesPerSecond;
  assert.equal(await limitOf('-l', '800'), 102_400);
  assert.equal(await limitOf('--limit', '10M'), 10 * 2 ** 20);
  assert.equal(await limitOf(), undefined);
  await assert.rejects(limitOf('-l0'), refusal('USAGE', /--limit-kbit 0: not a whole number from 1 to 104857600/));
  await assert.rejects(limitOf('-l104857601'), refusal('USAGE', /--limit-kbit/));
  await assert.rejects(limitOf('-lfast'), refusal('USAGE', /--limit-kbit fast: not a number/));
  await assert.rejects(limitOf('-l8', '--limit=1M'), refusal('USAGE', /exclude each other/));
});

test('what scp has not reaches the engine', async () => {
  const words = [
    '--retry=0',
    '--parallel=2',
    '--files-in-flight=9',
    '--no-clobber',
    '--exclude=a',
    '--exclude=b',
    '--include=c',
    '--verify',
  ];
  assert.deepEqual(copyOptions(await parse('scp', ...words, 'a', 'h:')), {
    preserve: false,
    dryRun: false,
    exclude: ['a', 'b'],
    include: ['c'],
    overwrite: 'never',
    lanes: 2,
    filesInFlight: 9,
    retry: { attempts: 1 },
    verify: 'sha256',
  });
  const both = await parse('cp', '-nu', 'a', 'b');
  assert.throws(() => copyOptions(both), refusal('USAGE', /--no-clobber and --update exclude each other/));
});

test('no command has two options of one name or one letter', () => {
  for (const name of new Set(OPTIONS.flatMap((option) => option.commands))) {
    const words = optionsOf(name).flatMap((option) => [option.name, ...(option.alias ? [option.alias] : [])]);
    assert.equal(new Set(words).size, words.length, name);
  }
});
