import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Accounts, oneTimePassword, parseAccount, parseAccounts } from '#xfer/accounts.js';
import { failsWith } from './support/fails-with.js';

test('an account is a name, a colon and a password that may hold colons', () => {
  assert.deepEqual(parseAccount('anna:a:b c'), { user: 'anna', password: 'a:b c' });
  for (const text of ['', 'anna', 'anna:', ':secret', ':']) {
    assert.throws(() => parseAccount(text), failsWith('USAGE', /^(?!.*secret)/), text);
  }
  assert.deepEqual(parseAccounts('# who\n\nanna:x\r\nbert:y z\n'), [
    { user: 'anna', password: 'x' },
    { user: 'bert', password: 'y z' },
  ]);
  assert.throws(() => parseAccounts('anna:x\nbert\n'), failsWith('USAGE'));
});

test('only a name with its own password gets in', () => {
  const accounts = new Accounts([parseAccount('anna:one'), parseAccount('bert:two'), parseAccount('anna:three')]);
  const cases: [string, string, boolean][] = [
    ['anna', 'one', true],
    ['anna', 'three', true],
    ['bert', 'two', true],
    ['anna', 'two', false],
    ['bert', 'one', false],
    ['', '', false],
    ['anna', 'One', false],
    ['anna', 'one\0', false],
  ];
  for (const [user, password, right] of cases)
    assert.equal(accounts.check(user, password), right, `${user} ${password}`);
  assert.equal(new Accounts([]).check('', ''), false);
});

test('a password made for one run has 130 bits that are easy to type', () => {
  const made = new Set(Array.from({ length: 200 }, oneTimePassword));
  assert.equal(made.size, 200);
  for (const password of made) assert.match(password, /^[0-9a-hjkmnp-tv-z]{26}$/);
  const letters = new Set([...made].join(''));
  assert.equal(letters.size, 32);
});
