import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Accounts, parseAccount, parseAccounts, randomSecret } from '#xfer/listening/accounts.js';
import { hashPassword } from '#xfer/listening/password.js';
import { failsWith } from '../support/fails-with.js';

/** By Python: hashlib.scrypt(b'pleaseletmein', salt=b'SodiumChloride', n=1024, r=8, p=1, dklen=32). */
const SCRYPT = '$scrypt$ln=10,r=8,p=1$U29kaXVtQ2hsb3JpZGU$VBc2h9Jl5DImvZFLAVJn4v3UEIqgWTf7VJ7OsMJ2ooU';

/** By libxcrypt, of `päss`. */
const BCRYPT = [
  '$2y$05$abcdefghijklmnopqrstuuQNr.NUko7cjRuTOhPz.WP0eA4f4.Xuq',
  '$2b$10$abcdefghijklmnopqrstuuM/47t0uEEgRLoaKcxWTlO9rLAjteVoa',
  '$2a$04$abcdefghijklmnopqrstuuF7KK/SfP9IRGj0pPJMr8GdtCS8xpmpC',
] as const;
const SLOW_BCRYPT = '$2y$12$abcdefghijklmnopqrstuuQp9FjVl2OCfOEAjbngsr4maZU20rfTG';

const sha = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest('hex');

test('an account is a name, a colon and a password that may hold colons', () => {
  assert.deepEqual(parseAccount('anna:a:b c'), { user: 'anna', password: 'a:b c' });
  for (const text of ['', 'anna', 'anna:', ':secret', ':']) {
    assert.throws(() => parseAccount(text), failsWith('USAGE', /^(?!.*secret)/), text);
  }
  assert.deepEqual(parseAccounts('# who\n\nanna:x\r\nbert:y z\n', 'f'), [
    { user: 'anna', password: 'x' },
    { user: 'bert', password: 'y z' },
  ]);
  const line = failsWith('USAGE', /^accounts f: line 3: account: not of the form user:password/);
  assert.throws(() => parseAccounts('anna:x\n\nbert\n', 'f'), line);
});

test('a hash that cannot be checked is refused, and never taken for a password', () => {
  const hashes = [
    'sha256:abc',
    `sha256:${'g'.repeat(64)}`,
    `sha512:${sha('sha256', 'x')}`,
    '$apr1$x$y',
    '$6$salt$hash',
    `$2x$${BCRYPT[0].slice(4)}`,
    BCRYPT[0].slice(0, -1),
    BCRYPT[0].replace('$05$', '$15$'),
    BCRYPT[0].replace('$05$', '$03$'),
    '$y$j9T$x$y',
    '$argon2id$v=19$m=1,t=1,p=1$a$b',
    '{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=',
    '$scrypt$ln=10,r=8,p=1$short$hash',
    SCRYPT.replace('ln=10', 'ln=30'),
    SCRYPT.replace('ln=10', 'ln=2'),
    SCRYPT.replace('r=8', 'r=0'),
    SCRYPT.replace('p=1', 'p=99'),
    SCRYPT.replace('ln=10,r=8', 'ln=17,r=16'),
  ];
  for (const hash of hashes) {
    const refused = failsWith('USAGE', new RegExp(`^(?!.*${hash.replace(/[$^.*+?()[\]{}|\\]/g, '\\$&')})`));
    assert.throws(() => parseAccount(`anna:${hash}`), refused, hash);
    assert.throws(() => new Accounts([{ user: 'anna', password: hash }]), refused, hash);
  }
  for (const plain of ['$ecret', '$ecret$1', 'sha256', 'SHA256:abc', '{x}']) parseAccount(`anna:${plain}`);
  assert.throws(() => new Accounts([{ user: '', password: 'x' }]), failsWith('USAGE', /name is empty/));
  assert.throws(() => new Accounts([{ user: 'x', password: '' }]), failsWith('USAGE', /password is empty/));
});

test('only a name with its own password gets in', async () => {
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
    assert.equal(await accounts.check(user, password), right, `${user} ${password}`);
  assert.equal(await new Accounts([]).check('', ''), false);
});

test('a password is checked against each kind of hash, and the hash is no password', { timeout: 60_000 }, async () => {
  const kept: Record<string, [hash: string, password: string]> = {
    plain: ['päss', 'päss'],
    sha256: [`sha256:${sha('sha256', 'one')}`, 'one'],
    sha512: [`sha512:${sha('sha512', 'two').toUpperCase()}`, 'two'],
    scrypt: [SCRYPT, 'pleaseletmein'],
    ...Object.fromEntries(BCRYPT.map((hash) => [hash.slice(1, 3), [hash, 'päss']])),
    ours: [await hashPassword('päss word'), 'päss word'],
  };
  const accounts = new Accounts(Object.entries(kept).map(([user, [password]]) => ({ user, password })));
  for (const [user, [hash, password]] of Object.entries(kept)) {
    assert.equal(await accounts.check(user, password), true, user);
    assert.equal(await accounts.check(user, password.normalize('NFD')), true, `${user}, decomposed`);
    assert.equal(await accounts.check(user, `${password} `), false, user);
    if (user !== 'plain') assert.equal(await accounts.check(user, hash), false, `${user}, by its hash`);
    for (const other of Object.keys(kept)) {
      if (other !== user && kept[other]?.[1] !== password)
        assert.equal(await accounts.check(other, password), false, `${other} with the password of ${user}`);
    }
  }
  assert.equal(await accounts.check('nobody', 'pleaseletmein'), false);
  assert.notEqual(await hashPassword('x'), await hashPassword('x'));
});

test('a long check of bcrypt holds up nothing else', { timeout: 20_000 }, async () => {
  const accounts = new Accounts([{ user: 'anna', password: SLOW_BCRYPT }]);
  let [lastMs, longestMs] = [performance.now(), 0];
  const ticks = setInterval(() => {
    const nowMs = performance.now();
    [lastMs, longestMs] = [nowMs, Math.max(longestMs, nowMs - lastMs)];
  }, 5);
  const startMs = performance.now();
  assert.equal(await accounts.check('anna', 'päss'), true);
  const tookMs = performance.now() - startMs;
  clearInterval(ticks);
  assert.ok(longestMs < tookMs / 2, `${longestMs} ms of ${tookMs}`);
});

test('expensive checks go one after another, for nobody as for somebody, and too many are refused', async () => {
  const accounts = new Accounts([{ user: 'anna', password: SCRYPT }]);
  const tries = Array.from({ length: 40 }, (_, at) => accounts.check(at % 2 === 0 ? 'anna' : 'nobody', 'wrong'));
  const ends = await Promise.allSettled(tries.map((each) => each));
  const refused = ends.filter(({ status }) => status === 'rejected');
  assert.equal(refused.length, 8);
  await assert.rejects(Promise.all(tries), failsWith('NO_SPACE'));
  assert.equal(await accounts.check('anna', 'pleaseletmein'), true, 'there is room again');
  assert.equal(await accounts.check('anna', 'pleaseletmein', () => false), false, 'nobody waits for it');
});

test('a secret made for one run has 130 bits that are easy to type', () => {
  const made = new Set(Array.from({ length: 200 }, randomSecret));
  assert.equal(made.size, 200);
  for (const secret of made) assert.match(secret, /^[0-9a-hjkmnp-tv-z]{26}$/);
  const letters = new Set([...made].join(''));
  assert.equal(letters.size, 32);
});
