import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import type { Entry } from '#xfer/transport.js';
import { Sessions } from '#xfer/transports/ssh/sessions.js';
import { PACKET, PacketReader } from '#xfer/transports/ssh/sftp/codec.js';
import { SftpSource } from '#xfer/transports/ssh/source.js';
import { failsWith } from '../../support/fails-with.js';
import { ReadyCarrier, sessionsOn } from './carried.js';
import { HostileServer, type Request, string } from './hostile-server.js';

const scope = { signal: new AbortController().signal };
const timeout = 20_000;
const entry: Entry = { path: '', kind: 'file' };

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function openSource(server: HostileServer, path = 'file') {
  const sessions = await sessionsOn(await server.connect());
  return SftpSource.open({ sessions, path, label: 'test' }, scope);
}

function withFile(size: number): { server: HostileServer; bytes: Buffer } {
  const server = new HostileServer();
  const bytes = randomBytes(size);
  server.files.set('file', { bytes, mode: 0o100600, mtime: 5 });
  return { server, bytes };
}

/** A file is closed without anybody waiting for it: some turns later. */
async function allClosed(server: HostileServer): Promise<void> {
  for (let turn = 0; turn < 100 && server.open.size > 0; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(server.open.size, 0);
}

/** The fields of a READ. */
function readFields({ reader }: Request): { handle: string; start: number; length: number } {
  return { handle: reader.text(), start: reader.uint64(), length: reader.uint32() };
}

test('short answers are filled up, and answers in any order put in order', { timeout }, async () => {
  const { server, bytes } = withFile(1_000_000);
  const waiting: (() => void)[] = [];
  server.lie = (request) => {
    if (request.type !== PACKET.READ) return false;
    const { start, length } = readFields(request);
    const short = bytes.subarray(start, start + Math.max(1, Math.floor(length * 0.7)));
    waiting.unshift(() => server.reply(PACKET.DATA, request.id, string(short)));
    setImmediate(() => {
      for (const answer of waiting.splice(0)) answer();
    });
    return true;
  };
  const source = await openSource(server);
  const read = await collect(await source.read(entry, { start: 1, end: bytes.length }, scope));
  assert.ok(read.equals(bytes.subarray(1)));
  await allClosed(server);
});

test('a file without a stated end is read to its end', { timeout }, async () => {
  for (const size of [0, 1, 32_768, 200_001]) {
    const { server, bytes } = withFile(size);
    const source = await openSource(server);
    assert.ok((await collect(await source.read(entry, { start: 0 }, scope))).equals(bytes));
  }
});

test('a file that ends early is TRUNCATED, one that changed SOURCE_CHANGED', { timeout }, async () => {
  const { server } = withFile(100_000);
  const source = await openSource(server);
  await assert.rejects(source.read(entry, { start: 0, end: 100_001 }, scope).then(collect), failsWith('TRUNCATED'));
  const changed = source.read({ ...entry, version: '100000:4' }, { start: 0, end: 10 }, scope);
  await assert.rejects(changed, failsWith('SOURCE_CHANGED'));
  await source.read({ ...entry, version: '100000:5' }, { start: 0, end: 10 }, scope).then(collect);
  await allClosed(server);
});

test('more bytes than asked for, and none at all, are PROTOCOL', { timeout }, async () => {
  for (const extra of [1, Number.NaN]) {
    const { server } = withFile(100_000);
    server.lie = (request) => {
      if (request.type !== PACKET.READ) return false;
      const length = Number.isNaN(extra) ? 0 : readFields(request).length + extra;
      server.reply(PACKET.DATA, request.id, string(Buffer.alloc(length)));
      return true;
    };
    const source = await openSource(server);
    await assert.rejects(source.read(entry, { start: 0, end: 90_000 }, scope).then(collect), failsWith('PROTOCOL'));
    assert.ok(server.seen.filter((type) => type === PACKET.READ).length < 100);
  }
});

test('an abort ends a read with its reason and closes the file', { timeout }, async () => {
  const { server } = withFile(100_000);
  const reason = new Error('enough');
  const stop = new AbortController();
  const source = await openSource(server);
  server.lie = ({ type }) => type === PACKET.READ;
  const reader = await source.read(entry, { start: 0, end: 100_000 }, { signal: stop.signal });
  const reading = collect(reader);
  stop.abort(reason);
  await assert.rejects(reading, reason);
  server.lie = undefined;
  await assert.rejects(source.read(entry, { start: 0 }, { signal: stop.signal }), reason);
  await collect(await source.read(entry, { start: 0, end: 1 }, scope));
  await allClosed(server);
});

test('a slow reader bounds what is asked for', { timeout }, async () => {
  const { server } = withFile(12_000_000);
  let furthest = 0;
  server.lie = (request) => {
    if (request.type === PACKET.READ) furthest = Math.max(furthest, readFields(request).start);
    return false;
  };
  const source = await openSource(server);
  const reader = await source.read(entry, { start: 0, end: 12_000_000 }, scope);
  reader.read(1);
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(furthest < 8_000_000, `asked up to ${furthest}`);
  reader.destroy();
});

test('names from the server that are paths are left out', { timeout }, async () => {
  const server = new HostileServer();
  const attributes = { permissions: 0o100644, size: 1, times: { atime: 1, mtime: 1 } };
  const names = ['good', '../../x', '/etc/x', 'a/b', '', 'nul\0', '.', '..', 'x'.repeat(5000)];
  server.directories.set(
    'dir',
    names.map((name) => ({ name, attributes })),
  );
  const skipped: string[] = [];
  const source = await openSource(server, 'dir');
  const onSkip = (path: string, error: Error) => {
    failsWith('UNSAFE_PATH')(error);
    skipped.push(path);
  };
  const paths: string[] = [];
  for await (const found of source.entries({ ...scope, onSkip })) paths.push(found.path);
  assert.deepEqual(paths, ['', 'good']);
  assert.equal(skipped.length, 6);
  await assert.rejects(source.read({ path: '../x', kind: 'file' }, { start: 0 }, scope), failsWith('UNSAFE_PATH'));
});

test('a directory that claims to hold more than it sends, or never ends, is PROTOCOL', { timeout }, async () => {
  for (const count of [0xffffffff, 0]) {
    const server = new HostileServer();
    server.directories.set('dir', []);
    server.lie = ({ type, id }) => {
      if (type !== PACKET.READDIR) return false;
      server.reply(PACKET.NAME, id, count);
      return true;
    };
    const source = await openSource(server, 'dir');
    const walk = async () => {
      for await (const _ of source.entries(scope));
    };
    await assert.rejects(walk(), failsWith('PROTOCOL'));
    await allClosed(server);
  }
});

test('a directory that cannot be read is skipped, and the rest comes', { timeout }, async () => {
  const server = new HostileServer();
  const folder = { permissions: 0o40755 };
  server.directories.set('dir', [
    { name: 'closed', attributes: folder },
    { name: 'open', attributes: folder },
  ]);
  server.directories.set('dir/open', [{ name: 'file', attributes: { permissions: 0o100644, size: 0 } }]);
  const skipped: string[] = [];
  const source = await openSource(server, 'dir');
  const onSkip = (path: string) => skipped.push(path);
  const paths: string[] = [];
  for await (const found of source.entries({ ...scope, onSkip })) paths.push(found.path);
  assert.deepEqual(paths, ['', 'closed', 'open', 'open/file']);
  assert.deepEqual(skipped, ['closed']);
  assert.equal(source.name, 'dir');
});

test("what is named by '.', '~', '..' or '/' has no name of its own; another's home needs the server's help", {
  timeout,
}, async () => {
  const nameOf = async (path: string) => (await openSource(new HostileServer(), path)).name;
  for (const path of ['.', '~', '', '~/', '..', 'a/..', 'a/.', 'a/../', '/'])
    assert.equal(await nameOf(path), '', path);
  for (const path of ['~/a/b/', 'b', '../b', '/b//']) assert.equal(await nameOf(path), 'b', path);
  await assert.rejects(openSource(new HostileServer(), '~other/x'), failsWith('UNSUPPORTED'));
});

test('the server says where a home is, and not what is copied from there', { timeout }, async () => {
  const asked = new Set<string>();
  for (const [typed, name] of [
    ['~bob', 'bob'],
    ['~bob/', 'bob'],
    ['~bob/a', 'a'],
    ['~bob//a/b', 'b'],
    ['~..', ''],
  ] as const) {
    const server = new HostileServer();
    server.extensions['expand-path@openssh.com'] = '1';
    server.lie = ({ type, id, reader }) => {
      if (type !== PACKET.EXTENDED) return false;
      assert.equal(reader.text(), 'expand-path@openssh.com');
      asked.add(reader.text());
      server.reply(PACKET.NAME, id, 1, '/x/authorized_keys', '', 0);
      return true;
    };
    const source = await openSource(server, typed);
    assert.equal(source.name, name, typed);
    assert.ok(source.identity.endsWith(typed.replace(/^~[^/]*\/*/, '')), source.identity);
  }
  assert.deepEqual([...asked], ['~bob', '~..']);
});

test('the fields of a READ are those that were sent', () => {
  const reader = new PacketReader(
    Buffer.concat([string(Buffer.from('h')), Buffer.alloc(8), Buffer.from([0, 0, 1, 0])]),
  );
  assert.deepEqual(readFields({ type: PACKET.READ, id: 1, reader }), { handle: 'h', start: 0, length: 256 });
});

test('what a person asks of the requests is kept: their size and how many wait', { timeout }, async () => {
  const { server, bytes } = withFile(100_000);
  const sizes = new Set<number>();
  let waiting = 0;
  let most = 0;
  server.lie = (request) => {
    if (request.type !== PACKET.READ) return false;
    const { start, length } = readFields(request);
    sizes.add(length);
    most = Math.max(most, ++waiting);
    setImmediate(() => {
      waiting--;
      server.reply(PACKET.DATA, request.id, string(bytes.subarray(start, start + length)));
    });
    return true;
  };
  const sessions = await sessionsOn(await server.connect(), { requests: 3, requestBytes: 1000 });
  const source = await SftpSource.open({ sessions, path: 'file', label: 'test' }, scope);
  const stream = await source.read(entry, { start: 0, end: bytes.length }, scope);
  assert.ok(bytes.equals(await collect(stream)));
  assert.deepEqual([...sizes], [1000]);
  assert.ok(most <= 3, `${most} waited`);
});

test('the shortest parts of a large file are spread over its channels', { timeout }, async () => {
  const bytes = Buffer.alloc(9 << 20);
  const servers = Array.from({ length: 4 }, () => new HostileServer());
  for (const server of servers) server.files.set('file', { bytes, mode: 0o100600, mtime: 5 });
  const carrier = new ReadyCarrier(await Promise.all(servers.map((server) => server.connect())));
  const sessions = await Sessions.open({ dial: async () => carrier, label: 'test', parallel: 4 }, scope);
  const source = await SftpSource.open({ sessions, path: 'file', label: 'test' }, scope);
  for await (const _ of source.entries(scope));
  const parts = Array.from({ length: 8 }, (_, index) => ({ start: index << 20, end: (index + 1) << 20 }));
  const readers = await Promise.all(parts.map((part) => source.read(entry, part, scope)));
  const asked = servers.map(({ seen }) => seen.filter((type) => type === PACKET.FSTAT).length);
  assert.deepEqual(asked, [2, 2, 2, 2]);
  await Promise.all(readers.map(collect));
  for (const server of servers) await allClosed(server);
  await source.close();
});
