import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { formatAddresses, parseAddresses } from '#xfer/cli/tcp/sealed/addresses.js';
import { failsWith } from '../../../support/fails-with.js';

const texts = (list: string) => parseAddresses(list).map(({ host, port }) => `${host} ${port}`);

test('each host of a list has its own port, or that of the last one', () => {
  const cases: [string, string[]][] = [
    ['a:1', ['a 1']],
    ['a,b:2', ['a 2', 'b 2']],
    ['a:1,b:2', ['a 1', 'b 2']],
    ['192.0.2.2,[fd00::2]:38605', ['192.0.2.2 38605', 'fd00::2 38605']],
    ['[fd00::2],192.0.2.2:38605', ['fd00::2 38605', '192.0.2.2 38605']],
    ['[fd00::2]:7,[fd00::3],c:9', ['fd00::2 7', 'fd00::3 9', 'c 9']],
  ];
  for (const [list, expected] of cases) assert.deepEqual(texts(list), expected, list);
});

test('what is no list of addresses', () => {
  for (const list of [',a:1', 'a,,b:1', 'a,b', 'a,b:0x1', 'a,b:65536', 'a,[b:1', ':1', ',', 'a:1,']) {
    assert.throws(() => parseAddresses(list), failsWith('USAGE'), list);
  }
  assert.throws(() => parseAddresses(`${'a,'.repeat(16)}a:1`), failsWith('USAGE', /more than 16/));
});

test('what is printed is read again', () => {
  for (const bound of [
    { host: '127.0.0.1', port: 4000 },
    { host: '::1', port: 4000 },
    { host: '192.0.2.7', port: 1 },
  ]) {
    assert.deepEqual(parseAddresses(formatAddresses(bound)), [bound]);
  }
  assert.equal(formatAddresses({ host: '', port: 0, path: '/run/s' }), '/run/s');
  const all = parseAddresses(formatAddresses({ host: '::', port: 4000 }));
  assert.ok(all.length > 0 && all.every(({ host, port }) => port === 4000 && host !== '::' && host !== 'localhost'));
  if (all.length === 1 && !/[:.]/.test(all[0]?.host ?? '')) assert.equal(all[0]?.host, hostname());
});
