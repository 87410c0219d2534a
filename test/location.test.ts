import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import { describeLocation, type Location, parseLocation, parseScpLocation } from '#xfer/location.js';

function isUsage(error: unknown): boolean {
  assert.ok(error instanceof XferError, String(error));
  assert.equal(error.code, 'USAGE');
  assert.doesNotMatch(error.message, /\p{Cc}/u);
  return true;
}

const file = (path: string): Location => ({ scheme: 'file', path });
const sftp = (host: string, path: string, more: Partial<Location> = {}): Location => ({
  scheme: 'sftp',
  host,
  path,
  ...more,
});

const POSIX: [string, Location][] = [
  ['-', { scheme: 'stdio', path: '-' }],
  ['a', file('a')],
  ['./a:b', file('./a:b')],
  ['/a:b', file('/a:b')],
  ['dir/a:b', file('dir/a:b')],
  [':a', file(':a')],
  ['~/a', file('~/a')],
  ['a b', file('a b')],
  ['--', file('--')],
  ['host:', sftp('host', '.')],
  ['host:a', sftp('host', 'a')],
  ['host:/a/b', sftp('host', '/a/b')],
  ['host:a:b', sftp('host', 'a:b')],
  ['host:~/x', sftp('host', '~/x')],
  ['host:a b\n', sftp('host', 'a b\n')],
  ['user@host:', sftp('host', '.', { user: 'user' })],
  ['user@host:x', sftp('host', 'x', { user: 'user' })],
  ['a@b@host:x', sftp('host', 'x', { user: 'a@b' })],
  ['DOMAIN\\me@host:x', sftp('host', 'x', { user: 'DOMAIN\\me' })],
  ['[::1]:x', sftp('::1', 'x')],
  ['@host:x', sftp('host', 'x')],
  ['host:a@b:c', sftp('host', 'a@b:c')],
  ['host:a@[b]:c', sftp('host', 'a@[b]:c')],
  ['[1]', file('[1]')],
  ['[a:b', file('[a:b')],
  ['[1]x:y', file('[1]x:y')],
  ['a/[::1]:x', file('a/[::1]:x')],
  ['[::1]', file('[::1]')],
  ['@', file('@')],
  ['me@[fe80::1%eth0]:/x', sftp('fe80::1%eth0', '/x', { user: 'me' })],
  ['[host]:x', sftp('host', 'x')],
  ['C:\\x', sftp('C', '\\x')],
  ['sftp://h', sftp('h', '.')],
  ['sftp://h/', sftp('h', '.')],
  ['sftp://h/a/b', sftp('h', 'a/b')],
  ['sftp://h//abs', sftp('h', '/abs')],
  ['sftp://h/a%20b%23c', sftp('h', 'a b#c')],
  ['sftp://me@h:2222/a', sftp('h', 'a', { user: 'me', port: 2222 })],
  ['sftp://me%40x@h/a', sftp('h', 'a', { user: 'me@x' })],
  ['sftp://me;fingerprint=ssh-ed25519-x@h/a', sftp('h', 'a', { user: 'me' })],
  ['sftp://[::1]:22/a', sftp('::1', 'a', { port: 22 })],
  ['scp://h/a', sftp('h', 'a')],
  ['SSH://h/a', sftp('h', 'a')],
  ['tcp://h:9', { scheme: 'tcp', host: 'h', port: 9, path: '' }],
  ['tcp://[::1]:9', { scheme: 'tcp', host: '::1', port: 9, path: '' }],
  ['tcp://:9', { scheme: 'tcp', host: '', port: 9, path: '' }],
  ['memory://name/a/b', { scheme: 'memory', host: 'name', path: '/a/b' }],
  ['file:///a%20b', file('/a b')],
  ['http://h/a?b=c', { scheme: 'http', host: 'h', path: '/a?b=c', url: 'http://h/a?b=c' }],
  ['https://h:8443/a', { scheme: 'https', host: 'h', port: 8443, path: '/a', url: 'https://h:8443/a' }],
  ['http://[::1]:8080/', { scheme: 'http', host: '::1', port: 8080, path: '/', url: 'http://[::1]:8080/' }],
];

test('what is typed on a POSIX system', () => {
  for (const [text, expected] of POSIX) assert.deepEqual(parseLocation(text, 'linux'), expected, text);
});

const WINDOWS: [string, Location][] = [
  ['C:\\x', file('C:\\x')],
  ['c:/x', file('c:/x')],
  ['C:x', file('C:x')],
  ['\\\\server\\share\\x', file('\\\\server\\share\\x')],
  ['\\\\?\\C:\\x', file('\\\\?\\C:\\x')],
  ['host:x', sftp('host', 'x')],
  ['me@host:C:\\x', sftp('host', 'C:\\x', { user: 'me' })],
  ['x', file('x')],
];

test('what is typed on Windows', () => {
  for (const [text, expected] of WINDOWS) assert.deepEqual(parseLocation(text, 'win32'), expected, text);
});

test('a path alone is no scp location', () => {
  for (const text of ['a', './a:b', '/a:b', ':a', '']) assert.equal(parseScpLocation(text, 'linux'), undefined, text);
});

const REFUSED: string[] = [
  '',
  'a\0b',
  'host:a\0b',
  '-oProxyCommand=x:y',
  'me@-oProxyCommand=x:y',
  '-l@host:x',
  'a;b:x',
  'a b:x',
  'x[1]:y',
  '[]:x',
  'me@:x',
  '$(id):x',
  '`id`:x',
  'ho\nst:x',
  'me|x@host:p',
  "me'@host:p",
  'me\\@host:p',
  'sftp://',
  'sftp:///path',
  'sftp://-oProxyCommand=x/y',
  'sftp://h:0/x',
  'sftp://h:65536/x',
  'sftp://h:22x/x',
  'sftp://h:-1/x',
  'sftp://me:secret@h/x',
  'sftp://h/%zz',
  'sftp://h/%ff',
  'sftp://%ff@h/x',
  'sftp://h/a%00b',
  'sftp://me%0a@h/x',
  'tcp://h:99999',
  'tcp://a:b:c',
  'http://',
  'http://h:99999/',
  'https://a b/',
  'file:///a%zz',
  'file:///a%00b',
];

test('what is no location is USAGE, and names what was typed', () => {
  for (const text of REFUSED) assert.throws(() => parseLocation(text, 'linux'), isUsage, JSON.stringify(text));
});

test('file: takes only this machine, in the form of the platform', () => {
  assert.deepEqual(parseLocation('file://localhost/a', 'linux'), file('/a'));
  assert.deepEqual(parseLocation('file:///C:/a', 'win32'), file('C:/a'));
  assert.throws(() => parseLocation('file://elsewhere/a', 'linux'), isUsage);
});

test('no message repeats a password', () => {
  const typed = [
    'sftp://me:hunter2@h/x',
    'tcp://me:hunter2@h:1',
    'http://me:hunter2@:99999/',
    'sftp://me:hunter2@h/%zz',
  ];
  for (const text of [...typed, 'ftp2://me:hunt/er2@h/', 'sftp://me:hun@ter2@h/x']) {
    const said = (() => {
      try {
        return describeLocation(parseLocation(text, 'linux'));
      } catch (error) {
        return `${(error as XferError).message} ${(error as XferError).hint}`;
      }
    })();
    assert.doesNotMatch(said, /hunter2|ter2|er2@/, text);
  }
});

const DESCRIBED: [Location, string][] = [
  [{ scheme: 'stdio', path: '-' }, 'standard input or output'],
  [file('a\nb'), 'a\\nb'],
  [sftp('h', 'a'), 'h:a'],
  [sftp('::1', '/a', { user: 'me' }), 'me@[::1]:/a'],
  [sftp('h', '/a', { port: 2222 }), 'sftp://h:2222//a'],
  [{ scheme: 'tcp', host: '::1', port: 9, path: '' }, 'tcp://[::1]:9'],
];

test('a location is described so that it could be typed', () => {
  for (const [location, text] of DESCRIBED) assert.equal(describeLocation(location), text);
});

test('a description holds no password, token, query or fragment', () => {
  const said = describeLocation(parseLocation('https://me:hunter2@h/a?token=hunter3&x=y#hunter4', 'linux'));
  assert.equal(said, 'https://h/a');
});

test('what is described parses to the same place', () => {
  for (const text of ['h:a', 'me@h:/a', 'me@[::1]:a', 'sftp://h:2222/a', 'sftp://h:2222//a', 'tcp://h:9', './a:b']) {
    const location = parseLocation(text, 'linux');
    assert.deepEqual(parseLocation(describeLocation(location), 'linux'), location, text);
  }
});
