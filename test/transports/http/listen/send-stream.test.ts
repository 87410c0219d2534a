/** A stream that is to be sent to a client which has gone. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { XferError } from '#xfer/errors.js';
import { sendStream } from '#xfer/transports/http/listen/exchange.js';
import { FairLimit } from '#xfer/transports/http/listen/limit/fair-limit.js';
import { paceOf } from '#xfer/transports/http/listen/limit/paced.js';

async function exchangeOfGone(t: TestContext): Promise<{ request: IncomingMessage; response: ServerResponse }> {
  const server = createServer();
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
  const [request, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
  client.on('error', () => undefined).resetAndDestroy();
  await once(response, 'close');
  return { request, response };
}

for (const limited of [true, false]) {
  test(`is told to whoever sends it, and to nobody else${limited ? ', at a rate as well' : ''}`, async (t) => {
    const { request, response } = await exchangeOfGone(t);
    const limit = limited ? new FairLimit({ bytesPerSecond: 1 << 20 }) : undefined;
    const pace = limit && paceOf(limit, '127.0.0.1', request, response);
    const tally = { bytes: 0 };
    const body = Readable.from([Buffer.from('a'), Buffer.from('b')], { objectMode: false });
    await assert.rejects(sendStream({ request, response, tally, pace }, body), Error);
    for (let turns = 0; turns < 5; turns += 1) await nextTurn();
    assert.ok(body.destroyed);
    assert.ok(body.errored instanceof XferError);
  });
}
