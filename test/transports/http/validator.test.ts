import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryAfterMs } from '#xfer/transports/http/client/status.js';
import { contentRange, describeAnswer, httpDate, reprDigest, sameFile } from '#xfer/transports/http/validator.js';

const url = new URL('http://host/f');
const OLD = 'Wed, 21 Oct 2015 07:28:00 GMT';
const NOW = 'Wed, 21 Oct 2015 07:29:00 GMT';
const SOON = 'Wed, 21 Oct 2015 07:28:59 GMT';

test('only a strong ETag, or a date a minute older than the answer, is a version', () => {
  const version = (headers: Record<string, string>, size: number | undefined = 5) =>
    describeAnswer(headers, url, size).version;
  assert.ok(version({ etag: '"a"' })?.includes('"a"'));
  assert.equal(version({ etag: 'W/"a"' }), undefined);
  assert.equal(version({ etag: 'a' }), undefined);
  assert.equal(version({ etag: `"${'a'.repeat(2000)}"` }), undefined);
  assert.ok(version({ 'last-modified': OLD, date: NOW })?.includes(OLD));
  assert.equal(version({ 'last-modified': OLD, date: SOON }), undefined);
  assert.equal(version({ 'last-modified': OLD }), undefined);
  assert.equal(describeAnswer({ 'last-modified': OLD, date: NOW }, url, undefined).version, undefined);
  assert.equal(version({ etag: '"a"', 'content-encoding': 'gzip' }), undefined);
});

test('the same ETag at another URL or of another size is another version', () => {
  const one = describeAnswer({ etag: '"a"' }, url, 5).version;
  assert.equal(describeAnswer({ etag: '"a"' }, new URL('http://host/f'), 5).version, one);
  assert.notEqual(describeAnswer({ etag: '"a"' }, new URL('http://host/g'), 5).version, one);
  assert.notEqual(describeAnswer({ etag: '"a"' }, url, 6).version, one);
});

test('two answers are the same file by the strongest validator of the first', () => {
  const answer = (headers: Record<string, string>, size = 5) => describeAnswer(headers, url, size);
  assert.ok(sameFile(answer({ etag: '"a"', 'last-modified': OLD }), answer({ etag: '"a"', 'last-modified': NOW })));
  assert.ok(!sameFile(answer({ etag: '"a"' }), answer({ etag: '"b"' })));
  assert.ok(!sameFile(answer({ etag: '"a"' }), answer({})));
  assert.ok(!sameFile(answer({ etag: '"a"' }), answer({ etag: '"a"' }, 6)));
  assert.ok(!sameFile(answer({ 'last-modified': OLD, date: NOW }), answer({ 'last-modified': NOW })));
  assert.ok(!sameFile(answer({ etag: 'W/"a"' }), answer({ etag: 'W/"b"' })));
  assert.ok(sameFile(answer({ etag: 'W/"a"' }), answer({ etag: '"a"' })));
  assert.ok(!sameFile(answer({ etag: 'W/"a"' }), answer({ etag: '"b"' })));
  assert.ok(!sameFile(answer({ etag: '"a"' }), answer({ etag: 'W/"a"' })));
  assert.ok(sameFile(answer({}), answer({ etag: '"a"' })));
});

test('Content-Range is read only where it is well formed', () => {
  assert.deepEqual(contentRange('bytes 2-4/10'), { start: 2, end: 5, size: 10 });
  assert.deepEqual(contentRange('bytes 0-0/*'), { start: 0, end: 1 });
  for (const field of [
    '',
    'bytes */10',
    'bytes 4-2/10',
    'bytes 2-10/10',
    'bytes 2-4',
    'lines 2-4/10',
    'bytes 2-4/10, x',
  ]) {
    assert.equal(contentRange(field), undefined, field);
  }
  assert.equal(contentRange(`bytes 0-${'9'.repeat(400)}/*`), undefined);
});

test('Repr-Digest is read by algorithm and length', () => {
  const hex = 'ab'.repeat(32);
  const field = `sha-256=:${Buffer.from(hex, 'hex').toString('base64')}:`;
  assert.equal(reprDigest(`md5=:AAAA:, ${field}`, 'sha256'), hex);
  assert.equal(reprDigest(field, 'sha512'), undefined);
  assert.equal(reprDigest('sha-256=:AAAA:', 'sha256'), undefined);
  assert.equal(reprDigest('sha-256=abc', 'sha256'), undefined);
  assert.equal(reprDigest(undefined, 'sha256'), undefined);
});

test('dates and Retry-After are bounded', () => {
  assert.equal(httpDate(OLD), Date.UTC(2015, 9, 21, 7, 28));
  assert.equal(httpDate('Wed Oct 21 07:28:00 2015'), Date.UTC(2015, 9, 21, 7, 28));
  assert.equal(httpDate('2015'), undefined);
  assert.equal(httpDate('x'.repeat(8000)), undefined);
  assert.equal(retryAfterMs('3'), 3000);
  assert.equal(retryAfterMs('999999999'), 600_000);
  assert.equal(retryAfterMs(SOON, Date.UTC(2015, 9, 21, 7, 28)), 59_000);
  assert.equal(retryAfterMs(OLD, Date.UTC(2016, 1, 1)), 0);
  assert.equal(retryAfterMs('soon'), undefined);
});
