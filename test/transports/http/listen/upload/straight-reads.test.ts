/** Bodies that are long enough to be read past Node's parser: the same answers, and the same bytes, as all others. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { patternBytes } from '../../../../support/fixtures.js';
import { assertNoMoreThan, countOpen } from '../../../../support/leaks.js';
import { Dice, pickSeed } from '../../../../support/random.js';
import { namesIn, openBox, put, reasonOf } from './upload-rig.js';

const LIMIT = { timeout: 60_000 };
const SIZE = 20_000_003;
const BYTES = patternBytes(SIZE);

function head(name: string, length: number, fields = ''): string {
  return `PUT /${name} HTTP/1.1\r\nHost: test\r\nContent-Length: ${length}\r\n${fields}\r\n`;
}

/** Writes as the line takes it, in pieces of any length. */
async function write(socket: Socket, bytes: Uint8Array, dice: Dice): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + dice.below(600_000);
    if (!socket.write(bytes.subarray(at, end))) await new Promise((resolve) => socket.once('drain', resolve));
    at = end;
  }
}

async function answerOf(socket: Socket): Promise<string> {
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}

test('several at once, in pieces of any length, come out as they were', LIMIT, async (t) => {
  const { root, port, url } = await openBox(t);
  const seed = pickSeed();
  t.diagnostic(`seed ${seed}`);
  const dice = new Dice(seed);
  const before = countOpen();
  const names = ['a', 'b', 'c', 'd'];
  await Promise.all(
    names.map(async (name, at) => {
      const socket = connect(port, '127.0.0.1');
      const start = BYTES.subarray(0, at * 50_000);
      socket.write(Buffer.concat([Buffer.from(head(name, SIZE)), start]));
      const answer = answerOf(socket);
      await write(socket, BYTES.subarray(start.length), dice);
      assert.match(await answer, /^HTTP\/1\.1 201 Created\r\n[\s\S]*Connection: close\r\n/);
    }),
  );
  assert.equal((await put(`${url}/e`, BYTES)).status, 201);
  for (const name of [...names, 'e']) assert.ok((await readFile(join(root, name))).equals(BYTES), name);
  await assertNoMoreThan(before, 20_000);
});

test(
  'a client that ends its side with the last byte is answered, and what follows the body is never a request',
  LIMIT,
  async (t) => {
    const { root, port } = await openBox(t);
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const answer = answerOf(socket);
    socket.write(head('f', SIZE, 'Expect: 100-continue\r\n'));
    socket.end(
      Buffer.concat([BYTES, Buffer.from('PUT /smuggled HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n')]),
    );
    assert.match(await answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 Created/);
    socket.destroy();
    assert.deepEqual(await namesIn(root), ['f']);
    assert.ok((await readFile(join(root, 'f'))).equals(BYTES));
  },
);

test('a refusal in the middle, or at the end, is read by who sends', LIMIT, async (t) => {
  const { root, url } = await openBox(t, { quotaBytes: 50_000_000 });
  const digest = `sha-256=:${createHash('sha256').update('other').digest('base64')}:`;
  const wrong = await put(`${url}/f`, BYTES, { 'Repr-Digest': digest });
  assert.deepEqual([wrong.status, /digest/.test(await reasonOf(wrong))], [400, true]);
  assert.deepEqual(await namesIn(root), []);
  const right = `sha-256=:${createHash('sha256').update(BYTES).digest('base64')}:`;
  assert.equal((await put(`${url}/f`, BYTES, { 'Repr-Digest': right })).status, 201);
});

test('a client that goes away, or falls silent, in the middle leaves nothing', LIMIT, async (t) => {
  const { root, port } = await openBox(t, {}, { idleTimeoutMs: 400 });
  const before = countOpen();
  for (const end of ['destroy', 'end', 'wait'] as const) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    const answer = answerOf(socket).catch(() => '');
    socket.write(head('f', SIZE));
    socket.write(BYTES.subarray(0, 3_000_000));
    while ((await namesIn(root)).length === 0) await new Promise(setImmediate);
    if (end !== 'wait') socket[end]();
    else assert.match(await answer, /^HTTP\/1\.1 408 /);
    while ((await namesIn(root)).length > 0) await new Promise(setImmediate);
    socket.destroy();
  }
  await assertNoMoreThan(before, 20_000);
});
