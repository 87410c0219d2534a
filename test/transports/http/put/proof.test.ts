/** What was put is read back and compared, where the server states no digest. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { failsWith } from '../../../support/fails-with.js';
import { feed, patternBytes } from '../../../support/fixtures.js';
import { scope, serve } from '../hostile-server.js';
import { afterBody, entryOf, featured, openSinkAt, putFile } from './put-rig.js';

const TIME = { timeout: 20_000 };

test('what is read back to be proven may neither stall nor come encoded', TIME, async (t) => {
  const bytes = Buffer.from('x'.repeat(1000));
  const removed: string[] = [];
  const prove = async (fields: OutgoingHttpHeaders, start: string, idleTimeoutMs: number): Promise<void> => {
    const server = featured({}, (request, response) => {
      const { method, url = '' } = request;
      if (method === 'DELETE') removed.push(url);
      if (method === 'GET') response.writeHead(200, fields).write(start);
      else afterBody(request, () => response.writeHead(method === 'PUT' ? 201 : 404).end());
    });
    const sink = await openSinkAt(t, `${await serve(t, server)}/`, { idleTimeoutMs });
    const entry = entryOf('f', bytes);
    const draft = await sink.draft(entry, scope);
    await draft.expect?.('sha256', createHash('sha256').update(bytes).digest('hex'));
    await feed(await draft.write(0, scope), bytes);
    await draft.commit(entry, scope);
  };
  await assert.rejects(prove({ 'Content-Length': 1000 }, 'x'.repeat(10), 200), failsWith('TIMED_OUT'));
  await assert.rejects(prove({ 'Content-Encoding': 'gzip' }, 'zipped', 5000), failsWith('UNSUPPORTED'));
  assert.deepEqual(removed, []);
});

test('a server of WebDAV that keeps less than it was sent is found out by the length it states', TIME, async (t) => {
  for (const size of [200_000, 3_000_000]) {
    const bytes = patternBytes(size);
    const removed: string[] = [];
    let kept = size;
    const server = featured({ DAV: '1' }, (request, response) => {
      const { method, url = '' } = request;
      const text = `<D:multistatus xmlns:D="DAV:"><D:getcontentlength>${kept}</D:getcontentlength></D:multistatus>`;
      if (method === 'DELETE') removed.push(url);
      afterBody(request, () => response.writeHead(method === 'PUT' ? 201 : 207).end(method === 'PUT' ? '' : text));
    });
    const sink = await openSinkAt(t, `${await serve(t, server)}/`);
    await putFile(sink, 'f', bytes);
    kept = size - 1;
    const message = new RegExp(`${size - 1} bytes are there, and ${size} were sent`);
    await assert.rejects(putFile(sink, 'f', bytes), failsWith('CORRUPT', message));
    assert.deepEqual(removed, []);
  }
});
