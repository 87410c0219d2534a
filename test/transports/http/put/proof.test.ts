/** What was put is read back and compared, where the server states no digest. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { failsWith } from '../../../support/fails-with.js';
import { feed } from '../../../support/fixtures.js';
import { scope, serve } from '../hostile-server.js';
import { afterBody, entryOf, featured, openSinkAt } from './put-rig.js';

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
