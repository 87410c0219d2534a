import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import {
  ERROR_CODES,
  type ErrorCode,
  SIGNAL_EXITS,
  systemCode,
  throwIfAborted,
  toXferError,
  XferError,
} from '#xfer/errors.js';

/** The promise to scripts: an exit code never changes its meaning. */
const EXITS: Record<number, ErrorCode[]> = {
  1: ['INTERNAL'],
  2: ['USAGE', 'UNSUPPORTED'],
  3: ['NOT_FOUND'],
  4: ['DENIED'],
  5: ['UNREACHABLE', 'DISCONNECTED', 'TIMED_OUT', 'TRUNCATED'],
  6: ['PROTOCOL', 'RANGE_IGNORED'],
  7: ['CORRUPT', 'SOURCE_CHANGED'],
  8: ['EXISTS', 'NO_SPACE', 'UNSAFE_PATH'],
  9: ['PARTIAL'],
};

const ALL = Object.keys(ERROR_CODES) as ErrorCode[];

test('every code has the exit code that was promised', () => {
  for (const [exit, codes] of Object.entries(EXITS)) {
    for (const code of codes) assert.equal(new XferError(code, 'x').exitCode, Number(exit), code);
  }
  assert.deepEqual([...ALL].sort(), Object.values(EXITS).flat().sort());
});

test('exactly the codes of exit 5 may be tried again', () => {
  for (const code of ALL) {
    const error = new XferError(code, 'x');
    assert.equal(error.retryable, error.exitCode === 5, code);
  }
});

test('signals exit as shells expect it', () => {
  assert.deepEqual(SIGNAL_EXITS, { SIGHUP: 128 + 1, SIGINT: 128 + 2, SIGQUIT: 128 + 3, SIGTERM: 128 + 15 });
});

test('every code says what it means, once', () => {
  const meanings = ALL.map((code) => ERROR_CODES[code].meaning);
  assert.equal(new Set(meanings).size, meanings.length);
  for (const meaning of meanings) assert.match(meaning, /^[a-z].*[a-z]$/);
});

test('an error is an Error with a name, a code and a stack', () => {
  const error = new XferError('NOT_FOUND', 'read a: no such file');
  assert.ok(error instanceof Error);
  assert.equal(error.name, 'XferError');
  assert.equal(String(error), 'XferError: read a: no such file');
  assert.match(error.stack ?? '', /errors\.test/);
  assert.match(inspect(error), /NOT_FOUND/);
  assert.equal(Object.hasOwn(error, 'cause'), false);
  assert.equal(error.hint, undefined);
});

test('cause, hint and the wanted wait are kept', () => {
  const cause = new Error('inner');
  const error = new XferError('DENIED', 'x', { cause, hint: 'try y', retryAfterMs: 1500 });
  assert.equal(error.cause, cause);
  assert.equal(error.hint, 'try y');
  assert.equal(error.retryAfterMs, 1500);
});

test('message and hint never hold a control character', () => {
  const nasty = 'a\u001b[31mb\nc\u202ed\udcff\u0000\u009b';
  const error = new XferError('PROTOCOL', nasty, { hint: nasty });
  for (const text of [error.message, error.hint ?? '']) {
    assert.equal(text, 'a\\x1b[31mb\\nc\\u{202e}d\\xff\\x00\\x9b');
  }
  assert.doesNotMatch(String(error.stack?.split('\n')[0]), /\p{Cc}/u);
});

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: something, open '/secret/place'`), { code });
}

const SYSTEM: Record<string, ErrorCode> = {
  ENOENT: 'NOT_FOUND',
  ENOTDIR: 'NOT_FOUND',
  EACCES: 'DENIED',
  EPERM: 'DENIED',
  EROFS: 'DENIED',
  EEXIST: 'EXISTS',
  EISDIR: 'EXISTS',
  ENOTEMPTY: 'EXISTS',
  EADDRINUSE: 'EXISTS',
  ENOSPC: 'NO_SPACE',
  EDQUOT: 'NO_SPACE',
  EFBIG: 'NO_SPACE',
  ENAMETOOLONG: 'UNSAFE_PATH',
  ELOOP: 'UNSAFE_PATH',
  ENOTFOUND: 'UNREACHABLE',
  ECONNREFUSED: 'UNREACHABLE',
  EHOSTUNREACH: 'UNREACHABLE',
  ENETUNREACH: 'UNREACHABLE',
  ETIMEDOUT: 'TIMED_OUT',
  ECONNRESET: 'DISCONNECTED',
  EPIPE: 'DISCONNECTED',
  ERR_STREAM_PREMATURE_CLOSE: 'DISCONNECTED',
};

test('the words of the operating system are translated', () => {
  for (const [code, expected] of Object.entries(SYSTEM)) {
    const cause = systemError(code);
    const error = toXferError(cause, 'read photo.jpg');
    assert.equal(error.code, expected, code);
    assert.match(error.message, /^read photo\.jpg: [a-z]/, code);
    assert.doesNotMatch(error.message, /secret/);
    assert.equal(error.cause, cause);
  }
});

test('an XferError stays itself', () => {
  const error = new XferError('CORRUPT', 'x');
  assert.equal(toXferError(error, 'anything'), error);
});

test('several failures of one connection count as their last', () => {
  const both = new AggregateError([systemError('ENETUNREACH'), systemError('ECONNREFUSED')], '');
  assert.equal(toXferError(both, 'connect to h').code, 'UNREACHABLE');
  assert.match(toXferError(both, 'connect to h').message, /connection refused/);
  assert.equal(toXferError(new AggregateError([], 'none'), 'connect to h').code, 'INTERNAL');
});

test('an XferError among several failures is kept', () => {
  const inner = new XferError('DENIED', 'log in: no');
  assert.equal(toXferError(new AggregateError([systemError('ECONNREFUSED'), inner]), 'connect to h').code, 'DENIED');
});

test('whatever is thrown becomes an error, and the unknown is a bug', () => {
  for (const thrown of [new TypeError('oops'), 'oops', { code: 'constructor', message: 'oops' }, null, undefined, 7]) {
    const error = toXferError(thrown, 'do it');
    assert.equal(error.code, 'INTERNAL', String(thrown));
    assert.match(error.message, /^do it: /);
  }
  assert.equal(toXferError(new TypeError('oops'), 'do it').message, 'do it: oops');
});

test('a hint may come with a translation', () => {
  assert.equal(
    toXferError(systemError('EACCES'), 'bind', { hint: 'take a port over 1024' }).hint,
    'take a port over 1024',
  );
});

test('only a text is a system code', () => {
  assert.equal(systemCode(systemError('EIO')), 'EIO');
  for (const thrown of [null, undefined, 'EIO', {}, { code: 5 }]) assert.equal(systemCode(thrown), undefined);
});

test('an aborted signal throws its own reason', () => {
  const controller = new AbortController();
  throwIfAborted(controller.signal);
  const reason = new Error('enough');
  controller.abort(reason);
  assert.throws(
    () => throwIfAborted(controller.signal),
    (error) => error === reason,
  );
});
