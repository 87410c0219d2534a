import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import { Sessions } from '#xfer/transports/ssh/sessions.js';
import type { SftpClient } from '#xfer/transports/ssh/sftp/client.js';
import { PACKET } from '#xfer/transports/ssh/sftp/codec.js';
import { failsWith } from '../../support/fails-with.js';
import { ReadyCarrier } from './carried.js';
import { HostileServer } from './hostile-server.js';

const scope = { signal: new AbortController().signal };
const timeout = 20_000;

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
  const notices: string[] = [];
  const sessions = await Sessions.open(
    {
      dial: async () => carriers[dialled++] as ReadyCarrier,
      label: 'host',
      onNotice: (line) => notices.push(line),
    },
    scope,
  );
  assert.equal(await sessions.pick(scope), first);
  first.channel.fail(new XferError('DISCONNECTED', 'the line is cut'));
  const again = await Promise.all([sessions.pick(scope), sessions.pick(scope), sessions.lane(scope)]);
  assert.deepEqual(again, [second, second, second]);
  assert.equal(dialled, 2);
  assert.deepEqual(notices, ['host: the connection was lost; connecting again']);
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

test('on a short line one channel carries a large file', { timeout }, async () => {
  const all = await clients(4, 0);
  const sessions = await Sessions.open({ dial: async () => new ReadyCarrier(all), label: 'host' }, scope);
  const lanes = [await sessions.lane(scope), await sessions.lane(scope), await sessions.lane(scope)];
  assert.deepEqual(new Set(lanes), new Set([all[0]]));
  await sessions.close();
});

test('on a long line lanes spread over channels; the first starts at once', { timeout }, async () => {
  const all = await clients(12, 30);
  const sessions = await Sessions.open({ dial: async () => new ReadyCarrier(all), label: 'host' }, scope);
  const lanes = await Promise.all(Array.from({ length: sessions.parallelism.lanes }, () => sessions.lane(scope)));
  assert.ok(new Set(lanes).size >= 5, `${new Set(lanes).size} channels`);
  assert.equal(lanes[0], all[0]);
  await sessions.close();
});

test('a server that takes fewer sessions is content with those', { timeout }, async () => {
  const all = await clients(2, 30);
  const sessions = await Sessions.open({ dial: async () => new ReadyCarrier(all), label: 'host' }, scope);
  const lanes = await Promise.all(Array.from({ length: 8 }, () => sessions.lane(scope)));
  assert.deepEqual(new Set(lanes), new Set(all));
  await sessions.close();
});

test('--parallel fixes the number of channels', { timeout }, async () => {
  for (const parallel of [1, 3]) {
    const all = await clients(12, 30);
    const sessions = await Sessions.open({ dial: async () => new ReadyCarrier(all), label: 'host', parallel }, scope);
    const lanes = await Promise.all(Array.from({ length: 12 }, () => sessions.lane(scope)));
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
