/** Servers that lie, are silent, or never end: each is a clear error, in bounded time, and nothing goes elsewhere. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import type { ErrorCode } from '#xfer/errors.js';
import { failsWith } from '../../../support/fails-with.js';
import { patternBytes } from '../../../support/fixtures.js';
import { scope, serve } from '../hostile-server.js';
import { afterBody, DRAFT, featured, openSinkAt, putFile, TUS } from './put-rig.js';

const TIME = { timeout: 20_000 };
const BYTES = patternBytes(2_000_000);

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A draft server whose PUT is whole and right, and says `offset` of it; asked later it says `held`. */
function draftServer(offset: string, held = offset): Answer {
  return featured(DRAFT, (request, response) => {
    if (request.method === 'HEAD') response.writeHead(204, { 'Upload-Offset': held, 'Upload-Complete': '?0' }).end();
    else if (request.method === 'DELETE') response.writeHead(204).end();
    else {
      response.socket?.write('HTTP/1.1 104 Upload Resumption Supported\r\nLocation: /.up/1\r\n\r\n');
      afterBody(request, () => {
        const fields = { Location: '/.up/1', 'Upload-Offset': offset, 'Upload-Complete': '?0' };
        response.writeHead(201, fields).end();
      });
    }
  });
}

function tusServer(patch: (request: IncomingMessage, response: ServerResponse) => void): Answer {
  return featured(TUS, (request, response) => {
    if (request.method === 'POST') response.writeHead(201, { Location: '/files/1' }).end();
    else if (request.method === 'PATCH') afterBody(request, () => patch(request, response));
    else response.writeHead(204).end();
  });
}

async function fails(t: TestContext, answer: Answer, code: ErrorCode, text: RegExp, idleTimeoutMs = 5000) {
  const url = await serve(t, answer);
  const sink = await openSinkAt(t, `${url}/`, { idleTimeoutMs });
  await assert.rejects(putFile(sink, 'file', BYTES), failsWith(code, text));
}

test('a draft server that holds more than was sent', TIME, (t) =>
  fails(t, draftServer('2000001'), 'PROTOCOL', /holds 2000001 bytes, and 2000000 were sent/),
);

test('a draft server that took less than was sent may be asked again', TIME, (t) =>
  fails(t, draftServer('1000'), 'DISCONNECTED', /took 1000 of 2000000 bytes/),
);

test('what a server says to hold later is not believed beyond what was sent', TIME, async (t) => {
  const url = await serve(t, draftServer('1000', '1999999'));
  const sink = await openSinkAt(t, `${url}/`);
  const entry = { path: 'file', kind: 'file', size: BYTES.length, version: 'v1' } as const;
  const draft = await sink.draft(entry, scope);
  const stream = await draft.write(0, scope);
  await new Promise<void>((resolve) => stream.write(BYTES.subarray(0, 500_000), () => resolve()));
  stream.on('error', () => undefined).destroy();
  await draft.suspend();
  await assert.rejects(sink.draft(entry, scope), failsWith('PROTOCOL', /holds 1999999 bytes, which were never sent/));
  // It is not asked a second time: the next try begins anew.
  assert.deepEqual((await sink.draft(entry, scope)).held, []);
});

test('a server that goes backwards', TIME, (t) =>
  fails(
    t,
    tusServer((_request, response) => response.writeHead(204, { 'Upload-Offset': '-5' }).end()),
    'PROTOCOL',
    /does not say how much it holds/,
  ),
);

test('a server that goes backwards in a later part', TIME, async (t) => {
  let parts = 0;
  const answer = tusServer((request, response) => {
    parts += 1;
    const offset = Number(request.headers['upload-offset']) + Number(request.headers['content-length']);
    response.writeHead(204, { 'Upload-Offset': parts === 2 ? '7' : String(offset) }).end();
  });
  const url = await serve(t, answer);
  const sink = await openSinkAt(t, `${url}/`, { chunkBytes: 600_000 });
  await assert.rejects(putFile(sink, 'file', BYTES), failsWith('PROTOCOL', /held 600000 bytes, and now says 7/));
});

test('success before the body was there', TIME, (t) =>
  fails(
    t,
    featured({}, (_request, response) => response.writeHead(201).end()),
    'PROTOCOL',
    /says 201 before it had it all/,
  ),
);

test('a success at the end without the end', TIME, (t) =>
  fails(
    t,
    featured(DRAFT, (request, response) => {
      afterBody(request, () => {
        const offset = Number(request.headers['upload-offset'] ?? 0);
        const fields = { Location: '/.up/1', 'Upload-Offset': String(offset || BYTES.length), 'Upload-Complete': '?0' };
        response.writeHead(201, fields).end();
      });
    }),
    'PROTOCOL',
    /still wants more after the end/,
  ),
);

test('no answer, ever', TIME, async (t) => {
  const url = await serve(
    t,
    featured({}, (request) => void request.resume()),
  );
  const sink = await openSinkAt(t, `${url}/`, { idleTimeoutMs: 400 });
  await assert.rejects(putFile(sink, 'file', BYTES), failsWith('TIMED_OUT', /no answer in 400 ms/));
  const small = sink.put?.({ path: 'small', kind: 'file', size: 3 }, Buffer.from('abc'), false, scope);
  await assert.rejects(small ?? Promise.resolve(), failsWith('TIMED_OUT', /no answer in 400 ms/));
});

test('a server that takes nothing', TIME, async (t) => {
  const answer = featured({}, (request, response) => {
    response.writeContinue();
    request.socket.pause();
  });
  const url = await serve(t, answer);
  const sink = await openSinkAt(t, `${url}/`, { idleTimeoutMs: 400 });
  const bytes = Buffer.alloc(64 << 20);
  await assert.rejects(putFile(sink, 'file', bytes), failsWith('TIMED_OUT', /nothing was taken in 400 ms/));
});

test('headers without end', TIME, (t) =>
  fails(
    t,
    featured({}, (request, response) => {
      request.resume();
      response.socket?.write('HTTP/1.1 201 Created\r\n');
      const more = setInterval(() => response.socket?.write(`X-More: ${'x'.repeat(4000)}\r\n`), 1);
      response.on('close', () => clearInterval(more));
    }),
    'PROTOCOL',
    /headers have no end/,
  ),
);

test('a body without end after the answer costs a bounded time', TIME, (t) =>
  fails(
    t,
    featured({}, (request, response) => {
      request.resume();
      response.writeHead(403, { 'Content-Type': 'text/plain' });
      const more = setInterval(() => response.write('no '), 1);
      response.on('close', () => clearInterval(more));
    }),
    'TIMED_OUT',
    /its answer has no end/,
    2000,
  ),
);

test('interim answers without end', TIME, (t) =>
  fails(
    t,
    featured({}, (request, response) => {
      request.resume();
      const flood = 'HTTP/1.1 104 Upload Resumption Supported\r\nUpload-Offset: 0\r\n\r\n'.repeat(500);
      const more = setInterval(() => response.socket?.write(flood), 1);
      response.on('close', () => clearInterval(more));
    }),
    'PROTOCOL',
    /interim answers come without end/,
  ),
);

test('a change of protocol that nobody asked for', TIME, (t) =>
  fails(
    t,
    featured({}, (_request, response) => {
      response.socket?.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n');
    }),
    'PROTOCOL',
    /goes over to another protocol/,
  ),
);

test('an upload that is to go on at another host', TIME, async (t) => {
  let asked = 0;
  const other = await serve(t, (_request, response) => {
    asked += 1;
    response.end();
  });
  for (const fields of [DRAFT, TUS]) {
    const location = `${other.replace('127.0.0.1', 'localhost')}/up`;
    const answer = featured(fields, (request, response) => {
      if (request.method === 'PUT') {
        response.socket?.write(`HTTP/1.1 104 Upload Resumption Supported\r\nLocation: ${location}\r\n\r\n`);
        response.writeContinue();
        request.resume();
      } else response.writeHead(201, { Location: location }).end();
    });
    await fails(t, answer, 'PROTOCOL', /wants the upload to go on at http:\/\/localhost:\d+\/up/);
  }
  assert.equal(asked, 0);
});

test('no HTTP at all', TIME, async (t) => {
  const url = await serve(t, (_request, response) => response.socket?.end('SSH-2.0-x\r\n'));
  await assert.rejects(openSinkAt(t, `${url}/`), failsWith('PROTOCOL', /not HTTP/));
});
