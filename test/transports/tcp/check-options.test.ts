/** What a program may tell a connection without a type that keeps it out. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { TcpOptions } from '#xfer/transports/tcp/options.js';
import { failsWith } from '../../support/fails-with.js';
import { assertNoSockets, at, HOST, openSink, openSource } from './rig.js';

afterEach(assertNoSockets);

const REFUSED: readonly [TcpOptions, RegExp][] = [
  ...[0, -1, Number.NaN].flatMap((ms): [TcpOptions, RegExp][] => [
    [{ connectTimeoutMs: ms }, /option connectTimeoutMs .*: not a time above 0 ms/],
    [{ idleTimeoutMs: ms }, /option idleTimeoutMs /],
    [{ finishIdleMs: ms }, /option finishIdleMs /],
  ]),
  [{ finTimeoutMs: Number.NaN }, /option finTimeoutMs NaN/],
  [{ family: 5 as 4 }, /the option family is 5, and may be one of 4, 6$/],
  [{ allow: '::1' as unknown as string[] }, /the option allow is a text, and may be a list of texts$/],
  [{ localAddress: 'abc' }, /source address abc: not an IP address/],
  [{ localPort: 99_999 }, /port 99999: not a number/],
  [{ expectedBytes: Number.NaN }, /option expectedBytes NaN: not a number of bytes/],
  [{ expectedSha256: 'AB' }, /option expectedSha256 AB: not 64 hex digits in lower case/],
];

test('an option that cannot be followed is USAGE, before there is a connection', { timeout: 5000 }, async () => {
  for (const [options, text] of REFUSED) {
    await assert.rejects(openSource(at(9), options), failsWith('USAGE', text));
    await assert.rejects(openSink({ ...at(0), host: HOST, listen: true }, options), failsWith('USAGE', text));
  }
});

test('a time that no timer can be given is the longest that one can', { timeout: 5000 }, async () => {
  const options = { connectTimeoutMs: 1e12, idleTimeoutMs: Number.POSITIVE_INFINITY };
  await assert.rejects(openSource(at(1), options), failsWith('UNREACHABLE', /refused/));
});
