import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { hashPassword } from '#xfer/listening/password.js';
import { Logins, parseBasic } from '#xfer/transports/http/listen/access/logins.js';
import { type AccessRecord, formatAccess } from '#xfer/transports/http/listen/index.js';
import { failsWith } from '../../../../support/fails-with.js';
import { get, serve, temporaryFolder, until } from '../rig.js';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const field = (text: string): string => `Authorization: ${basic(text)}\r\n`;

/** The waits of wrong logins keep no process alive, and a test without a listener has nothing else that does. */
function stayAwake(t: TestContext): void {
  const timer = setInterval(() => undefined, 1000);
  t.after(() => clearInterval(timer));
}

test('what is Basic credentials, and what is not', () => {
  assert.deepEqual(parseBasic(basic('anna:a:b')), { user: 'anna', password: 'a:b' });
  assert.deepEqual(parseBasic(`bASIC   ${Buffer.from('änna:pä').toString('base64')}`), {
    user: 'änna',
    password: 'pä',
  });
  assert.deepEqual(parseBasic(basic(':')), { user: '', password: '' });
  const latin1 = `Basic ${Buffer.from('anna:p\xe4', 'latin1').toString('base64')}`;
  for (const text of [
    '',
    'Basic',
    'Basic ',
    'Basic !',
    basic('anna'),
    'Bearer YTpi',
    'Basic YTpi YTpi',
    'BasicYTpi',
    latin1,
  ]) {
    assert.equal(parseBasic(text), undefined, text);
  }
});

test('a right login goes on, a wrong one and none are asked again', { timeout: 20_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'a.txt'), 'hello');
  const records: AccessRecord[] = [];
  const sha = createHash('sha256').update('pä:ss').digest('hex');
  const accounts = [
    { user: 'an na', password: `sha256:${sha}` },
    { user: 'bert', password: await hashPassword('two') },
  ];
  const { port } = await serve(t, folder, { accounts, onRequest: (record) => records.push(record) });
  for (const right of ['an na:pä:ss', 'bert:two', 'an na:pa\u0308:ss']) {
    assert.match(await get(port, '/a.txt', field(right)), /^HTTP\/1\.1 200 [\s\S]*hello$/, right);
  }
  for (const wrong of ['', field('bert:pä:ss'), field(`an na:sha256:${sha}`), 'Authorization: Bearer x\r\n']) {
    const answer = await get(port, '/a.txt', wrong);
    assert.match(answer, /^HTTP\/1\.1 401 [\s\S]*\r\nWWW-Authenticate: Basic realm="xfer", charset="UTF-8"\r\n/, wrong);
    assert.doesNotMatch(answer, /hello/);
  }
  await until(() => records.length === 7);
  assert.deepEqual(
    records.map(({ user, status }) => `${user} ${status}`),
    ['an na 200', 'bert 200', 'an na 200', ...Array.from({ length: 4 }, () => 'undefined 401')],
  );
  assert.match(formatAccess(records[0] as AccessRecord), /^127\.0\.0\.1 - an\\x20na \[/);
  assert.ok(!JSON.stringify(records).includes('pä'));
  for (const none of [
    [],
    [{ user: '', password: 'x' }],
    [{ user: 'x', password: '' }],
    [{ user: 'x', password: '$5$a$b' }],
  ]) {
    await assert.rejects(serve(t, folder, { accounts: none }), failsWith('USAGE'));
  }
});

test('where only writes need a login, nothing of it is looked at when something is read', async (t) => {
  const folder = await temporaryFolder(t);
  const { port } = await serve(t, folder, { accounts: [{ user: 'anna', password: 'one' }], loginFor: 'writes' });
  assert.match(await get(port, '/', field('anna:wrong')), /^HTTP\/1\.1 200 /);
});

test('each wrong login holds up its own network, and no other one', { timeout: 20_000 }, async (t) => {
  stayAwake(t);
  const logins = new Logins([{ user: 'anna', password: 'one' }]);
  const timed = async (text: string, address: string) => {
    const startMs = performance.now();
    const answer = await logins.check(basic(text), address);
    return { answer: typeof answer === 'number' ? answer : answer.user, ms: performance.now() - startMs };
  };
  const wrong = ['2001:db8::1', '2001:db8::2', '::ffff:192.0.2.1'].map((address, at) => timed(`anna:${at}`, address));
  const right = await timed('anna:one', '192.0.2.2');
  assert.deepEqual([right.answer, right.ms < 200], ['anna', true], `${right.ms}`);
  const [first, second, third] = await Promise.all(wrong);
  assert.deepEqual([first?.answer, second?.answer, third?.answer], [401, 401, 401]);
  assert.ok((first?.ms ?? 0) >= 245 && (second?.ms ?? 0) >= 740, `${first?.ms} ${second?.ms}`);
  assert.ok((third?.ms ?? 0) < 500, `${third?.ms}`);
  // Known by now, and so held up by nobody, though the guesser has the same address.
  const guess = timed('anna:guess', '2001:db8::3');
  const known = await timed('anna:one', '2001:db8::4');
  assert.deepEqual([known.answer, known.ms < 200], ['anna', true], `${known.ms}`);
  assert.ok((await guess).ms >= 990);
});

test('one network has few logins waiting, the same login over many connections is one, and what is known is forgotten', {
  timeout: 20_000,
}, async (t) => {
  stayAwake(t);
  const logins = new Logins([{ user: 'anna', password: await hashPassword('one') }]);
  const same = Array.from({ length: 50 }, () => logins.check(basic('anna:one'), '192.0.2.1', 0));
  assert.deepEqual(new Set((await Promise.all(same)).map((each) => typeof each)), new Set(['object']));
  const guesses = Array.from({ length: 50 }, (_, at) => logins.check(basic(`anna:${at}`), '192.0.2.1'));
  assert.equal(guesses.filter((each) => each === 429).length, 42);
  assert.ok(!(logins.check(basic('anna:one'), '192.0.2.2', 60_000) instanceof Promise), 'known');
  const late = logins.check(basic('anna:one'), '192.0.2.2', 3_600_000);
  assert.ok(late instanceof Promise, 'checked again');
  assert.deepEqual(await late, { user: 'anna' });
});

test('a hundred wrong logins a second, of an expensive hash and over many addresses, block no download', {
  timeout: 60_000,
}, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'a.bin'), Buffer.alloc(1 << 20));
  const accounts = [{ user: 'anna', password: await hashPassword('one') }];
  const { url, port } = await serve(t, folder, { accounts });
  const headers = { Authorization: basic('anna:one') };
  assert.equal((await fetch(`${url}/a.bin`, { headers })).status, 200);
  const download = async (): Promise<number> => {
    const startMs = performance.now();
    const response = await fetch(`${url}/a.bin`, { headers });
    assert.equal((await response.arrayBuffer()).byteLength, 1 << 20);
    return performance.now() - startMs;
  };
  let usualMs = 0;
  for (let round = 0; round < 20; round += 1) usualMs = Math.max(usualMs, await download());
  const statuses = new Map<number, number>();
  let sent = 0;
  const guess = (): void => {
    sent += 1;
    // Some from one address, some from a hundred, where the system has them.
    const localAddress = sent % 2 === 0 || process.platform !== 'linux' ? '127.0.0.1' : `127.0.1.${sent % 100}`;
    const outgoing = request({ port, localAddress, path: '/a.bin', headers: { Authorization: basic(`anna:${sent}`) } });
    outgoing.on('response', (response) => {
      const status = response.resume().statusCode ?? 0;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    });
    outgoing.on('error', () => undefined).end();
  };
  const guesser = setInterval(guess, 5);
  t.after(() => clearInterval(guesser));
  let slowestMs = 0;
  for (let round = 0; round < 60; round += 1) {
    slowestMs = Math.max(slowestMs, await download());
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  assert.ok(sent > 150, `only ${sent} guesses`);
  // A machine with much else to do is slow before anybody guesses, too.
  assert.ok(slowestMs < 500 + 10 * usualMs, `a download took ${slowestMs} ms, and ${usualMs} without guesses`);
  const seen = JSON.stringify([...statuses]);
  assert.ok((statuses.get(429) ?? 0) + (statuses.get(503) ?? 0) > 20 && !statuses.has(200), seen);
});
