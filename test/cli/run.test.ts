import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadCommands } from '#xfer/cli/commands/index.js';
import { OPTIONS, optionsOf } from '#xfer/cli/options.js';
import { run } from '#xfer/cli/run.js';
import { Stopped } from '#xfer/cli/stopped.js';
import { ERROR_CODES } from '#xfer/errors.js';
import { testSurroundings } from '../support/surroundings.js';
import { until } from '../support/until.js';

const limit = { timeout: 20_000 };

async function runWords(...words: string[]) {
  const around = testSurroundings();
  const code = await run(words, around);
  return { code, out: around.stdout.text(), err: around.stderr.text() };
}

test('each help shows three lines first, and every option', limit, async () => {
  for (const command of await loadCommands()) {
    const { code, out } = await runWords(command.name, '--help');
    assert.equal(code, 0);
    assert.equal(command.examples.length, 3);
    assert.ok(out.startsWith(`  ${command.examples[0]?.[0]}\n`), command.name);
    for (const option of optionsOf(command.name))
      assert.ok(out.includes(`--${option.name}`), `${command.name} ${option.name}`);
    assert.ok(out.includes(`xfer ${command.name} `));
    assert.doesNotMatch(out, /\[(boolean|string|array|count|choices)/);
    assert.equal((await runWords('help', command.name)).out, out);
  }
  assert.ok(OPTIONS.length > 40);
});

test('the overview names every command and every exit code', limit, async () => {
  const { code, out } = await runWords('--help');
  assert.equal(code, 0);
  for (const { name } of await loadCommands()) assert.match(out, new RegExp(`xfer ${name} `));
  for (const { meaning } of Object.values(ERROR_CODES)) assert.ok(out.includes(meaning));
  const bare = await runWords();
  assert.deepEqual([bare.code, bare.out, bare.err], [2, '', out]);
});

test('scp says which operand was meant as an option, where no file has its name', limit, async () => {
  const late = await runWords('scp', '/dev/null', '-P', '/dev/null/x');
  assert.match(late.err, /^-P: taken for the name of a file, as scp does; .*: xfer scp -P .*\nxfer: /);
  const meant = await runWords('scp', '--', '-a', '-P', '/dev/null/x');
  assert.match(meant.err, /^xfer: /);
});

test('what is wrong is said with its exit code and a hint', limit, async () => {
  const cases: [string[], number, RegExp][] = [
    [['srve'], 2, /command srve: .*\n {2}hint: did you mean xfer serve\?/],
    [['--quite'], 2, /option --quite/],
    [['--quiet', 'cp', 'a', 'b'], 2, /after the command: xfer cp --quiet/],
    [['cp', '--retry', 'abc', 'a', 'b'], 2, /--retry abc: not a number\n {2}hint: as in --retry 5/],
    [['cp', '--retry', '-1', 'a', 'b'], 2, /--retry -1: not a number of at least 0\n/],
    [['cp', '--parallel', '1.5', 'a', 'b'], 2, /--parallel 1.5: not a whole number of at least 1\n {2}hint: as in/],
    [['cp', '--links', 'folow', 'a', 'b'], 2, /hint: as in --links follow/],
    [['cp', '-P', 'ssh', 'a', 'b:'], 2, /port ssh: .*\n {2}hint: as in 8080/],
    [['get', 'http://localhost:99999/a'], 2, /not a URL\n {2}hint: .*a port of at most 65535/],
    [['get', 'localhost:8000/a'], 2, /hint: xfer get http:\/\/localhost:8000\/a/],
    [['get', 'http://localhost/a', 'to'], 2, /get to: .*\n {2}hint: .*-o to/],
    [['put', 'a', 'localhost:8000/'], 2, /hint: write it as http:\/\/localhost:8000\//],
    [['send', '-l', '8080'], 2, /hint: xfer send -l 8080 file/],
    [
      ['send', '-s', '192.0.2.77', '127.0.0.1:9', '/dev/null'],
      5,
      /from 192.0.2.77: address not avail.*\n.*of this machine/,
    ],
    [['send', '--key-file', '/dev/null', '127.0.0.1:9', '/dev/null'], 2, /key \/dev\/null: not one of xfer/],
    [['scp', '--recusive', 'a', 'b'], 2, /did you mean --recursive\?/],
    [['scp', '-1', 'a', 'b:'], 2, /option -1/],
    [['recv', '-k', '8080', 'x'], 2, /would replace the one before\n {2}hint: xfer recv -k 8080/],
    [['get', 'example.org/a'], 2, /hint: xfer get http:\/\/example.org\/a/],
    [['put', 'a', 'example.org/a'], 2, /hint: the URL comes last: xfer put file http:\/\/host:8000\//],
    [['put', 'http://localhost/a', 'http://localhost/b'], 2, /hint: xfer cp takes other locations/],
    [['put', '-', 'http://localhost/'], 2, /no name of its own\n {2}hint: .*http:\/\/host:8000\/name/],
    [['put', '--chunk', '5x', 'a', 'http://localhost/'], 2, /option --chunk 5x/],
    [['put', '--chunk', '0', 'a', 'http://localhost/'], 2, /--chunk 0: not a size of at least 64 KiB/],
    [['put', '--chunk', '63K', 'a', 'http://localhost/'], 2, /--chunk 63K: not a size of at least 64 KiB/],
    [['cp', '--limit', '0', 'a', 'b'], 2, /option --limit 0: .*\n {2}hint: leave it out/],
    [['cp', '--parallel', '0', 'a', 'b'], 2, /--parallel 0/],
    [['cp', '--files-in-flight', '0', 'a', 'b'], 2, /--files-in-flight 0/],
    [['serve', '--limit-client', '0'], 2, /option --limit-client 0/],
    [['recv', '--size', '5Q', '0', 'x'], 2, /option --size 5Q: not a number of bytes\n {2}hint: as in 80000/],
    [['pipe', 'h', '80'], 2, /hint: name both in one word: h:80\n/],
    [['pipe', '-l', '::1', '80'], 2, /hint: name both in one word: \[::1\]:80\n/],
    [['recv', 'h', '80', 'f'], 2, /hint: name both in one word: h:80\n/],
    [['recv', '-l', 'h', '80'], 2, /hint: name both in one word: h:80\n/],
    [['recv', '80', 'f', 'g'], 2, /one operand too many\n {2}hint: xfer recv \[options\]/],
    [['send', '-l'], 2, /a port and a file are needed\n {2}hint: xfer send -l 8080 file\n/],
    [['pipe', '-l'], 2, /a port is needed\n {2}hint: xfer pipe -l 8080\n/],
    [['cp', '-n', '-u', 'a', 'b'], 2, /exclude each other/],
    [['cp', '/nonexistent/a\u001b[2J', '/nonexistent/b'], 3, /a\\x1b\[2J: no such file/],
    [['completion', 'csh'], 2, /csh/],
    [['cp', '/etc/passwd', '/etc/group', '-'], 2, /several files .* standard output\n {2}hint: xfer cp FILE - /],
    [['get', '-o', '-', 'http://localhost/a', 'http://localhost/b'], 2, /hint: xfer get -o - URL for each/],
    [['cp', '-', '-', '/dev'], 2, /standard input: .* only once\n {2}hint: name - once/],
    [['recv', '-k', '0', '--output-dir', '/dev/null'], 8, /null: not a directory\n {2}hint: .*--output-dir DIRECTORY/],
    [['recv', '-k', '0', '--output-dir', '/dev/null/'], 8, /null: not a directory\n {2}hint: /],
    [['recv', '0', '/nonexistent/file'], 3, /no such directory: \/nonexistent\n {2}hint: make the directory/],
    [['recv', '0', '/dev/null/file'], 3, /no such directory: \/dev\/null\n/],
    [['scp', 'a', 'anna@:b'], 2, /the host is empty\n {2}hint: .*host:path/],
    [['cp', 'http:///a', 'b'], 2, /http:\/\/\/a: not a URL\n/],
    [[''], 2, /the command is empty/],
  ];
  for (const [words, exit, message] of cases) {
    const { code, out, err } = await runWords(...words);
    assert.equal(code, exit, words.join(' '));
    assert.match(err, message);
    assert.match(err, /^xfer: /);
    assert.equal(out, '');
  }
});

test('an operand that is empty is refused in each command, whatever is around it', limit, async () => {
  for (const words of [
    ['cp', 'a', ''],
    ['scp', '-r', '', 'a', 'b'],
    ['get', ''],
    ['put', '', 'http://localhost/'],
    ['serve', '', '0'],
    ['send', '', 'a'],
    ['send', '-l', ''],
    ['send', '--find', ''],
    ['send', '-U', '', 'a'],
    ['recv', ''],
    ['recv', '0', ''],
    ['pipe', '-l', ''],
    ['completion', ''],
  ]) {
    const { code, err } = await runWords(...words);
    assert.equal(code, 2, words.join(' '));
    assert.match(err, /^xfer: \w+: (the operand|operand \d of \d) is empty\n {2}hint: is a variable not set\? xfer /);
  }
});

test('where nothing of several arrives, each of them is said', limit, async () => {
  for (const command of ['cp', 'scp']) {
    const { code, err } = await runWords(command, '/nonexistent/a', '/nonexistent/b', '/dev');
    assert.equal(code, 3);
    assert.match(err, /^xfer: .*\/a: no such file.*\nxfer: .*\/b: no such file.*\nxfer: .*nothing arrived, 2 failed\n/);
  }
  const { out } = await runWords('cp', '--json', '/nonexistent/a', '/nonexistent/b', '/dev');
  const types = out
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { type: string }).type);
  assert.deepEqual(types, ['fail', 'fail', 'error']);
});

test('with --json the error is one line of JSON, away from a file on standard output', limit, async () => {
  const said = await runWords('cp', '--json', '/nonexistent/a', '/nonexistent/b');
  const record = JSON.parse(said.out.trimEnd().split('\n').at(-1) as string);
  assert.deepEqual([record.type, record.code, record.exit], ['error', 'NOT_FOUND', 3]);
  assert.equal(said.err, '');
  const piped = await runWords('cp', '--json', '/nonexistent/a', '-');
  assert.equal(piped.out, '');
  assert.match(piped.err, /"NOT_FOUND"/);
});

test('a copy, what of several failed, and a stop', limit, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'xfer-cli-'));
  try {
    const around = testSurroundings({ env: { XDG_STATE_HOME: folder, LOCALAPPDATA: folder } });
    await writeFile(join(folder, 'a'), 'text');
    assert.equal(await run(['cp', join(folder, 'a'), join(folder, 'b')], around), 0);
    assert.equal(await readFile(join(folder, 'b'), 'utf8'), 'text');
    assert.match(around.stderr.text(), /^1 file, 4 B in /);

    const some = testSurroundings({ env: around.env });
    assert.equal(await run(['scp', join(folder, 'a'), join(folder, 'missing'), folder], some), 9);
    assert.match(some.stderr.text(), /missing: no such file/);

    const stopped = testSurroundings({ env: around.env });
    stopped.stop.abort(new Stopped('stopped by SIGINT', 130));
    assert.equal(await run(['cp', join(folder, 'a'), join(folder, 'c')], stopped), 130);
    assert.equal(stopped.stderr.text(), 'xfer: stopped by SIGINT\n');
    await assert.rejects(readFile(join(folder, 'c')));
    assert.equal(await run(['cp', '--json', join(folder, 'a'), join(folder, 'c')], stopped), 130);
    assert.deepEqual(JSON.parse(stopped.stdout.text()), { type: 'stopped', message: 'stopped by SIGINT', exit: 130 });

    await writeFile(join(folder, 'large'), Buffer.alloc(20 << 20));
    const half = testSurroundings({ env: around.env });
    const copying = run(['cp', '--json', '--limit', '9M', join(folder, 'large'), join(folder, 'd')], half);
    await until(() => half.stdout.text().includes('"progress"'));
    half.stop.abort(new Stopped('stopped by SIGINT', 130));
    assert.equal(await copying, 130);
    const { hint } = JSON.parse(half.stdout.text().trimEnd().split('\n').at(-1) as string);
    assert.match(hint, /same command again/);
    const rest = testSurroundings({ env: around.env });
    assert.equal(await run(['cp', join(folder, 'large'), join(folder, 'd')], rest), 0);
    assert.match(rest.stderr.text(), /were there already/);

    const dry = testSurroundings({ env: around.env });
    assert.equal(await run(['cp', '--dry-run', join(folder, 'a'), join(folder, 'c')], dry), 0);
    assert.match(dry.stderr.text(), /^would copy .*\n1 would be copied\n$/);
    await assert.rejects(readFile(join(folder, 'c')));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
