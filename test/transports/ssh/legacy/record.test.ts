/** The lines of the old protocol, one by one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageLine, nameFault, parseRecord, thingLine, timesLine } from '#xfer/transports/ssh/legacy/record.js';
import { failsWith } from '../../../support/fails-with.js';

const parse = (text: string) => parseRecord(Buffer.from(text, 'latin1'));

test('what scp writes is read', () => {
  assert.deepEqual(parse('C0644 6 a b'), { kind: 'file', mode: 0o644, size: 6, name: 'a b' });
  assert.deepEqual(parse('D0755 0 t'), { kind: 'directory', mode: 0o755, size: 0, name: 't' });
  assert.deepEqual(parse('T1795715534 500000 1 2000'), { kind: 'times', mtimeMs: 1795715534500, atimeMs: 1002 });
  assert.deepEqual(parse('E'), { kind: 'end' });
  assert.deepEqual(parse('\x01scp: x: No such file'), { kind: 'warning', text: 'scp: x: No such file' });
  assert.deepEqual(parse('\x02gone'), { kind: 'fatal', text: 'gone' });
});

test('a name keeps its bytes', () => {
  const line = thingLine({ kind: 'file', mode: 0o100644, size: 3, name: 'caf\udce9 é' });
  assert.deepEqual(line, Buffer.from('C0644 3 caf\xe9 \xc3\xa9\n', 'latin1'));
  assert.deepEqual(parseRecord(line.subarray(0, -1)), { kind: 'file', mode: 0o644, size: 3, name: 'caf\udce9 é' });
});

const NOT_RECORDS = [
  '',
  'X',
  'C755 2 file',
  'C07777 2 file',
  'C0888 2 file',
  'C0644 -1 file',
  'C0644 1e3 file',
  'C0644 99999999999999999999 file',
  'C0644 9007199254740992 file',
  'C0644  file',
  'C0644 5',
  'D0755 0',
  'EE',
  'T1 0 1',
  'T-1 0 1 0',
  'T1 0000000 1 0',
  'Welcome to this host!',
  '\x00C0644 5 x',
];

for (const line of NOT_RECORDS) {
  test(`${JSON.stringify(line)} is none of the protocol's lines`, () => {
    assert.throws(() => parse(line), failsWith('PROTOCOL', /read the old scp protocol: .* came/));
  });
}

test('names that lead elsewhere have a fault, and cannot be sent', () => {
  for (const name of ['', '.', '..', 'a/b', '/', '../x', 'a\0b', 'x'.repeat(4097)]) {
    assert.notEqual(nameFault(name), undefined);
    assert.throws(() => thingLine({ kind: 'file', mode: 0, size: 0, name }), failsWith('UNSAFE_PATH'));
  }
  for (const name of ['a', '...', '.a', ' ', '-rf', 'a\\b']) assert.equal(nameFault(name), undefined);
  assert.throws(
    () => thingLine({ kind: 'file', mode: 0, size: 0, name: 'a\nC0644 1 b' }),
    failsWith('UNSAFE_PATH', /line feed/),
  );
});

test('a message is one line, whatever is in it', () => {
  assert.deepEqual(messageLine('no\nroom'), Buffer.from('\x01scp: no room\n'));
  assert.deepEqual(messageLine('end', true), Buffer.from('\x02scp: end\n'));
  assert.equal(messageLine('x'.repeat(9999)).length < 600, true);
});

test('times are whole seconds, and not before the epoch', () => {
  assert.equal(timesLine({ mtimeMs: 1999 })?.toString(), 'T1 0 1 0\n');
  assert.equal(timesLine({ mtimeMs: 1999, atimeMs: 3000 })?.toString(), 'T1 0 3 0\n');
  assert.equal(timesLine({ mtimeMs: -5000 })?.toString(), 'T0 0 0 0\n');
  assert.equal(timesLine({ atimeMs: 1 }), undefined);
});
