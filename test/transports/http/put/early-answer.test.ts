/** A server that refuses a body while it is sent, and closes: what it said is what is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failsWith } from '../../../support/fails-with.js';
import { patternBytes, whenClosed } from '../../../support/fixtures.js';
import { scope, serve } from '../hostile-server.js';
import { entryOf, openSinkAt } from './put-rig.js';

const BYTES = patternBytes(1_200_000);
const HALF = 450_000;
const REFUSAL = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

test('a refusal that came with a reset is heard before more is written', { timeout: 20_000 }, async (t) => {
  let begun: (refuse: () => Promise<void>) => void = () => undefined;
  const asked = new Promise<() => Promise<void>>((resolve) => {
    begun = resolve;
  });
  const url = await serve(t, (request, response) => {
    if (request.method !== 'PUT') {
      response.writeHead(404).end();
      return;
    }
    const { socket } = request;
    request.pause();
    begun(async () => {
      await new Promise<void>((resolve) => socket.write(REFUSAL, () => resolve()));
      socket.resetAndDestroy();
    });
  });
  const sink = await openSinkAt(t, `${url}/`);
  const draft = await sink.draft(entryOf('f', BYTES), scope);
  const stream = await draft.write(0, scope);
  const closed = assert.rejects(whenClosed(stream), failsWith('NO_SPACE', /the server says 413/));
  await new Promise<void>((resolve) => stream.write(BYTES.subarray(0, HALF), () => resolve()));
  await (await asked)();
  stream.end(BYTES.subarray(HALF));
  await closed;
  await draft.suspend();
});
