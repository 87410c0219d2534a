import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCommand } from '#xfer/cli/commands/index.js';
import { parseScpOperand } from '#xfer/cli/commands/scp.js';
import { parseServeOperands } from '#xfer/cli/commands/serve.js';
import { parseArguments } from '#xfer/cli/parse.js';
import { parseEnd } from '#xfer/cli/tcp/ends.js';

const usage = { code: 'USAGE' };

test('scp reads host:path, and a path where a / comes before the colon', () => {
  const cases: [string, object][] = [
    ['host:a/b', { scheme: 'sftp', host: 'host', path: 'a/b' }],
    ['anna@host:', { scheme: 'sftp', host: 'host', user: 'anna', path: '.' }],
    ['./host:a', { scheme: 'file', path: './host:a' }],
    ['plain', { scheme: 'file', path: 'plain' }],
    ['-', { scheme: 'file', path: '-' }],
    ['scp://host:2200/a', { scheme: 'sftp', host: 'host', port: 2200, path: 'a' }],
  ];
  for (const [text, location] of cases) assert.deepEqual(parseScpOperand(text, 'linux'), location, text);
  assert.deepEqual(parseScpOperand('C:\\a', 'win32'), { scheme: 'file', path: 'C:\\a' });
  for (const text of ['', 'http://host/a', '-oProxyCommand=x:a']) {
    assert.throws(() => parseScpOperand(text, 'linux'), usage, text);
  }
});

test('serve takes its paths, and a port at either end of them', async () => {
  const serve = await loadCommand('serve');
  const cases: [string[], string[], number][] = [
    [[], ['.'], 8000],
    [['8080'], ['.'], 8080],
    [['photos'], ['photos'], 8000],
    [['photos', '8080'], ['photos'], 8080],
    [['8080', 'photos'], ['photos'], 8080],
    [['a.iso', 'photos', '8080'], ['a.iso', 'photos'], 8080],
    [['8080', 'a.iso', 'photos'], ['a.iso', 'photos'], 8080],
    [['a', 'b'], ['a', 'b'], 8000],
    [['-'], ['-'], 8000],
    [['-p', '0'], ['.'], 0],
    [['-p', '0', './2024'], ['./2024'], 0],
    [['2024', '8080'], ['2024'], 8080],
    [['--', '-dir', '0'], ['-dir'], 0],
    [['--sftp'], ['.'], 2222],
    [['--sftp', 'photos', '2200'], ['photos'], 2200],
  ];
  for (const [words, paths, port] of cases) {
    const portTyped = words.some((word) => /^\d+$/.test(word) && !paths.includes(word));
    const expected = { paths, port, portTyped };
    assert.deepEqual(parseServeOperands(parseArguments(serve, words)), expected, words.join(' '));
  }
  for (const words of [['99999'], ['-p', '1', '2']]) {
    assert.throws(() => parseServeOperands(parseArguments(serve, words)), usage, words.join(' '));
  }
});

test('host:port connects, -l waits, and so does a port alone where it says enough', async () => {
  const [send, recv] = await Promise.all([loadCommand('send'), loadCommand('recv')]);
  const end = (words: string[]) => parseEnd(words.at(-1) as string, parseArguments(send, words));
  const receiving = (words: string[]) => parseEnd(words.at(-1) as string, parseArguments(recv, words), true);
  const listening = { scheme: 'tcp', path: '', listen: true };
  const far = { scheme: 'tcp', host: 'h', port: 80, path: '' };
  for (const parse of [end, receiving]) {
    assert.deepEqual(parse(['-l', '8080']), { ...listening, port: 8080 });
    assert.deepEqual(parse(['-l', ':8080']), { ...listening, port: 8080 });
    assert.deepEqual(parse(['-l', '*:0']), { ...listening, port: 0 });
    assert.deepEqual(parse(['-l', '[::1]:8080']), { ...listening, host: '::1', port: 8080 });
    assert.deepEqual(parse(['-l', '127.0.0.1:0']), { ...listening, host: '127.0.0.1', port: 0 });
    assert.deepEqual(parse(['h:80']), far);
    assert.deepEqual(parse(['--retry', '3', 'h:80']), far);
    assert.deepEqual(parse(['./s']), { scheme: 'tcp', path: './s', listen: false });
    assert.deepEqual(parse(['-lU', 's']), { scheme: 'tcp', path: 's', listen: true });
    assert.deepEqual(parse(['\\\\.\\pipe\\s']), { scheme: 'tcp', path: '\\\\.\\pipe\\s', listen: false });
    for (const text of ['', 'h', '::1:80', 'h:', 'h:70000']) assert.throws(() => parse(['-l', text]), usage, text);
    for (const text of ['h:0', 'h', '']) assert.throws(() => parse([text]), usage, text);
  }
  for (const text of ['tcp://h:80', 'tcp://h:80/']) assert.deepEqual(end([text]), far);
  const hints: [string[], RegExp][] = [
    [['127.0.0.1,[::1]:80'], /add --sealed/],
    [['h', '80', 'file'], /in one word: h:80$/],
    [['::1', '80', 'file'], /in one word: \[::1\]:80$/],
    [['::1:80', 'file'], /in brackets/],
    [['h', 'file'], /name a port too: h:8080$/],
    [['file', 'h:80'], /the address comes first: h:80 file$/],
  ];
  for (const [words, hint] of hints) {
    assert.throws(() => parseEnd(words[0] as string, parseArguments(send, words)), { ...usage, hint }, words.join(' '));
  }
  const received = (words: string[]) => parseEnd(words[0] as string, parseArguments(recv, words), true);
  assert.throws(() => received(['file', '80']), {
    ...usage,
    hint: /in one word: file:80; or the port first: 80 file$/,
  });
  assert.throws(() => received(['file']), { ...usage, hint: /name a port too: file:8080, or a port alone/ });
  assert.deepEqual(receiving(['8080']), { ...listening, port: 8080 });
  assert.deepEqual(receiving(['--allow', '::1', ':0']), { ...listening, port: 0 });
  for (const text of ['80', ':80']) assert.throws(() => end([text]), { ...usage, hint: /host:80, or add -l/ }, text);
});

test('an option that says nothing at this end of a connection is refused, with a hint', async () => {
  const recv = await loadCommand('recv');
  const cases: [string[], RegExp][] = [
    [['-l', '-s', '::1', 'h:80'], /--source: only where xfer connects/],
    [['-p', '81', '8080'], /--source-port: only where xfer connects/],
    [['--retry', '1', '8080'], /--retry: only where xfer connects/],
    [['-k', 'h:80'], /--keep-open: only where xfer listens/],
    [['--allow', '::1', 'h:80'], /--allow: only where xfer listens/],
    [['-4', '-6', '8080'], /-4 and -6 exclude/],
    [['-4', '/tmp/s'], /--ipv4: not with a unix socket/],
    [['-l', '--allow', '::1', '/tmp/s'], /--allow: not with a unix socket/],
  ];
  for (const [words, message] of cases) {
    const parsed = parseArguments(recv, words);
    assert.throws(() => parseEnd(words.at(-1) as string, parsed, true), { ...usage, message }, words.join(' '));
  }
});
