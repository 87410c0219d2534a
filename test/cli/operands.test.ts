import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCommand } from '#xfer/cli/commands/index.js';
import { parseScpOperand } from '#xfer/cli/commands/scp.js';
import { parseServeOperands } from '#xfer/cli/commands/serve.js';
import { parseArguments } from '#xfer/cli/parse.js';
import { parseListenAddress, parseTarget } from '#xfer/cli/tcp-options.js';

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

test('an address to listen on may be a port alone, an address to reach may not', () => {
  const listening = { scheme: 'tcp', path: '', listen: true };
  assert.deepEqual(parseListenAddress('8080'), { ...listening, port: 8080 });
  assert.deepEqual(parseListenAddress(':8080'), { ...listening, port: 8080 });
  assert.deepEqual(parseListenAddress('*:0'), { ...listening, port: 0 });
  assert.deepEqual(parseListenAddress('[::1]:8080'), { ...listening, host: '::1', port: 8080 });
  assert.deepEqual(parseListenAddress('127.0.0.1:0'), { ...listening, host: '127.0.0.1', port: 0 });
  assert.deepEqual(parseTarget('h:80'), { scheme: 'tcp', host: 'h', port: 80, path: '' });
  for (const text of ['', 'h', '::1:80', 'h:', 'h:70000']) assert.throws(() => parseListenAddress(text), usage, text);
  for (const text of ['80', ':80', 'h:0', 'h']) assert.throws(() => parseTarget(text), usage, text);
});
