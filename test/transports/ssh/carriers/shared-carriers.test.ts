/** One login for what is opened together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import type { Carrier } from '#xfer/transports/ssh/carriers/carrier.js';
import { type ShareRequest, shareCarrier } from '#xfer/transports/ssh/carriers/shared-carriers.js';
import { failsWith } from '../../../support/fails-with.js';
import { HostileServer } from '../hostile-server.js';

const scope = { signal: new AbortController().signal };

class CountedCarrier implements Carrier {
  readonly account = 'sftp://me@there:22';
  readonly loginPerSession = false;
  lost: Error | undefined;
  sessions = 0;
  closed = 0;

  async openSftp() {
    this.sessions++;
    return new HostileServer().connect();
  }

  async close() {
    this.closed++;
  }
}

/** Requests that count how often they were dialled. */
function rig() {
  const dialled: CountedCarrier[] = [];
  const open = async () => {
    const carrier = new CountedCarrier();
    dialled.push(carrier);
    return carrier;
  };
  const options = {};
  const request = (given: Partial<ShareRequest> = {}): ShareRequest => ({
    options,
    destination: 'there',
    kind: 'source',
    lingers: false,
    open,
    ...given,
  });
  return { dialled, request };
}

test('two with the same options and destination share a login, and the last ends it', async () => {
  const { dialled, request } = rig();
  const [one, other] = await Promise.all([shareCarrier(request(), scope), shareCarrier(request(), scope)]);
  assert.equal(dialled.length, 1);
  const [first, second] = [await one.openSftp(scope), await other.openSftp(scope)];
  assert.equal(first, second);
  const own = await one.openSftp(scope);
  assert.notEqual(own, first);
  await one.close();
  await one.close();
  assert.ok(own.channel.ended);
  assert.equal(first.channel.ended, undefined);
  assert.equal(dialled[0]?.closed, 0);
  await assert.rejects(one.openSftp(scope), failsWith('DISCONNECTED', /closed/));
  await other.close();
  assert.equal(dialled[0]?.closed, 1);
  await (await shareCarrier(request(), scope)).close();
  assert.equal(dialled.length, 2);
});

test('other options, or another destination, are another login; another kind is another session', async () => {
  const { dialled, request } = rig();
  const all = [
    await shareCarrier(request(), scope),
    await shareCarrier(request({ options: {} }), scope),
    await shareCarrier(request({ destination: 'elsewhere' }), scope),
    await shareCarrier(request({ kind: 'sink' }), scope),
  ];
  assert.equal(dialled.length, 3);
  const sessions = await Promise.all(all.map((carrier) => carrier.openSftp(scope)));
  assert.equal(new Set(sessions).size, 4);
  await Promise.all(all.map((carrier) => carrier.close()));
  assert.deepEqual(
    dialled.map(({ closed }) => closed),
    [1, 1, 1],
  );
});

test('a lost connection, and a session that ended, are not shared', async () => {
  const { dialled, request } = rig();
  const one = await shareCarrier(request(), scope);
  (await one.openSftp(scope)).end();
  const other = await shareCarrier(request(), scope);
  assert.equal((await other.openSftp(scope)).channel.ended, undefined);
  (dialled[0] as CountedCarrier).lost = new XferError('DISCONNECTED', 'gone');
  const third = await shareCarrier(request(), scope);
  assert.equal(dialled.length, 2);
  await Promise.all([one.close(), other.close(), third.close()]);
  assert.deepEqual(
    dialled.map(({ closed }) => closed),
    [1, 1],
  );
});

test('after a look the connection stays for who comes next', async () => {
  const { dialled, request } = rig();
  await (await shareCarrier(request({ lingers: true }), scope)).close();
  assert.equal(dialled[0]?.closed, 0);
  const next = await shareCarrier(request(), scope);
  assert.equal(dialled.length, 1);
  await next.close();
  assert.equal(dialled[0]?.closed, 1);
});

test('a failure is told to all who wait; that one gave up is not', async () => {
  const { request } = rig();
  const failing = request({ open: () => Promise.reject(new XferError('DENIED', 'no')) });
  const both = await Promise.allSettled([shareCarrier(failing, scope), shareCarrier(failing, scope)]);
  for (const each of both) assert.ok(each.status === 'rejected' && failsWith('DENIED')(each.reason));
  const reason = new Error('enough');
  const aborted = shareCarrier(request({ open: () => Promise.reject(reason) }), scope);
  const patient = shareCarrier(request(), scope);
  await assert.rejects(aborted, reason);
  await (await patient).close();
});
