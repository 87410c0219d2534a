import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answersTo, conflicts, hostRecords, type Service, serviceRecords, toLabel } from '#xfer/mdns/records.js';

const service: Service = {
  name: 'xfer on laptop',
  host: 'laptop',
  protocol: 'http',
  port: 8000,
  addresses: ['192.0.2.7', '2001:db8::7'],
};

const kinds = (records: readonly { type: string }[]): string => records.map(({ type }) => type).join();

test('a browser of services learns in one answer where it is', () => {
  const { answers, additionals } = answersTo([{ name: '_HTTP._tcp.local', type: 'PTR' }], service);
  assert.deepEqual(answers, [
    { type: 'PTR', name: '_http._tcp.local', ttl: 4500, data: 'xfer on laptop._http._tcp.local' },
  ]);
  assert.equal(kinds(additionals), 'SRV,TXT,A,AAAA');
});

test('each question has its answer, and no other', () => {
  const cases: [string, 'A' | 'AAAA' | 'PTR' | 'SRV' | 'TXT', string][] = [
    ['laptop.local', 'A', 'A'],
    ['LAPTOP.local', 'AAAA', 'AAAA'],
    ['xfer on laptop._http._tcp.local', 'SRV', 'SRV'],
    ['xfer on laptop._http._tcp.local', 'TXT', 'TXT'],
    ['_services._dns-sd._udp.local', 'PTR', 'PTR'],
    ['_https._tcp.local', 'PTR', ''],
    ['other.local', 'A', ''],
    ['laptop.local', 'TXT', ''],
  ];
  for (const [name, type, expected] of cases) {
    assert.equal(kinds(answersTo([{ name, type }], service).answers), expected, `${name} ${type}`);
  }
  const secure = { ...service, protocol: 'https' as const };
  assert.equal(kinds(answersTo([{ name: '_https._tcp.local', type: 'PTR' }], secure).answers), 'PTR');
});

test('who else has the name, and who is this machine itself', () => {
  const own = new Set(['192.0.2.7', '172.17.0.1']);
  const a = (data: string) => ({ type: 'A' as const, name: 'LAPTOP.local', data });
  const srv = (port: number, target: string) => ({
    type: 'SRV' as const,
    name: 'xfer on laptop._http._tcp.local',
    data: { port, target },
  });
  assert.equal(conflicts(a('192.0.2.8'), service, own), true);
  assert.equal(conflicts(a('172.17.0.1'), service, own), false);
  assert.equal(conflicts({ ...a('192.0.2.8'), name: 'other.local' }, service, own), false);
  assert.equal(conflicts(srv(8000, 'laptop.local'), service, own), false);
  assert.equal(conflicts(srv(8001, 'laptop.local'), service, own), true);
  assert.equal(conflicts(srv(8000, 'other.local'), service, own), true);
});

test('the end takes the service back, and not the address of the machine', () => {
  assert.deepEqual(
    serviceRecords(service, 0).map((record) => 'ttl' in record && record.ttl),
    [0, 0, 0],
  );
  assert.equal(kinds(hostRecords(service)), 'A,AAAA');
});

test('a name is one label of 63 bytes', () => {
  assert.equal(toLabel('xfer on a.b'), 'xfer on a-b');
  assert.equal(Buffer.byteLength(toLabel('é'.repeat(100))), 62);
  assert.ok(toLabel('é'.repeat(100)).isWellFormed());
});
