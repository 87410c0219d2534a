/** A file whose bytes were all sent, and whose answer was lost on its way back. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { failsWith } from '../../../support/fails-with.js';
import { patternBytes } from '../../../support/fixtures.js';
import { serve } from '../hostile-server.js';
import { afterBody, featured, openSinkAt, putFile } from './put-rig.js';

const TIME = { timeout: 20_000 };

/** A server that keeps what it is sent, and answers by `answer` the first time; it states neither digest nor time. */
async function keeping(t: TestContext, answer: (response: ServerResponse) => unknown) {
  const kept = new Map<string, Buffer>();
  const server = featured({}, (request, response) => {
    const { method, url = '' } = request;
    const there = kept.get(url);
    if (method === 'HEAD') response.writeHead(there ? 200 : 404, { 'Content-Length': there?.length ?? 0 }).end();
    else {
      afterBody(request, (body) => {
        kept.set(url, body);
        answer(response);
      });
    }
  });
  return { kept, sink: await openSinkAt(t, `${await serve(t, server)}/`, { replace: false }) };
}

for (const size of [200_000, 3_000_000]) {
  const bytes = patternBytes(size);

  test(`${size} bytes whose answer was lost are known again`, TIME, async (t) => {
    for (const answer of [
      (response: ServerResponse) => response.socket?.destroy(),
      (response: ServerResponse) => response.writeHead(504).end(),
    ]) {
      const { kept, sink } = await keeping(t, answer);
      await assert.rejects(putFile(sink, 'f', bytes));
      await putFile(sink, 'f', bytes);
      assert.deepEqual(kept.get('/f'), bytes);
    }
  });

  test(`${size} bytes: one of another length, and one that was refused, are somebody else's`, TIME, async (t) => {
    const { kept, sink } = await keeping(t, (response) => response.writeHead(500).end());
    await assert.rejects(putFile(sink, 'f', bytes), failsWith('DISCONNECTED'));
    await assert.rejects(putFile(sink, 'f', bytes), failsWith('EXISTS'));
    kept.set('/g', bytes.subarray(1));
    await assert.rejects(putFile(sink, 'g', bytes), failsWith('EXISTS'));
  });
}

test(
  'what a server keeps of a file that nobody goes on with is removed, unless it may be the file',
  TIME,
  async (t) => {
    const answers = {
      full: (response: ServerResponse) => response.writeHead(507).end(),
      lost: (response: ServerResponse) => response.socket?.destroy(),
    };
    for (const [name, answer] of Object.entries(answers)) {
      const removed: string[] = [];
      const server = featured({}, (request, response) => {
        const { method, url = '' } = request;
        if (method === 'DELETE') removed.push(url);
        if (method !== 'PUT') return void response.writeHead(method === 'HEAD' ? 404 : 204).end();
        response.socket?.write('HTTP/1.1 104 Upload Resumption Supported\r\nLocation: /kept/1\r\n\r\n');
        afterBody(request, () => answer(response));
      });
      const sink = await openSinkAt(t, `${await serve(t, server)}/`);
      await assert.rejects(putFile(sink, 'f', patternBytes(3_000_000)));
      assert.deepEqual(removed, name === 'full' ? ['/kept/1'] : [], name);
    }
  },
);
