import assert from 'node:assert/strict';
import { utimes, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import type { Source } from '#xfer/transport.js';
import type { HttpListenOptions } from '#xfer/transports/http/listen/index.js';
import { failsWith } from '../../../../support/fails-with.js';
import { exchange, type Served, serve, temporaryFolder, until } from '../rig.js';

const limit = { timeout: 20_000 };
/** More than the buffers of a connection hold, half of it too. */
const BIG_BYTES = 32 << 20;

interface Counted extends Served {
  readonly notices: string[];
  readonly ended: () => boolean;
}

async function serveCounted(t: TestContext, options: Partial<HttpListenOptions>): Promise<Counted> {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'big'), Buffer.alloc(BIG_BYTES, 'x'));
  await writeFile(join(folder, 'other'), 'other');
  await writeFile(join(folder, 'empty'), '');
  for (const name of ['big', 'other', 'empty']) await utimes(join(folder, name), 1, 1);
  const notices: string[] = [];
  const served = await serve(t, folder, { ...options, onNotice: (line) => void notices.push(line) });
  let ended = false;
  void served.listener.closed.then(() => {
    ended = true;
  });
  return { ...served, notices, ended: () => ended };
}

const ask = (path: string, fields = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n${fields}\r\n`;

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0);

/** Reads so many bytes of a big answer and no more, and holds the connection. */
async function startDownload(port: number, text: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1', () => socket.write(text));
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('readable', resolve));
  socket.read(1000);
  return socket;
}

/** Takes the rest of what was held, and says how much it was. */
function finish(socket: Socket): Promise<number> {
  let bytes = 0;
  return new Promise((resolve) => {
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
    socket.on('close', () => resolve(bytes));
    socket.resume();
  });
}

test('the listener ends after so many whole downloads, of whatever file, and says why', limit, async (t) => {
  const { port, ended, listener, notices } = await serveCounted(t, { maxDownloads: 3 });
  // Browsers keep such a connection ready; it holds nothing up.
  const ready = connect(port, '127.0.0.1');
  ready.on('error', () => undefined);
  for (const path of ['/other', '/empty']) assert.equal(statusOf(await exchange(port, ask(path))), 200);
  assert.equal(ended(), false);
  assert.equal(statusOf(await exchange(port, ask('/other'))), 200, 'the same file again is another download');
  await listener.closed;
  assert.deepEqual(notices, ['serve: all 3 downloads were made, so it ends']);
  await assert.rejects(exchange(port, ''));
});

test('what is no whole download is not counted', limit, async (t) => {
  const { port, ended, notices, source } = await serveCounted(t, { maxDownloads: 1 });
  const { 0: head = '' } = await Promise.all([exchange(port, ask('/big').replace('GET', 'HEAD'))]);
  const etag = /^ETag: (.*)\r$/m.exec(head)?.[1];
  const rows: [text: string, status: number][] = [
    [ask('/'), 200],
    [ask('/?json'), 200],
    [ask('/none'), 404],
    [ask('/other').replace('GET', 'OPTIONS'), 204],
    [ask('/other').replace('GET', 'POST'), 405],
    [ask('/other', `If-None-Match: *\r\n`), 304],
    [ask('/big', `If-None-Match: ${etag}\r\n`), 304],
    [ask('/big', 'If-Match: "x"\r\n'), 412],
    [ask('/big', 'Range: bytes=99999999-\r\n'), 416],
    [ask('/big', 'Range: bytes=1-\r\n'), 206],
    [ask('/big', `Range: bytes=2-${BIG_BYTES - 1}\r\n`), 206],
    [ask('/other', 'Range: bytes=0-1,3-3\r\n'), 206],
  ];
  for (const [text, status] of rows) assert.equal(statusOf(await exchange(port, text)), status, text);
  (await startDownload(port, ask('/big'))).destroy();
  await until(() => source.opened === source.closed);
  assert.deepEqual([ended(), notices], [false, []]);
  assert.equal(statusOf(await exchange(port, ask('/other'))), 200);
  await until(ended);
});

test('ranges that together are the whole of one version are one download', limit, async (t) => {
  const half = BIG_BYTES / 2;
  const ways: Record<string, string[]> = {
    'one after another': [`bytes=0-${half - 1}`, `bytes=${half}-`],
    'from the end': [`bytes=-${half}`, `bytes=0-${half}`],
    'several at once': [`bytes=0-99,200-299`, `bytes=100-199`, `bytes=300-`],
    'in one': ['bytes=0-'],
  };
  for (const [name, ranges] of Object.entries(ways)) {
    const { port, ended } = await serveCounted(t, { maxDownloads: 1 });
    for (const range of ranges) {
      assert.equal(ended(), false, name);
      assert.equal(statusOf(await exchange(port, ask('/big', `Range: ${range}\r\n`))), 206, name);
    }
    await until(ended);
  }
  // A client that was cut goes on where it was.
  const { port, ended, source } = await serveCounted(t, { maxDownloads: 1 });
  (await startDownload(port, ask('/big'))).destroy();
  await until(() => source.opened === source.closed);
  assert.equal(statusOf(await exchange(port, ask('/big', 'Range: bytes=900-\r\n'))), 206);
  await until(ended);
});

test('lanes of one client share a download, and nobody else gets a second one meanwhile', limit, async (t) => {
  const { port, ended, source } = await serveCounted(t, { maxDownloads: 1 });
  const half = BIG_BYTES / 2;
  const lane = await startDownload(port, ask('/big', `Range: bytes=0-${half - 1}\r\n`));
  const others = [ask('/other'), ask('/big'), ask('/big', `Range: bytes=0-99\r\n`), ask('/empty')];
  for (const text of others) {
    const answer = await exchange(port, text);
    assert.match(answer, /^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: 5\r\n/, text);
  }
  const rest = await exchange(port, ask('/big', `Range: bytes=${half}-\r\n`));
  assert.deepEqual([statusOf(rest), ended()], [206, false]);
  // The place of a download that was cut is free again.
  lane.destroy();
  await until(() => source.opened === source.closed);
  assert.equal(statusOf(await exchange(port, ask('/other'))), 200);
  await until(ended);
});

test(
  'a place is free again when its client has gone, and that of a request that waited behind another',
  limit,
  async (t) => {
    const { port, ended, source } = await serveCounted(t, { maxDownloads: 2 });
    const both = await startDownload(port, `GET /big HTTP/1.1\r\nHost: test\r\n\r\n${ask('/big')}`);
    await until(() => source.opened === 2);
    assert.equal(statusOf(await exchange(port, ask('/other'))), 503);
    both.destroy();
    await until(() => source.opened === source.closed);
    for (let at = 0; at < 2; at += 1) assert.equal(statusOf(await exchange(port, ask('/other'))), 200);
    await until(ended);
  },
);

test('of many at once that want the one download, exactly one gets it', limit, async (t) => {
  for (const path of ['/big', '/other', '/empty']) {
    const { port, ended } = await serveCounted(t, { maxDownloads: 1 });
    const answers = await Promise.all(Array.from({ length: 30 }, () => exchange(port, ask(path)).catch(() => '')));
    const whole = answers.filter((answer) => statusOf(answer) === 200);
    assert.equal(whole.length, 1, path);
    const rest = answers.filter((answer) => ![200, 503, 410, 0].includes(statusOf(answer)));
    assert.deepEqual(rest, []);
    await until(ended);
  }
});

test('what is under way when the last download was made still ends', limit, async (t) => {
  const { port, ended, listener } = await serveCounted(t, { maxDownloads: 2 });
  const slow = await startDownload(port, ask('/big'));
  assert.equal(statusOf(await exchange(port, ask('/other'))), 200);
  assert.equal(statusOf(await exchange(port, ask('/other'))), 503);
  assert.ok((await finish(slow)) > BIG_BYTES - 1000);
  await listener.closed;
  assert.ok(ended());
});

test('when the time is over the listener ends, and a download under way does before it', limit, async (t) => {
  const { port, ended, listener, notices } = await serveCounted(t, { expiresMs: 300 });
  const slow = await startDownload(port, ask('/big'));
  await until(() => notices.length > 0);
  assert.deepEqual([notices, ended()], [['serve: its time is over, so it ends'], false]);
  await assert.rejects(exchange(port, ''), 'nothing new is taken');
  assert.ok((await finish(slow)) > BIG_BYTES - 1000);
  await listener.closed;
});

test('a time that is longer than a timer can be does not end at once', limit, async (t) => {
  const { port, ended, listener } = await serveCounted(t, { expiresMs: 40 * 86_400_000 });
  assert.equal(statusOf(await exchange(port, ask('/other'))), 200);
  assert.equal(ended(), false);
  await listener.close();
});

test('numbers and times that end before they begin are refused', limit, async (t) => {
  for (const options of [{ maxDownloads: 0 }, { maxDownloads: 1.5 }, { expiresMs: 0 }, { expiresMs: Number.NaN }]) {
    await assert.rejects(serveCounted(t, options), failsWith('USAGE'), JSON.stringify(options));
  }
});

/** One file whose bytes come when the test says so, and come only once. */
function onlyOnce(body: Readable): Source {
  const entry = { path: '', kind: 'file' } as const;
  return {
    label: 'one stream',
    identity: 'test:stream',
    name: 'stream',
    capabilities: { ranges: false, replay: false, parallel: false, metadata: false },
    async *entries() {},
    read: () => Promise.reject(new Error('not used by a listener')),
    stat: async (path) => (path === '' ? entry : undefined),
    async *list() {},
    open: async () => ({ entry, read: () => body, close: async () => undefined }),
    close: async () => undefined,
  };
}

test('a source that is slow is waited for, longer than a connection may be idle', limit, async (t) => {
  const body = new PassThrough();
  const { port, listener } = await serve(t, '', { share: onlyOnce(body), idleTimeoutMs: 150 });
  const answer = exchange(port, ask('/stream'));
  for (const piece of ['slow ', 'as ', 'it is']) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    body.write(piece);
  }
  body.end();
  assert.match(await answer, /^HTTP\/1\.1 200 .*slow .*as .*it is\r\n0\r\n\r\n$/s);
  await listener.closed;
});

test('a time that is over lets the one download of what can be read once end, and says how', limit, async (t) => {
  const body = new PassThrough();
  const { port, listener } = await serve(t, '', { share: onlyOnce(body), expiresMs: 200 });
  body.write('x'.repeat(100_000));
  const socket = await startDownload(port, ask('/stream'));
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(statusOf(await exchange(port, ask('/stream'))), 410);
  socket.destroy();
  await assert.rejects(listener.closed, failsWith('DISCONNECTED', /^serve one stream: the download was cut/));
});
