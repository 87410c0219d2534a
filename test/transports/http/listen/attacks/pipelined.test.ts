/** Requests that come without waiting for answers: what they cost, and what comes after a refusal on the same connection. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { exchange, get, serve, temporaryFolder, until } from '../rig.js';

const BOUNDED = { timeout: 30_000 };

test('many requests at once of a client that reads nothing hold one file open', BOUNDED, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'big'), Buffer.alloc(8 << 20));
  const { port, source } = await serve(t, folder);
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.pause();
  socket.write('GET /big HTTP/1.1\r\nHost: test\r\n\r\n'.repeat(100));
  await until(() => source.bytesRead > 0);
  // Later requests of others are served, and by then the second one would have been begun.
  for (let round = 0; round < 20; round += 1) assert.match(await get(port, '/?plain'), /^HTTP\/1\.1 200 [\s\S]*big\n/);
  assert.equal(source.opened, 1);
  socket.destroy();
  await until(() => source.closed === 1);
  assert.equal(source.opened, 1, 'nothing is opened for those that waited');
});

test('a connection with more requests than anyone sends is cut, and others are served', BOUNDED, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'big'), Buffer.alloc(8 << 20));
  const { port, source } = await serve(t, folder);
  const floods = Array.from({ length: 20 }, () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET /big HTTP/1.1\r\nHost: test\r\n\r\n'.repeat(5000));
    return new Promise((resolve) => socket.once('close', resolve));
  });
  await Promise.all(floods);
  assert.match(await get(port, '/?plain'), /^HTTP\/1\.1 200 /);
  assert.ok(source.opened <= floods.length, `${source.opened} files for ${floods.length} connections`);
  await until(() => source.opened === source.closed);
});

test('answers come in the order of their requests, whatever each of them takes', BOUNDED, async (t) => {
  const folder = await temporaryFolder(t);
  for (let index = 0; index < 100; index += 1) await writeFile(join(folder, `f${index}`), 'x'.repeat(index * 999));
  const { port } = await serve(t, folder);
  const requests = Array.from({ length: 100 }, (_, index) => `GET /f${index} HTTP/1.1\r\nHost: test\r\n`);
  const answer = await exchange(port, `${requests.join('\r\n')}Connection: close\r\n\r\n`);
  const lengths = [...answer.matchAll(/^Content-Length: (\d+)\r$/gm)].map(([, length]) => Number(length));
  assert.deepEqual(
    lengths,
    requests.map((_, index) => index * 999),
  );
});

const LOGIN = `Authorization: Basic ${Buffer.from('anna:right').toString('base64')}\r\n`;

test('the body of what is refused is never taken for a request', BOUNDED, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'f'), 'MARKER');
  const accounts = [{ user: 'anna', password: 'right' }];
  const smuggled = `GET /f HTTP/1.1\r\nHost: test\r\n${LOGIN}\r\n`;
  for (const options of [{}, { accounts }, { metrics: true }, { token: 'tokentokentokentoken-23' }, { site: true }]) {
    const { port } = await serve(t, folder, options);
    for (const line of [
      ...['GET /none', 'GET /f', 'POST /f', 'PUT /f', 'HEAD /none', 'OPTIONS /f', 'OPTIONS *', 'DELETE /', 'GET /%'],
      ...['GET /healthz', 'POST /healthz', 'GET /metrics', 'POST /metrics', 'GET http://other/', 'GET /f/'],
    ]) {
      for (const framing of [`Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`, chunked(smuggled)]) {
        const text = `${line} HTTP/1.1\r\nHost: test\r\n${framing}GET /end HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`;
        const answer = await exchange(port, text).catch(() => '');
        const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)];
        assert.ok(statuses.length <= 2, `${line} ${JSON.stringify(options)}: ${statuses.map(([, status]) => status)}`);
        assert.doesNotMatch(answer.slice(answer.indexOf('\r\n\r\n')), /MARKER[\s\S]*MARKER/, line);
      }
    }
  }
});

function chunked(text: string): string {
  return `Transfer-Encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
}

test('what is refused on a connection does not open it for what follows, nor the other way', BOUNDED, async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'f'), 'MARKER');
  const { port } = await serve(t, folder, { accounts: [{ user: 'anna', password: 'right' }] });
  const asked = (target: string, fields: string) => `GET ${target} HTTP/1.1\r\nHost: test\r\n${fields}\r\n`;
  const answer = await exchange(
    port,
    [
      asked('/f', LOGIN),
      asked('/f', ''),
      asked('/none', LOGIN),
      asked('/f', 'Authorization: Basic x\r\n'),
      asked('/f', `${LOGIN}Connection: close\r\n`),
    ].join(''),
  );
  const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status);
  assert.deepEqual(statuses, ['200', '401', '404', '401', '200']);
});
