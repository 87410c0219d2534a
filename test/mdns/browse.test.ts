import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import type { ResponsePacket } from 'multicast-dns';
import { announce } from '#xfer/mdns/announce.js';
import { browse, nearNetworks, type Place, placesOf } from '#xfer/mdns/browse.js';
import { neighbour, ownPlace } from '../support/mdns.js';

const bounded = { timeout: 20_000 };
type Interfaces = ReturnType<typeof networkInterfaces>;
type Records = NonNullable<ResponsePacket['answers']>;

const INTERFACES = {
  lo: [{ address: '127.0.0.1', cidr: '127.0.0.1/8', internal: true, family: 'IPv4' }],
  eth0: [
    { address: '198.51.100.7', cidr: '198.51.100.7/24', internal: false, family: 'IPv4' },
    { address: '2001:db8:1::7', cidr: '2001:db8:1::7/64', internal: false, family: 'IPv6' },
    { address: 'fe80::7', cidr: 'fe80::7/64', internal: false, family: 'IPv6' },
  ],
} as unknown as Interfaces;
const near = nearNetworks(INTERFACES);

const srv = (port: number, target = 'a.local', name = 'x._xfer._tcp.local'): Records[number] => ({
  type: 'SRV',
  name,
  ttl: 120,
  data: { port, target, priority: 0, weight: 0 },
});
const at = (data: string, name = 'a.local'): Records[number] => ({
  type: data.includes(':') ? 'AAAA' : 'A',
  name,
  data,
});
const hosts = (answers: Records, from = '198.51.100.9') =>
  placesOf({ answers, additionals: [] }, 'xfer', from, near).map(({ host }) => host);

test('a service is where its answer came from, and at its addresses in the networks of this machine', () => {
  const answers = [srv(4000), at('198.51.100.9'), at('192.168.7.7'), at('2001:db8:1::9'), at('8.8.8.8')];
  assert.deepEqual(hosts(answers), ['198.51.100.9', '192.168.7.7', '2001:db8:1::9']);
});

test('an answer cannot name what is not near, nor what only this machine can reach', () => {
  for (const address of ['203.0.113.1', '127.0.0.1', '::1', '0.0.0.0', '224.0.0.1', '2001:db8:2::1', 'fe80::1', '::']) {
    assert.deepEqual(hosts([srv(4000), at(address)]), ['198.51.100.9'], address);
  }
  assert.deepEqual(hosts([srv(4000), at('::ffff:8.8.8.8'), at('::ffff:127.0.0.1')]), ['198.51.100.9']);
  assert.deepEqual(hosts([srv(4000), at('::1')], '127.0.0.1'), ['127.0.0.1', '::1']);
});

test('ports, names and records that say nothing are passed over', () => {
  for (const port of [0, 65_536, -1, 1.5, Number.NaN]) assert.deepEqual(hosts([srv(port)]), [], String(port));
  assert.deepEqual(hosts([srv(4000, 'a.local', 'x._http._tcp.local')]), []);
  assert.deepEqual(hosts([srv(4000, 'a.local', 'x_xfer._tcp.local')]), []);
  assert.deepEqual(hosts([{ ...srv(4000), ttl: 0 } as Records[number]]), [], 'taken back');
  assert.deepEqual(hosts([srv(4000), at('192.168.1.1', 'other.local')]), ['198.51.100.9']);
  assert.deepEqual(hosts([srv(4000, 'A.LOCAL', 'X._XFER._TCP.local'), at('10.0.0.1')]), ['198.51.100.9', '10.0.0.1']);
});

test('one answer is no more than a few places', () => {
  const many = Array.from({ length: 60 }, (_, index) => srv(4000 + index));
  assert.equal(hosts(many).length, 4);
  const late = [...Array.from({ length: 64 }, () => at('10.0.0.1', 'b.local')), srv(4000)];
  assert.deepEqual(hosts(late), []);
});

/** The first answer that is not empty. */
async function firstFound(rounds: AsyncGenerator<readonly Place[]>): Promise<readonly Place[]> {
  for await (const places of rounds) if (places.length > 0) return places;
  throw new Error('never');
}

test('what is announced is found, later too, and never after its end', bounded, async (t) => {
  const place = await ownPlace();
  const scope = { signal: new AbortController().signal };
  const rounds = browse('xfer', place, scope);
  t.after(() => rounds.return(undefined as never));
  assert.deepEqual((await rounds.next()).value, []);
  const what = { protocol: 'xfer', port: 4000, addresses: ['127.0.0.1', '::1'] } as const;
  const announcement = await announce(what, { ...place, name: 'r1', host: 'r1' });
  assert.deepEqual(await firstFound(rounds), [
    { host: '127.0.0.1', port: 4000 },
    { host: '::1', port: 4000 },
  ]);
  await announcement.end();
  const again = browse('xfer', place, scope);
  t.after(() => again.return(undefined as never));
  assert.deepEqual((await again.next()).value, []);
});

test('bytes that are no message, and a flood, do it no harm', bounded, async (t) => {
  const place = await ownPlace();
  const rounds = browse('xfer', place, { signal: new AbortController().signal });
  t.after(() => rounds.return(undefined as never));
  assert.deepEqual((await rounds.next()).value, []);
  const socket = createSocket('udp4');
  t.after(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.alloc(3),
    Buffer.alloc(60_000, 0xff),
    Buffer.from('1234840000ff', 'hex'),
  ]) {
    await new Promise((resolve) => socket.send(bytes, place.port, '127.0.0.1', resolve));
  }
  const { mdns } = await neighbour(t, place.port);
  const flood = setInterval(() => {
    for (let port = 1; port < 60; port += 1) mdns.respond([srv(port, `h${port}.local`, `n${port}._xfer._tcp.local`)]);
  }, 200);
  t.after(() => clearInterval(flood));
  const found = await firstFound(rounds);
  assert.ok(found.length <= 8, `${found.length} places of one answerer`);
});

test('an abort ends it at once, and the socket is free', bounded, async () => {
  const place = await ownPlace();
  const stop = new AbortController();
  const rounds = browse('xfer', place, { signal: stop.signal });
  assert.deepEqual((await rounds.next()).value, []);
  const next = rounds.next();
  stop.abort(new Error('stopped'));
  await assert.rejects(next, /stopped/);
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(place.port, '0.0.0.0', resolve);
  });
  await new Promise<void>((resolve) => socket.close(() => resolve()));
});
