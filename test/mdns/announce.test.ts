import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { test } from 'node:test';
import { announce } from '#xfer/mdns/announce.js';
import { neighbour, ownPlace } from '../support/mdns.js';
import { until } from '../support/until.js';

const what = { protocol: 'http', port: 8000, addresses: ['127.0.0.1'] } as const;
const bounded = { timeout: 15_000 };
const names = { name: 'xfer on test', host: 'xfer-test' };

test('where another has the names, it takes the next', bounded, async (t) => {
  const given = { ...names, ...(await ownPlace()) };
  const { mdns } = await neighbour(t, given.port);
  mdns.on('query', ({ questions = [] }: { questions?: { name: string }[] }) => {
    if (questions.some(({ name }) => name === 'xfer-test.local')) {
      mdns.respond([{ type: 'A', name: 'xfer-test.local', ttl: 120, data: '198.51.100.9' }]);
    }
    if (questions.some(({ name }) => name === 'xfer on test (2)._http._tcp.local')) {
      const data = { port: 1, target: 'other.local' };
      mdns.respond([{ type: 'SRV', name: 'xfer on test (2)._http._tcp.local', ttl: 120, data }]);
    }
  });
  const announcement = await announce(what, given);
  t.after(() => announcement.end());
  const { name, host } = announcement.service;
  assert.deepEqual([name, host], ['xfer on test (3)', 'xfer-test-3']);
});

test('a simple resolver is answered where it asked from', bounded, async (t) => {
  const given = { ...names, ...(await ownPlace()) };
  const announcement = await announce(what, given);
  t.after(() => announcement.end());
  const socket: Socket = createSocket('udp4');
  t.after(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  // The question for A of xfer-test.local, with the id 0x1234.
  const question = Buffer.from('123400000001000000000000' + '09786665722d74657374056c6f63616c00' + '00010001', 'hex');
  const answer = new Promise<Buffer>((resolve) => socket.once('message', resolve));
  socket.send(question, given.port, '127.0.0.1');
  const bytes = await answer;
  assert.equal(bytes.readUInt16BE(0), 0x1234);
  assert.ok(bytes.includes(Buffer.from([127, 0, 0, 1])));
});

test('bytes that are no message do it no harm', bounded, async (t) => {
  const given = { ...names, ...(await ownPlace()) };
  const announcement = await announce(what, given);
  t.after(() => announcement.end());
  const socket = createSocket('udp4');
  t.after(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.alloc(3),
    Buffer.alloc(9000, 0xff),
    Buffer.from('1234000000ff', 'hex'),
  ]) {
    await new Promise((resolve) => socket.send(bytes, given.port, '127.0.0.1', resolve));
  }
  const { mdns, heard } = await neighbour(t, given.port);
  mdns.query('_http._tcp.local', 'PTR');
  await until(() => heard.length > 0);
});
