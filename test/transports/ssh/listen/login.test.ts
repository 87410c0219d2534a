/** Who gets in to the listener, in how many tries, and who waits. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import ssh2, { type AuthHandlerMiddleware } from 'ssh2';
import { networkOf } from '#xfer/client-address.js';
import { Admission } from '#xfer/transports/ssh/listen/admission.js';
import { makeHostKey } from '#xfer/transports/ssh/listen/host-key-file.js';
import { LIMITS } from '#xfer/transports/ssh/listen/limits.js';
import { failsWith } from '../../../support/fails-with.js';
import { pickSeed } from '../../../support/random.js';
import { ACCOUNT, serveSftp } from '../../../support/sftp-listener.js';
import { connect, place, until } from './rig.js';

const limit = { timeout: 10_000 };
const QUICK = { wrongPasswordMs: 1, mostWrongPasswordMs: 2 };

/** An ssh2 client that tries these, one after the other, until there are no more. */
function tries(methods: readonly object[]): AuthHandlerMiddleware {
  const left = [...methods];
  return ((_left: unknown, _partial: unknown, next: (method: unknown) => void) => next(left.shift() ?? false)) as never;
}
const password = (text: string, username = ACCOUNT.user) => ({ type: 'password', username, password: text });

test('a password or a key gets in, and nobody without', limit, async (t) => {
  const at = await place(t, { limits: QUICK });
  await connect(t, at);
  await connect(t, at, {
    authHandler: tries([{ type: 'publickey', username: 'anyone', key: readFileSync(at.identityFile) }]),
  });
  const stranger = makeHostKey().privateKey;
  const refused: object[][] = [
    [{ type: 'none', username: ACCOUNT.user }],
    [{ type: 'none', username: 'anonymous' }],
    [password('wrong')],
    [password('')],
    [password(ACCOUNT.password, 'bert')],
    [password(`${ACCOUNT.password}\0`)],
    [{ type: 'publickey', username: ACCOUNT.user, key: stranger }],
  ];
  for (const methods of refused) {
    await assert.rejects(connect(t, at, { authHandler: tries(methods) }), /authentication/i, JSON.stringify(methods));
  }
  const logins = at.records.filter((record) => record.type === 'login');
  assert.deepEqual(
    logins.map(({ accepted, method }) => [accepted, method]),
    [[true, 'password'], [true, 'publickey'], ...Array.from({ length: 4 }, () => [false, 'password'])],
  );
  assert.ok(!JSON.stringify(at.records).includes(ACCOUNT.password));
});

test('the seventh try is not answered', limit, async (t) => {
  const at = await place(t, { limits: QUICK });
  const guesses = Array.from({ length: 9 }, (_, at) => password(`guess ${at}`));
  await assert.rejects(connect(t, at, { authHandler: tries([...guesses, password(ACCOUNT.password)]) }));
  assert.equal(at.records.length, LIMITS.loginTries);
});

test('a wrong password waits for its answer, and another login does not', limit, async (t) => {
  const at = await place(t, { limits: { wrongPasswordMs: 5000 } });
  let answered = false;
  const wrong = connect(t, at, { authHandler: tries([password('wrong')]) }).catch(() => {
    answered = true;
  });
  await until(() => at.records.length === 1);
  await connect(t, at);
  assert.equal(answered, false);
  await at.listener.close();
  await wrong;
});

test('who does not log in has a time limit, and so many places', limit, async (t) => {
  const at = await place(t, { limits: { startupsPerAddress: 2, loginTimeoutMs: 300 } });
  const silent = await Promise.all([1, 2].map(() => connected(at.port)));
  const third = await connected(at.port);
  assert.match(await untilEnd(third), /^Exceeded MaxStartups/);
  await Promise.all(silent.map(untilEnd));
  await connect(t, at);
});

function connected(port: number): Promise<ReturnType<typeof connectSocket>> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(port, '127.0.0.1', () => resolve(socket));
    // Later ones only say that the other end was quicker.
    socket.on('error', reject);
  });
}

function untilEnd(socket: ReturnType<typeof connectSocket>): Promise<string> {
  let text = '';
  socket.on('data', (part: Buffer) => {
    text += part.toString('latin1');
  });
  return new Promise((resolve) => socket.on('close', () => resolve(text)));
}

test('places and waits are counted by network', () => {
  const admission = new Admission({ ...LIMITS, startups: 3, startupsPerAddress: 2, connections: 4 });
  const first = admission.enter('192.0.2.1');
  assert.ok(first && admission.enter('::ffff:192.0.2.1'));
  assert.equal(admission.enter('192.0.2.1'), undefined);
  assert.ok(admission.enter('2001:db8::1'));
  assert.equal(admission.enter('2001:db8::2'), undefined);
  first.loggedIn();
  assert.ok(admission.enter('192.0.2.1'));
  first.leave();
  first.leave();
  assert.equal(admission.enter('192.0.2.9'), undefined);
  const waits = Array.from({ length: 7 }, () => admission.wrongPassword('a', 0));
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 8000, 8000]);
  assert.equal(admission.wrongPassword('b', 0), 500);
  assert.equal(admission.wrongPassword('a', 3_600_000), 500);
  admission.close();
  assert.equal(networkOf('2001:db8:1:2:3:4:5:6'), networkOf('2001:db8:1:2::9'));
  assert.notEqual(networkOf('2001:db8:1:2::9'), networkOf('2001:db8:1:3::9'));
  assert.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64');
});

test('a listener that nobody could log in to does not start', limit, async (t) => {
  const at = await place(t);
  const empty = join(at.above, 'empty');
  writeFileSync(empty, '# nobody\n');
  await assert.rejects(serveSftp(at.root, { accounts: [], authorizedKeys: empty }), failsWith('USAGE', /no key/));
});

test('a key of RSA signs with SHA-2 only', limit, async (t) => {
  const at = await place(t);
  const pair = ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 });
  const keys = join(at.above, 'keys');
  writeFileSync(keys, pair.public);
  const served = await serveSftp(at.root, { accounts: [], authorizedKeys: keys });
  t.after(() => served.stop());
  await connect(t, served, { authHandler: tries([{ type: 'publickey', username: 'a', key: pair.private }]) });
});

test('what is no SSH ends its connection and nothing else', limit, async (t) => {
  const at = await place(t);
  const seed = pickSeed();
  t.diagnostic(`XFER_SEED=${seed}`);
  const noise = (round: number): Buffer =>
    createHash('shake256', { outputLength: 9000 }).update(`${seed} ${round}`).digest();
  const starts = ['', 'SSH-2.0-x\r\n', 'SSH-1.5-x\r\n', `SSH-2.0-${'x'.repeat(9000)}\r\n`, 'GET / HTTP/1.1\r\n\r\n'];
  const attempt = async (round: number): Promise<void> => {
    const socket = await connected(at.port);
    const ended = untilEnd(socket);
    socket.end(Buffer.concat([Buffer.from(starts[round % starts.length] as string), noise(round)]));
    await ended;
  };
  for (let first = 0; first < 40; first += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, next) => attempt(first + next)));
  }
  await connect(t, at);
});
