import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { neighbour, ownPlace } from '../../../support/mdns.js';
import { serve, temporaryFolder, until } from './rig.js';

const bounded = { timeout: 15_000 };
const names = { name: 'xfer on test', host: 'xfer-test' };

test('a listener is found by its service, and takes it back when it ends', bounded, async (t) => {
  const mdns = { ...names, ...(await ownPlace()) };
  const { mdns: browser, heard } = await neighbour(t, mdns.port);
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
  assert.deepEqual([a?.name, a?.data], ['xfer-test.local', '127.0.0.1']);
  assert.deepEqual(listener.urls, [`http://127.0.0.1:${port}/`], 'this machine cannot look the name up');
  assert.match(notices.join(), /announced by mDNS as "xfer on test" on xfer-test\.local/);
  heard.length = 0;
  await listener.close();
  await until(() => about('SRV').some((record) => 'ttl' in record && record.ttl === 0));
  assert.deepEqual(about('A'), []);
  heard.length = 0;
  browser.query('_http._tcp.local', 'PTR');
  const again = await neighbour(t, mdns.port);
  again.mdns.query('_other._tcp.local', 'PTR');
  assert.deepEqual(heard, []);
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
  const mdns = { ...names, ...(await ownPlace()), port: taken.address().port };
  const served = await serve(t, folder, { mdns, onNotice });
  assert.equal((await fetch(served.url)).status, 200);
  assert.match(notices[1] as string, /^not announced by mDNS: announce xfer on test: /);
});
