import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import type { OpenFile } from '#xfer/transport.js';
import { collect, patternBytes } from '../../../../support/fixtures.js';
import { get, serve } from '../rig.js';
import { fetchWhole, responseOf, zipMembers } from './archive-rig.js';
import { type MadeUpFile, madeUpSource } from './made-up-source.js';

const small = (text: string): MadeUpFile => ({ bytes: Buffer.from(text), version: text });
/** More than all buffers between a file and a client that does not read. */
const large: MadeUpFile = { bytes: patternBytes(64 << 20), version: 'large' };

/** Something that is waited for until the test lets it go. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test('a file that is another one when it is opened is not sent', { timeout: 10_000 }, async (t) => {
  for (const form of ['zip', 'tar', 'tar.gz']) {
    for (const swapped of [small('other'), small('longer than it was'), small('')]) {
      const share = madeUpSource(new Map([['a', small('first')]]));
      share.open = madeUpSource(new Map([['a', swapped]])).open as NonNullable<typeof share.open>;
      const { url } = await serve(t, '/none', { share });
      await assert.rejects(fetchWhole(`${url}/?archive=${form}`), form);
    }
  }
});

test('a range that ends inside a file that changed is cut as well', { timeout: 10_000 }, async (t) => {
  const files = new Map([['a', large]]);
  const { url } = await serve(t, '/none', { share: madeUpSource(files) });
  const response = await responseOf(`${url}/?archive=tar`, { range: `bytes=0-${large.bytes.length - 5}` });
  files.set('a', { ...large, version: 'changed' });
  await assert.rejects(collect(response), /aborted/);
});

test('the room of an archive is free only once its files are closed', { timeout: 20_000 }, async (t) => {
  const [closing, opening] = [gate(), gate()];
  const share = madeUpSource(
    new Map([
      ['a', large],
      ['b', small('after it')],
    ]),
  );
  const open = share.open as (path: string, scope: never) => Promise<OpenFile>;
  share.open = async (path) => {
    const file = await open(path, undefined as never);
    if (path === 'b') await opening.opened;
    return { ...file, close: () => (path === 'a' ? closing.opened : file.close()) };
  };
  const { url, port } = await serve(t, '/none', { share, archives: { underWay: 1 } });
  const hangUp = await responseOf(`${url}/?archive=zip`);
  hangUp.on('error', () => undefined);
  hangUp.once('data', () => hangUp.destroy());
  await new Promise((resolve) => hangUp.once('close', resolve));
  const busy = async (): Promise<boolean> =>
    /^HTTP\/1\.1 503 /.test(await get(port, '/?archive=zip', 'Range: bytes=0-1\r\n'));
  for (let round = 0; round < 20; round += 1) assert.ok(await busy(), 'one is being closed');
  closing.open();
  for (let round = 0; round < 20; round += 1) assert.ok(await busy(), 'another is being opened');
  opening.open();
  while (await busy());
  assert.equal((await fetchWhole(`${url}/?archive=zip`)).status, 200);
});

test('the checksum of what changed just now is not taken for that of what comes next', {
  timeout: 10_000,
}, async (t) => {
  const mtimeMs = Date.now();
  const files = new Map([['a', { ...small('first'), version: 'same', mtimeMs }]]);
  const { url } = await serve(t, '/none', { share: madeUpSource(files) });
  const first = await fetchWhole(`${url}/?archive=zip`);
  files.set('a', { bytes: Buffer.from('other'), version: 'same', mtimeMs });
  const { body } = await fetchWhole(`${url}/?archive=zip`, { range: 'bytes=-90' });
  const crc = zipMembers(Buffer.concat([first.body.subarray(0, -90), body])).at(-1)?.crc;
  assert.equal(crc, crc32('other'));
});

test('reading for a checksum keeps the connection awake', { timeout: 20_000 }, async (t) => {
  const share = madeUpSource(new Map([['a', large]]));
  const open = share.open as (path: string, scope: never) => Promise<OpenFile>;
  share.open = async (path) => {
    const file = await open(path, undefined as never);
    const { read } = file;
    return { ...file, read: (range) => read(range).map(slowly, { concurrency: 1 }) };
  };
  // Each piece comes well within the limit, all of them far from it.
  const slowly = (piece: Buffer): Promise<Buffer> => new Promise((resolve) => setTimeout(resolve, 5, piece));
  const { url } = await serve(t, '/none', { share, idleTimeoutMs: 400 });
  const startMs = performance.now();
  const { status, body } = await fetchWhole(`${url}/?archive=zip`, { range: 'bytes=-60' });
  assert.ok(performance.now() - startMs > 1000);
  assert.deepEqual([status, body.length], [206, 60]);
});
