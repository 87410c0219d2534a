import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AccessRecord, formatAccess } from '#xfer/transports/http/listen/index.js';
import { exchange, serve, temporaryFolder, until } from '../rig.js';

const record: AccessRecord = {
  time: new Date('2026-01-02T03:04:05Z'),
  client: '::1',
  method: 'GET',
  target: '/a"b\\\x1b]0;evil\x07\u009b\u202e',
  httpVersion: '1.1',
  status: 200,
  bytes: 12,
  durationMs: 1,
  aborted: false,
};
const COMMON = '::1 - - [02/Jan/2026:03:04:05 +0000] "GET /a\\"b\\\\\\x1b]0;evil\\x07\\x9b\\u{202e} HTTP/1.1" 200 12';

test('a line of the log holds nothing that a terminal obeys', () => {
  assert.equal(formatAccess(record), COMMON);
  assert.match(formatAccess({ ...record, bytes: 0 }), / 200 -$/);
});

test('the combined form adds where from and with what, and both name who logged in', () => {
  assert.equal(formatAccess(record, 'combined'), `${COMMON} "-" "-"`);
  const told = { ...record, user: 'anna b\n', referer: 'http://x/"', userAgent: 'a\x1b[2J' };
  const line = COMMON.replace('- - [', '- anna\\x20b\\n [');
  assert.equal(formatAccess(told), line);
  assert.equal(formatAccess(told, 'combined'), `${line} "http://x/\\"" "a\\x1b[2J"`);
});

test('a record holds what the client said', { timeout: 10_000 }, async (t) => {
  const records: AccessRecord[] = [];
  const { port } = await serve(t, await temporaryFolder(t), { onRequest: (one) => records.push(one) });
  await exchange(port, 'GET /none?x HTTP/1.0\r\nReferer: http://a/\r\nUser-Agent: b "c"\r\n\r\n');
  await until(() => records.length === 1);
  const { httpVersion, referer, userAgent, target, client } = records[0] as AccessRecord;
  assert.deepEqual([httpVersion, referer, userAgent], ['1.0', 'http://a/', 'b "c"']);
  assert.deepEqual([target, client], ['/none?x', '127.0.0.1']);
});
