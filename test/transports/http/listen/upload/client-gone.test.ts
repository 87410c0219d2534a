/** Clients that go as soon as they have sent all: the name is free again at once, right or absent. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { patternBytes } from '../../../../support/fixtures.js';
import { namesIn, openBox } from './upload-rig.js';

const ROUNDS = 60;

test('a client that goes with its last byte leaves no upload under way', { timeout: 60_000 }, async (t) => {
  const { root, port, url } = await openBox(t);
  const bytes = patternBytes(90_000);
  const names = Array.from({ length: ROUNDS }, (_, round) => `f${round}`);
  await Promise.all(
    names.map(async (name, round) => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.on('error', () => undefined);
      const head = `PUT /${name} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${bytes.length}\r\n\r\n`;
      socket.write(Buffer.concat([Buffer.from(head), bytes]), () => socket.end());
      await pause(round % 8);
      socket.destroy();
    }),
  );
  for (const name of names) {
    const put = () => fetch(`${url}/${name}`, { method: 'PUT', body: bytes as unknown as BodyInit });
    const started = performance.now();
    let answer = await put();
    // Until its end was seen; and what came whole has the name.
    while (answer.headers.has('retry-after') && performance.now() - started < 10_000) {
      await pause(50);
      answer = await put();
    }
    assert.ok(answer.status === 201 || (answer.status === 409 && !answer.headers.has('retry-after')), name);
    assert.ok(existsSync(join(root, name)) && readFileSync(join(root, name)).equals(bytes));
  }
  assert.deepEqual(await namesIn(root), names.toSorted());
});
