import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { patternBytes } from '../../../../support/fixtures.js';
import { type Box, namesIn, openBox } from './upload-rig.js';

const LIMIT = { timeout: 60_000 };
const VERSION = { 'Upload-Draft-Interop-Version': '8' };

/** Sends a head and some bytes, and resolves with all that came once the answers have, or the line is cut. */
async function send(box: Box, head: string, bytes: Uint8Array, until: RegExp, cut = false): Promise<string> {
  const socket = connect(box.port, '127.0.0.1');
  let answer = '';
  socket.write(`${head}\r\nHost: test\r\nUpload-Draft-Interop-Version: 8\r\n\r\n`);
  socket.write(bytes);
  for await (const chunk of socket) {
    answer += chunk;
    if (until.test(answer)) break;
  }
  if (cut) socket.destroy();
  return answer;
}

function state(answer: Response): (string | null)[] {
  return [
    String(answer.status),
    answer.headers.get('upload-offset'),
    answer.headers.get('upload-complete'),
    answer.headers.get('upload-length'),
  ];
}

const PUT = 'PUT /f HTTP/1.1\r\nUpload-Complete: ?1\r\nContent-Length: 1000000';

async function begun(box: Box, bytes: Uint8Array): Promise<string> {
  const early = await send(box, PUT, bytes.subarray(0, 400_000), /\r\n\r\n/, true);
  const [, location] =
    /^HTTP\/1\.1 104 Upload Resumption Supported\r\n(?:.+\r\n)*?Location: (\S+)\r\n/.exec(early) ?? [];
  assert.ok(location, early);
  assert.match(early, /\r\nUpload-Limit: max-age=86400\r\n/);
  return new URL(location, `${box.url}/f`).href;
}

async function headUntil(url: string, least: number): Promise<Response> {
  for (;;) {
    const answer = await fetch(url, { method: 'HEAD', headers: VERSION });
    if (Number(answer.headers.get('upload-offset')) >= least) return answer;
    await new Promise(setImmediate);
  }
}

function patch(url: string, offset: number, complete: string, bytes: Uint8Array, fields: Record<string, string> = {}) {
  const headers = {
    ...VERSION,
    'Upload-Offset': String(offset),
    'Upload-Complete': complete,
    'Content-Type': 'application/partial-upload',
    ...fields,
  };
  return fetch(url, { method: 'PATCH', body: bytes as BodyInit, headers });
}

test('where it goes on is said before the end, and it goes on after a break', LIMIT, async (t) => {
  const box = await openBox(t);
  const bytes = patternBytes(1_000_000);
  const url = await begun(box, bytes);
  const head = await headUntil(url, 1);
  const offset = Number(head.headers.get('upload-offset'));
  assert.deepEqual(state(head), ['204', String(offset), '?0', '1000000']);
  assert.equal(head.headers.get('cache-control'), 'no-store');
  const middle = offset + 100_000;
  assert.deepEqual(state(await patch(url, offset, '?0', bytes.subarray(offset, middle))).slice(0, 3), [
    '204',
    String(middle),
    '?0',
  ]);
  const second = await box.again();
  const later = url.replace(box.url, second.url);
  assert.deepEqual(state(await patch(later, middle, '?1', bytes.subarray(middle))).slice(0, 3), [
    '204',
    '1000000',
    '?1',
  ]);
  assert.ok((await readFile(join(box.root, 'f'))).equals(bytes));
  assert.deepEqual(await namesIn(box.root), ['f']);
  assert.deepEqual(state(await fetch(later, { method: 'HEAD' })), ['204', '1000000', '?1', '1000000']);
});

test('a whole upload in one request ends as a PUT does', LIMIT, async (t) => {
  const box = await openBox(t);
  const bytes = patternBytes(1_000_000);
  const answer = await send(box, PUT, bytes, /HTTP\/1\.1 201 [\s\S]*Created\n/);
  assert.match(answer, /^HTTP\/1\.1 104 [\s\S]*\r\n\r\nHTTP\/1\.1 201 Created\r\n[\s\S]*Upload-Complete: \?1\r\n/);
  assert.ok((await readFile(join(box.root, 'f'))).equals(bytes));
});

test('what does not agree is a problem, and the offset is said', LIMIT, async (t) => {
  const box = await openBox(t);
  const bytes = patternBytes(1_000_000);
  const url = await begun(box, bytes);
  const offset = Number((await headUntil(url, 1)).headers.get('upload-offset'));
  const wrong = await patch(url, offset + 1, '?1', bytes);
  assert.deepEqual(state(wrong).slice(0, 2), ['409', String(offset)]);
  assert.equal(wrong.headers.get('content-type'), 'application/problem+json');
  const problem = (await wrong.json()) as Record<string, unknown>;
  assert.match(String(problem.type), /#mismatching-upload-offset$/);
  assert.deepEqual([problem['expected-offset'], problem['provided-offset']], [offset, offset + 1]);
  const longer = await patch(url, offset, '?1', Buffer.alloc(1_000_001 - offset));
  assert.match(String(((await longer.json()) as Record<string, unknown>).type), /#inconsistent-upload-length$/);
  const rest = patch(url, offset, '?1', bytes.subarray(offset));
  assert.equal((await rest).status, 204);
  const again = await patch(url, 1_000_000, '?1', Buffer.alloc(0));
  assert.match(String(((await again.json()) as Record<string, unknown>).type), /#completed-upload$/);
});

test('a digest of the whole, and one of a part, are checked across requests', LIMIT, async (t) => {
  const box = await openBox(t);
  const bytes = patternBytes(10_000);
  const field = (part: Uint8Array): string => `sha-256=:${createHash('sha256').update(part).digest('base64')}:`;
  for (const [name, whole] of [
    ['good', bytes],
    ['bad', bytes.subarray(1)],
  ] as const) {
    const start = await fetch(`${box.url}/${name}`, {
      method: 'PUT',
      headers: { ...VERSION, 'Upload-Complete': '?0', 'Upload-Length': '10000', 'Repr-Digest': field(whole) },
      body: bytes.subarray(0, 4000) as unknown as BodyInit,
    });
    assert.deepEqual(state(start), ['201', '4000', '?0', '10000']);
    const url = new URL(start.headers.get('location') as string, `${box.url}/${name}`).href;
    const rest = bytes.subarray(4000);
    assert.equal((await patch(url, 4000, '?1', rest, { 'Content-Digest': field(bytes) })).status, 400);
    assert.deepEqual(state(await fetch(url, { method: 'HEAD' })).slice(0, 3), ['204', '4000', '?0']);
    const end = await patch(url, 4000, '?1', rest, { 'Content-Digest': field(rest) });
    assert.equal(end.status, name === 'good' ? 204 : 400);
  }
  assert.deepEqual(await namesIn(box.root), ['good']);
});

test('a client of another version, or of none, is answered as if it had not asked', LIMIT, async (t) => {
  const box = await openBox(t);
  const head =
    'PUT /f HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\nUpload-Complete: ?1\r\nUpload-Draft-Interop-Version: 99\r\n\r\n';
  const socket = connect(box.port, '127.0.0.1');
  socket.write(head);
  socket.write(patternBytes(1_000_000));
  let answer = '';
  for await (const chunk of socket) {
    answer += chunk;
    if (/\r\n\r\n/.test(answer)) break;
  }
  assert.match(answer, /^HTTP\/1\.1 201 /);
});

test('an upload that is cancelled is gone', LIMIT, async (t) => {
  const box = await openBox(t);
  const url = await begun(box, patternBytes(1_000_000));
  assert.equal((await fetch(url, { method: 'DELETE' })).status, 204);
  assert.equal((await fetch(url, { method: 'HEAD' })).status, 404);
  assert.deepEqual(await namesIn(box.root), []);
});
