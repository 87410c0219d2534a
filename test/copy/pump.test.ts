import assert from 'node:assert/strict';
import { Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import { type PumpOptions, pump } from '#xfer/copy/pump.js';

function options(overrides: Partial<PumpOptions> = {}): PumpOptions {
  const signal = new AbortController().signal;
  return { label: 'x', signal, acknowledged: false, onHeld: () => {}, ...overrides };
}

function collector(): { stream: Writable; bytes: () => Buffer } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _, callback) {
      chunks.push(chunk);
      callback();
    },
  });
  return { stream, bytes: () => Buffer.concat(chunks) };
}

const three = (): Readable => Readable.from([Buffer.from('ab'), Buffer.from('cd'), Buffer.from('e')]);

test('moves all bytes and says what is held', async () => {
  const { stream, bytes } = collector();
  let held = 0;
  const moved = await pump(three(), stream, options({ expectedBytes: 5, onHeld: (more) => (held += more) }));
  assert.deepEqual([moved, held, bytes().toString()], [5, 5, 'abcde']);
});

for (const [expectedBytes, code] of [
  [4, 'SOURCE_CHANGED'],
  [6, 'TRUNCATED'],
] as const) {
  test(`five bytes where ${expectedBytes} were announced: ${code}, both streams destroyed`, async () => {
    const from = three();
    const { stream } = collector();
    await assert.rejects(pump(from, stream, options({ expectedBytes })), { code });
    assert.ok(from.closed && stream.closed);
  });
}

test('a failing writer ends a reader that has nothing more to say', { timeout: 5000 }, async () => {
  const from = new Readable({ read() {} });
  from.push('x');
  const to = new Writable({ write: (_chunk, _encoding, callback) => callback(new Error('disk on fire')) });
  await assert.rejects(pump(from, to, options()), /disk on fire/);
  assert.ok(from.closed && to.closed);
});

test('a failing reader destroys the writer', { timeout: 5000 }, async () => {
  const from = new Readable({ read() {} });
  const { stream } = collector();
  setImmediate(() => from.destroy(new Error('line cut')));
  await assert.rejects(pump(from, stream, options()), /line cut/);
  assert.ok(stream.closed);
});

test('abort rejects with the reason and frees both', { timeout: 5000 }, async () => {
  const stop = new AbortController();
  const from = new Readable({ read() {} });
  const { stream } = collector();
  setImmediate(() => stop.abort(new Error('enough')));
  await assert.rejects(pump(from, stream, options({ signal: stop.signal })), /enough/);
  assert.ok(from.closed && stream.closed);
});

test('a slow writer holds back the reader', async () => {
  let read = 0;
  const from = new Readable({
    highWaterMark: 1024,
    read() {
      read += 1024;
      this.push(read > 1024 * 1024 ? null : Buffer.alloc(1024));
    },
  });
  let aheadBytes = 0;
  let written = 0;
  const to = new Writable({
    highWaterMark: 4096,
    write(chunk: Buffer, _, callback) {
      written += chunk.length;
      aheadBytes = Math.max(aheadBytes, read - written);
      setImmediate(callback);
    },
  });
  await pump(from, to, options());
  assert.ok(aheadBytes <= 16 * 1024, `${aheadBytes} bytes were read ahead`);
});

test('a chunk is given back once it was written, and not before; none where the writing failed', async () => {
  for (const fails of [false, true]) {
    const given: string[] = [];
    const waiting: (() => void)[] = [];
    const from = Object.assign(three(), { recycle: (chunk: Buffer) => given.push(chunk.toString()) });
    const to = new Writable({
      highWaterMark: 1,
      write: (chunk: Buffer, _, callback) => {
        assert.ok(!given.includes(chunk.toString()));
        waiting.push(() => callback(fails ? new Error('no room') : null));
        setImmediate(() => waiting.shift()?.());
      },
    });
    const moving = pump(from, to, options());
    if (fails) await assert.rejects(moving, /no room/);
    else await moving;
    assert.deepEqual(given, fails ? [] : ['ab', 'cd', 'e']);
  }
});
