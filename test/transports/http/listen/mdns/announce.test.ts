import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { type TestContext, test } from 'node:test';
import makeMdns, { type MulticastDNS, type ResponseOutgoingPacket, type ResponsePacket } from 'multicast-dns';
import { announce, type MdnsOptions } from '#xfer/transports/http/listen/mdns/announce.js';
import { serve, temporaryFolder, until } from '../rig.js';

const LOOPBACK = '127.0.0.1';
const what = { scheme: 'http', port: 8000, addresses: [LOOPBACK] } as const;
const bounded = { timeout: 15_000 };

/** A free port, so that neither the machine's own responder nor another test hears it. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

type Records = ResponseOutgoingPacket['answers'];

interface Neighbour {
  readonly mdns: MulticastDNS;
  /** All records that were told so far. */
  readonly heard: Records;
}

async function neighbour(t: TestContext, port: number): Promise<Neighbour> {
  const mdns = makeMdns({ port, interface: LOOPBACK, bind: '0.0.0.0' });
  t.after(() => new Promise<void>((resolve) => mdns.destroy(resolve)));
  await new Promise<void>((resolve) => mdns.on('ready', resolve));
  const heard: Records = [];
  mdns.on('response', ({ answers = [], additionals = [] }: ResponsePacket) => heard.push(...answers, ...additionals));
  return { mdns, heard };
}

/** On loopback, on a port of its own. */
async function options(): Promise<MdnsOptions> {
  return { name: 'xfer on test', host: 'xfer-test', interface: LOOPBACK, port: await freePort() };
}

test('a listener is found by its service, and takes it back when it ends', bounded, async (t) => {
  const mdns = await options();
  const { mdns: browser, heard } = await neighbour(t, mdns.port as number);
  const notices: string[] = [];
  const { listener, port } = await serve(t, await temporaryFolder(t), {
    mdns,
    onNotice: (line) => notices.push(line),
  });
  const about = (type: string) => heard.filter((record) => record.type === type);
  await until(() => about('PTR').length > 0);
  heard.length = 0;
  browser.query('_http._tcp.local', 'PTR');
  await until(() => about('SRV').length > 0);
  const [ptr, srv, a] = ['PTR', 'SRV', 'A'].map((type) => about(type)[0] as { name: string; data: unknown });
  assert.equal(ptr?.data, 'xfer on test._http._tcp.local');
  assert.deepEqual(srv?.data, { priority: 0, weight: 0, port, target: 'xfer-test.local' });
  assert.deepEqual([a?.name, a?.data], ['xfer-test.local', LOOPBACK]);
  assert.deepEqual(listener.urls, [`http://127.0.0.1:${port}/`], 'this machine cannot look the name up');
  assert.match(notices.join(), /announced by mDNS as "xfer on test" on xfer-test\.local/);
  heard.length = 0;
  await listener.close();
  await until(() => about('SRV').some((record) => 'ttl' in record && record.ttl === 0));
  assert.deepEqual(about('A'), []);
  heard.length = 0;
  browser.query('_http._tcp.local', 'PTR');
  const again = await neighbour(t, mdns.port as number);
  again.mdns.query('_other._tcp.local', 'PTR');
  assert.deepEqual(heard, []);
});

test('where another has the names, it takes the next', bounded, async (t) => {
  const given = await options();
  const { mdns } = await neighbour(t, given.port as number);
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
  const given = await options();
  const announcement = await announce(what, given);
  t.after(() => announcement.end());
  const socket: Socket = createSocket('udp4');
  t.after(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
  // The question for A of xfer-test.local, with the id 0x1234.
  const question = Buffer.from('123400000001000000000000' + '09786665722d74657374056c6f63616c00' + '00010001', 'hex');
  const answer = new Promise<Buffer>((resolve) => socket.once('message', resolve));
  socket.send(question, given.port as number, LOOPBACK);
  const bytes = await answer;
  assert.equal(bytes.readUInt16BE(0), 0x1234);
  assert.ok(bytes.includes(Buffer.from([127, 0, 0, 1])));
});

test('bytes that are no message do it no harm', bounded, async (t) => {
  const given = await options();
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
    await new Promise((resolve) => socket.send(bytes, given.port as number, LOOPBACK, resolve));
  }
  const { mdns, heard } = await neighbour(t, given.port as number);
  mdns.query('_http._tcp.local', 'PTR');
  await until(() => heard.length > 0);
});

test('what cannot be announced is a notice, and the listener serves', bounded, async (t) => {
  const notices: string[] = [];
  const onNotice = (line: string): void => void notices.push(line);
  const folder = await temporaryFolder(t);
  const { url } = await serve(t, folder, { mdns: { name: 'x', host: 'x' }, onNotice });
  assert.equal((await fetch(url)).status, 200);
  assert.deepEqual(notices, ['not announced by mDNS: no other machine can reach this address']);
  const taken = createSocket('udp4');
  t.after(() => new Promise<void>((resolve) => taken.close(() => resolve())));
  await new Promise<void>((resolve) => taken.bind(0, '0.0.0.0', resolve));
  const mdns = { ...(await options()), port: taken.address().port };
  const served = await serve(t, folder, { mdns, onNotice });
  assert.equal((await fetch(served.url)).status, 200);
  assert.match(notices[1] as string, /^not announced by mDNS: announce xfer on test: /);
});
