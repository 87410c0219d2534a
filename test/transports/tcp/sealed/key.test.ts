import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import { formatKey, newKey, parseKey, pskIdentity, pskOf } from '#xfer/transports/tcp/sealed/key.js';
import { failsWith } from '../../../support/fails-with.js';

test('a key is 128 random bits, and its text is read back in any hand', () => {
  const key = newKey();
  assert.equal(key.length, 16);
  assert.notDeepEqual(key, newKey());
  const text = formatKey(key);
  assert.match(text, /^([0-9a-z]{4}-){6}[0-9a-z]{4}$/);
  const bare = text.replaceAll('-', '');
  const hands = [
    text,
    text.toUpperCase(),
    bare,
    ` ${text}\n`,
    bare.replace(/(.{7})/g, '$1 '),
    bare.replaceAll('0', 'O').replaceAll('1', 'l'),
  ];
  for (const hand of hands) assert.deepEqual(parseKey(hand), key, hand);
  for (const edge of [Buffer.alloc(16), Buffer.alloc(16, 0xff)]) assert.deepEqual(parseKey(formatKey(edge)), edge);
});

test('a mistyped character and two that changed places are noticed, and never printed', () => {
  const text = formatKey(Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'));
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '-') continue;
    const wrong = `${text.slice(0, at)}${text[at] === 'z' ? 'y' : 'z'}${text.slice(at + 1)}`;
    assert.throws(
      () => parseKey(wrong),
      (error: unknown) => {
        assert.ok(error instanceof XferError && error.code === 'USAGE');
        assert.ok(!error.message.includes(wrong.slice(0, 8)) && !(error.hint ?? '').includes(wrong.slice(0, 8)));
        return true;
      },
    );
  }
  for (const wrong of ['', 'u', text.slice(1), `${text}0`, text.replace('g', 'u'), 'é'.repeat(28)]) {
    assert.throws(() => parseKey(wrong), failsWith('USAGE'));
  }
});

test('each way has a key and a name of its own, which tell nothing of the key', () => {
  const key = newKey();
  assert.notDeepEqual(pskOf(key, 'sender'), pskOf(key, 'receiver'));
  assert.notDeepEqual(pskOf(key, 'sender'), pskOf(newKey(), 'sender'));
  assert.equal(pskOf(key, 'sender').length, 32);
  assert.notEqual(pskIdentity('sender'), pskIdentity('receiver'));
});
