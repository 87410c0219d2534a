import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import type { Scope } from '#xfer/transport.js';
import { Sessions } from '#xfer/transports/ssh/sessions.js';
import type { SftpClient } from '#xfer/transports/ssh/sftp/client.js';
import { PACKET } from '#xfer/transports/ssh/sftp/codec.js';
import { failsWith } from '../../support/fails-with.js';
import { ReadyCarrier } from './carried.js';
import { HostileServer } from './hostile-server.js';

const scope = { signal: new AbortController().signal };
const timeout = 20_000;
const MUCH_BYTES = 2 ** 40;

/** The session of a lane that is never left, for a file of which there is much to come. */
async function laneOf(sessions: Sessions): Promise<SftpClient> {
  return (await sessions.lane(MUCH_BYTES, scope)).client;
}

/** A client of a server that takes `delayMs` to tell its limits. */
async function clientAt(delayMs: number): Promise<SftpClient> {
  const server = new HostileServer();
  server.extensions = { 'limits@openssh.com': '1' };
  server.lie = ({ type, id }) => {
    if (type !== PACKET.EXTENDED) return false;
    setTimeout(() => server.reply(PACKET.EXTENDED_REPLY, id, Buffer.alloc(32)), delayMs);
    return true;
  };
  const client = await server.connect();
  await client.settled;
  return client;
}

function clients(count: number, delayMs: number): Promise<SftpClient[]> {
  return Promise.all(Array.from({ length: count }, () => clientAt(delayMs)));
}

test('a lost line is connected again once for all who ask, and said', { timeout }, async () => {
  const [first, second] = (await clients(2, 0)) as [SftpClient, SftpClient];
  const carriers = [new ReadyCarrier([first]), new ReadyCarrier([second])];
  let dialled = 0;
  const notices: [string, Error | undefined][] = [];
  const sessions = await Sessions.open(
    {
      dial: async () => carriers[dialled++] as ReadyCarrier,
      label: 'host',
      onNotice: (line, about) => notices.push([line, about]),
    },
    scope,
  );
  assert.equal(await sessions.pick(scope), first);
  const cut = new XferError('DISCONNECTED', 'the line is cut');
  first.channel.fail(cut);
  const again = await Promise.all([sessions.pick(scope), sessions.pick(scope), laneOf(sessions)]);
  assert.deepEqual(again, [second, second, second]);
  assert.equal(dialled, 2);
  assert.deepEqual(notices, [['host: the connection was lost; connecting again', cut]]);
  await sessions.close();
  assert.deepEqual([...carriers.map(({ closed }) => closed)], [true, true]);
});

test('where no new connection is made, each who asks is told why, and may ask again', { timeout }, async () => {
  const [first, second] = (await clients(2, 0)) as [SftpClient, SftpClient];
  const carriers = [new ReadyCarrier([first]), undefined, new ReadyCarrier([second])];
  const dial = async () => {
    const carrier = carriers.shift();
    if (!carrier) throw new XferError('UNREACHABLE', 'connect: refused');
    return carrier;
  };
  const sessions = await Sessions.open({ dial, label: 'host' }, scope);
  first.channel.fail(new XferError('DISCONNECTED', 'the line is cut'));
  await assert.rejects(sessions.pick(scope), failsWith('UNREACHABLE'));
  assert.equal(await sessions.pick(scope), second);
  await sessions.close();
});

test('on a short line one channel carries a large file', { timeout }, async (t) => {
  t.mock.method(performance, 'now', () => 0);
  const all = await clients(4, 0);
  const sessions = await Sessions.open({ dial: async () => new ReadyCarrier(all), label: 'host' }, scope);
  const lanes = [await laneOf(sessions), await laneOf(sessions), await laneOf(sessions)];
  assert.deepEqual(new Set(lanes), new Set([all[0]]));
  await sessions.close();
});

test('on a long line lanes spread over channels; the first starts at once', { timeout }, async () => {
  const all = await clients(12, 30);
  const sessions = await Sessions.open({ dial: async () => new ReadyCarrier(all), label: 'host' }, scope);
  const lanes = await Promise.all(Array.from({ length: sessions.parallelism.lanes }, () => laneOf(sessions)));
  assert.ok(new Set(lanes).size >= 5, `${new Set(lanes).size} channels`);
  assert.equal(lanes[0], all[0]);
  await sessions.close();
});

test('a lane goes where the fewest are, whether they have asked for anything yet or not', { timeout }, async () => {
  const all = await clients(12, 30);
  const sessions = await Sessions.open({ dial: async () => new ReadyCarrier(all), label: 'host', parallel: 4 }, scope);
  const lanes = await Promise.all(Array.from({ length: 8 }, () => sessions.lane(MUCH_BYTES, scope)));
  const counts = all.map((client) => lanes.filter((lane) => lane.client === client).length).filter(Boolean);
  assert.deepEqual(counts, [2, 2, 2, 2]);
  const left = lanes[5] as (typeof lanes)[number];
  left.leave();
  left.leave();
  assert.equal(await laneOf(sessions), left.client);
  assert.notEqual(await laneOf(sessions), left.client);
  await sessions.close();
});

test('while channels are opened, the first one has as many readers as fill its window', { timeout }, async () => {
  const [first] = (await clients(1, 60)) as [SftpClient];
  first.readWindowBytes = 16 << 20;
  const carrier = new ReadyCarrier([first]);
  const sessions = await Sessions.open({ dial: async () => carrier, label: 'host', reads: true }, scope);
  assert.equal(sessions.parallelism.lanes, 8);
  const { promise, resolve } = later<SftpClient>();
  carrier.openSftp = () => promise;
  const reading = Array.from({ length: 5 }, () => laneOf(sessions));
  assert.deepEqual(await Promise.all(reading.slice(0, 4)), [first, first, first, first]);
  const [second] = (await clients(1, 30)) as [SftpClient];
  resolve(second);
  assert.equal(await reading[4], second);
  await sessions.close();
});

test('who waits for channels to be opened may give up', { timeout }, async () => {
  const carrier = new ReadyCarrier(await clients(1, 30));
  const sessions = await Sessions.open({ dial: async () => carrier, label: 'host' }, scope);
  carrier.openSftp = () => new Promise(() => undefined);
  await laneOf(sessions);
  const stop = new AbortController();
  const waiting = sessions.lane(MUCH_BYTES, stop);
  const reason = new Error('stopped');
  stop.abort(reason);
  await assert.rejects(waiting, reason);
  await sessions.close();
});

test('what was being opened when the line was lost is nothing that the new one lacks', { timeout }, async () => {
  const [first, late] = (await clients(2, 30)) as [SftpClient, SftpClient];
  const more = await clients(5, 30);
  const before = new ReadyCarrier([first]);
  const carriers = [before, new ReadyCarrier(more)];
  const sessions = await Sessions.open(
    { dial: async () => carriers.shift() as ReadyCarrier, label: 'host', parallel: 5 },
    scope,
  );
  const opening = Array.from({ length: 4 }, () => later<SftpClient>());
  const answers = [...opening];
  before.openSftp = () => (answers.shift() as (typeof opening)[number]).promise;
  await laneOf(sessions);
  const cut = new XferError('DISCONNECTED', 'the line is cut');
  first.channel.fail(cut);
  assert.equal(await sessions.pick(scope), more[0]);
  opening[0]?.resolve(late);
  late.channel.fail(cut);
  for (const { reject } of opening.slice(1)) reject(cut);
  await new Promise(setImmediate);
  const lanes = await Promise.all(Array.from({ length: 5 }, () => laneOf(sessions)));
  assert.deepEqual(new Set(lanes), new Set(more));
  await sessions.close();
});

test('for a large file that is to come channels are opened together with the first session', { timeout }, async () => {
  for (const { rttMs, asked } of [
    { rttMs: 50, asked: 8 },
    { rttMs: 15, asked: 1 },
  ]) {
    const all = await clients(8, 50);
    const opening: (() => void)[] = [];
    const carrier = Object.assign(new ReadyCarrier(all), {
      rttMs,
      openSftp: () =>
        new Promise<SftpClient>((resolve) => {
          const client = all[opening.length] as SftpClient;
          opening.push(() => resolve(client));
        }),
    });
    const starting = Sessions.open({ dial: async () => carrier, label: 'host', large: true }, scope);
    await new Promise(setImmediate);
    assert.equal(opening.length, asked);
    for (const open of opening.slice(0, asked)) open();
    const sessions = await starting;
    if (asked === 8) {
      const lanes = await Promise.all(Array.from({ length: 8 }, () => laneOf(sessions)));
      assert.equal(new Set(lanes).size, 8);
      assert.equal(opening.length, 8);
    }
    await sessions.close();
  }
});

test('a server that takes fewer sessions is content with those', { timeout }, async () => {
  const all = await clients(2, 30);
  const sessions = await Sessions.open({ dial: async () => new ReadyCarrier(all), label: 'host' }, scope);
  const lanes = await Promise.all(Array.from({ length: 8 }, () => laneOf(sessions)));
  assert.deepEqual(new Set(lanes), new Set(all));
  await sessions.close();
});

test('--parallel fixes the number of channels', { timeout }, async () => {
  for (const parallel of [1, 3]) {
    const all = await clients(12, 30);
    const sessions = await Sessions.open({ dial: async () => new ReadyCarrier(all), label: 'host', parallel }, scope);
    const lanes = await Promise.all(Array.from({ length: 12 }, () => laneOf(sessions)));
    assert.equal(new Set(lanes).size, parallel);
    await sessions.close();
  }
});

test('files go to the session with the fewest requests', { timeout }, async () => {
  const server = new HostileServer();
  server.lie = ({ type }) => type === PACKET.STAT;
  const busy = await server.connect();
  const idle = await clientAt(0);
  const sessions = await Sessions.open({ dial: async () => new ReadyCarrier([busy, idle]), label: 'host' }, scope);
  for (let asked = 0; asked < 300; asked++) busy.stat(Buffer.from('x'), scope).catch(() => undefined);
  assert.equal(await sessions.pick(scope), busy);
  await new Promise(setImmediate);
  assert.equal(await sessions.pick(scope), idle);
  await sessions.close();
});

/** Sessions on a long line, and a copy that moved so many bytes in the second before it asks for a lane. */
async function lengthening(t: TestContext, dialMore: () => Promise<ReadyCarrier>) {
  let nowMs = 0;
  const more: ReadyCarrier[] = [];
  const [first] = (await clients(1, 30)) as [SftpClient];
  t.mock.method(performance, 'now', () => nowMs);
  const dial = async (_: unknown, kind?: 'more') => {
    if (!kind) return new ReadyCarrier([first]);
    const carrier = await dialMore();
    more.push(carrier);
    return carrier;
  };
  const sessions = await Sessions.open({ dial, label: 'host' }, scope);
  await laneOf(sessions);
  const secondWith = async (bytes: number, ms = 1000) => {
    nowMs += ms;
    first.bytesMoved += bytes;
    await laneOf(sessions);
    await new Promise(setImmediate);
    return more.length;
  };
  const wait = (ms: number) => {
    nowMs += ms;
  };
  return { sessions, more, secondWith, wait };
}

/** A carrier of as many sessions as are asked for, on the first client's long line. */
async function wideCarrier(): Promise<ReadyCarrier> {
  return new ReadyCarrier(await clients(8, 0));
}

test('on a long line connections are added while each makes the copy a tenth faster', { timeout }, async (t) => {
  const ready = await Promise.all(Array.from({ length: 4 }, wideCarrier));
  const { sessions, more, secondWith } = await lengthening(t, async () => ready.shift() as ReadyCarrier);
  assert.equal(await secondWith(1000, 900), 0, 'too early to tell');
  assert.equal(await secondWith(9000, 100), 1);
  assert.equal(await secondWith(11_100), 2);
  assert.equal(await secondWith(12_000), 2, 'not a tenth faster');
  assert.equal(await secondWith(90_000), 2, 'and that is the end of it');
  await sessions.close();
  assert.deepEqual([...more.map(({ closed }) => closed)], [true, true]);
});

test('there are at most four connections', { timeout }, async (t) => {
  const ready = await Promise.all(Array.from({ length: 6 }, wideCarrier));
  const { sessions, secondWith } = await lengthening(t, async () => ready.shift() as ReadyCarrier);
  const counts: number[] = [];
  for (let second = 0; second < 6; second++) counts.push(await secondWith(1000 * 2 ** second));
  assert.deepEqual(counts, [1, 2, 3, 3, 3, 3]);
  await sessions.close();
  for (const unused of ready) await unused.close();
});

test('the time that it takes to connect is not held against a connection', { timeout }, async (t) => {
  const ready = await Promise.all([wideCarrier(), wideCarrier()]);
  const { sessions, secondWith, wait } = await lengthening(t, async () => {
    wait(3000);
    return ready.shift() as ReadyCarrier;
  });
  assert.equal(await secondWith(1000), 1);
  assert.equal(await secondWith(1200), 2);
  await sessions.close();
});

test('where a further login is refused there is no other try', { timeout }, async (t) => {
  let refused = 0;
  const { sessions, secondWith } = await lengthening(t, async () => {
    refused++;
    throw new XferError('DENIED', 'login: refused');
  });
  for (let second = 0; second < 4; second++) await secondWith(1000 * 2 ** second);
  assert.equal(refused, 1);
  await sessions.close();
});

test('a further connection that comes after the end, or after a lost line, is closed', { timeout }, async (t) => {
  for (const meanwhile of ['close', 'lose'] as const) {
    const late = new ReadyCarrier([]);
    const { promise, resolve } = later<ReadyCarrier>();
    const [first, second] = (await clients(2, 30)) as [SftpClient, SftpClient];
    const carriers = [new ReadyCarrier([first]), new ReadyCarrier([second])];
    let nowMs = 0;
    const clock = t.mock.method(performance, 'now', () => nowMs);
    const dial = async (_: unknown, kind?: 'more') => (kind ? promise : (carriers.shift() as ReadyCarrier));
    const sessions = await Sessions.open({ dial, label: 'host' }, scope);
    await laneOf(sessions);
    nowMs += 1000;
    await laneOf(sessions);
    if (meanwhile === 'close') await sessions.close();
    else {
      first.channel.fail(new XferError('DISCONNECTED', 'the line is cut'));
      assert.equal(await sessions.pick(scope), second);
    }
    resolve(late);
    await new Promise(setImmediate);
    assert.equal(late.closed, true, meanwhile);
    if (meanwhile === 'lose') await sessions.close();
    clock.mock.restore();
  }
});

test('who gives up while the line is made anew leaves it to the others', { timeout }, async () => {
  const [first, second] = (await clients(2, 0)) as [SftpClient, SftpClient];
  const { promise, resolve } = later<ReadyCarrier>();
  const ready = [Promise.resolve(new ReadyCarrier([first])), promise];
  const signals: AbortSignal[] = [];
  const dial = ({ signal }: Scope) => {
    signals.push(signal);
    return ready.shift() as Promise<ReadyCarrier>;
  };
  const sessions = await Sessions.open({ dial, label: 'host' }, scope);
  first.channel.fail(new XferError('DISCONNECTED', 'the line is cut'));
  const stop = new AbortController();
  const [hasty, patient] = [sessions.pick({ signal: stop.signal }), sessions.pick(scope)];
  const gone = new Error('gone');
  stop.abort(gone);
  await assert.rejects(hasty, gone);
  assert.equal(signals[1]?.aborted, false);
  resolve(new ReadyCarrier([second]));
  assert.equal(await patient, second);
  await sessions.close();
});

test('a new connection without a session is closed, and so are those before it in the end', { timeout }, async () => {
  const [first, second] = (await clients(2, 0)) as [SftpClient, SftpClient];
  const carriers = [new ReadyCarrier([first]), new ReadyCarrier([]), new ReadyCarrier([second])];
  let dialled = 0;
  const sessions = await Sessions.open({ dial: async () => carriers[dialled++] as ReadyCarrier, label: 'host' }, scope);
  first.channel.fail(new XferError('DISCONNECTED', 'the line is cut'));
  await assert.rejects(sessions.pick(scope), /no more sessions/);
  assert.equal(await sessions.pick(scope), second);
  assert.deepEqual([...carriers.map(({ closed }) => closed)], [true, true, false]);
  await sessions.close();
});

function later<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((settle, fail) => {
    [resolve, reject] = [settle, fail];
  });
  return { promise, resolve, reject };
}
