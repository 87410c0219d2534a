/** Row 17: clients that hang up at any stage of any answer leave nothing open. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertNoMoreThan, countOpen } from '../../../../support/leaks.js';
import { Dice, pickSeed } from '../../../../support/random.js';
import { makeSparseFile } from '../../../../support/trees.js';
import { HEAD, serveScripts } from '../cgi/cgi-rig.js';
import { get, until } from '../rig.js';

const ROUNDS = 25;
const ENTRIES = 3000;

const STAGES: Record<string, string> = {
  'a file': 'GET /big HTTP/1.1\r\nHost: test\r\n\r\n',
  'many ranges': `GET /big HTTP/1.1\r\nHost: test\r\nRange: bytes=${'0-999999,'.repeat(20)}5-\r\n\r\n`,
  'a digest': 'GET /big HTTP/1.1\r\nHost: test\r\nWant-Repr-Digest: sha-512=9\r\n\r\n',
  'a listing': 'GET /many/ HTTP/1.1\r\nHost: test\r\n\r\n',
  'an archive': 'GET /?archive=tar HTTP/1.1\r\nHost: test\r\n\r\n',
  'a compressed archive': 'GET /?archive=tgz HTTP/1.1\r\nHost: test\r\n\r\n',
  'the end of a ZIP': 'GET /?archive=zip HTTP/1.1\r\nHost: test\r\nRange: bytes=-100\r\n\r\n',
  'a rendered text': 'GET /text.md?render HTTP/1.1\r\nHost: test\r\n\r\n',
  'a script': 'GET /cgi-bin/slow HTTP/1.1\r\nHost: test\r\n\r\n',
  'the body for a script': 'POST /cgi-bin/slow HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\nhalf',
  'a head that is not whole': 'GET /big HTTP/1.1\r\nHo',
  'a body that nobody wants': 'PUT /big HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\nhalf',
};

test('at any time of any answer', { timeout: 120_000 }, async (t) => {
  const seed = pickSeed();
  t.diagnostic(`XFER_SEED=${seed}`);
  const dice = new Dice(seed);
  const { root, port, listener } = await serveScripts(
    t,
    { 'cgi-bin/slow': `${HEAD}; cat > /dev/null; echo begun; sleep 5` },
    {},
    { files: { 'text.md': '# text\n'.repeat(300), 'many/': '' }, options: { limitBytesPerSecond: 200 << 20 } },
  );
  makeSparseFile(join(root, 'big'), 64 << 20);
  for (let at = 0; at < ENTRIES; at += 1) await writeFile(join(root, 'many', `f${at}`), '');
  assert.match(await get(port, '/text.md?render'), /^HTTP\/1\.1 200 /);
  await new Promise((resolve) => setImmediate(resolve));
  const before = countOpen();
  for (let round = 0; round < ROUNDS; round += 1) {
    await Promise.all(Object.values(STAGES).map((text) => hangUp(port, text, dice)));
  }
  await until(() => listener.transfers?.().length === 0);
  await assertNoMoreThan(before, 10_000);
  assert.match(await get(port, '/many/?plain'), /^HTTP\/1\.1 200 /);
});

/** At once, at the first byte, or a little while after either. */
function hangUp(port: number, text: string, dice: Dice): Promise<void> {
  const afterMs = dice.of([0, 0, 1, 5, 20]);
  const atFirstByte = dice.below(2) === 0;
  const reset = dice.below(2) === 0;
  return new Promise((resolve) => {
    const go = (): void => void setTimeout(() => (reset ? socket.resetAndDestroy() : socket.destroy()), afterMs);
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(text);
      if (!atFirstByte) go();
      // Where no byte is to come.
      else setTimeout(go, 200);
    });
    socket.once('data', go);
    socket.on('error', () => undefined).once('close', () => resolve());
  });
}
