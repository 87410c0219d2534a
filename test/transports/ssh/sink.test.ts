import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { test } from 'node:test';
import { nameFromBytes } from '#xfer/names.js';
import type { Entry } from '#xfer/transport.js';
import { attributeBytes } from '#xfer/transports/ssh/sftp/attributes.js';
import { OPEN, PACKET, STATUS } from '#xfer/transports/ssh/sftp/codec.js';
import { SftpSink } from '#xfer/transports/ssh/sink.js';
import { failsWith } from '../../support/fails-with.js';
import { sessionsOn } from './carried.js';
import { HostileServer } from './hostile-server.js';

const scope = { signal: new AbortController().signal };
const timeout = 20_000;

async function openSink(server: HostileServer, path = 'dir', onNotice?: (line: string) => void) {
  const sessions = await sessionsOn(await server.connect());
  return SftpSink.open({ sessions, path, label: 'test', ...(onNotice ? { onNotice } : {}) }, scope);
}

async function fill(stream: Writable, bytes: Buffer): Promise<void> {
  const done = finished(stream);
  stream.end(bytes);
  await done;
}

test('a small file costs three round trips and leaves only itself', { timeout }, async () => {
  const server = new HostileServer();
  const sink = await openSink(server);
  const entry: Entry = { path: 'f', kind: 'file', size: 3, mode: 0o640, mtimeMs: 9000, version: 'v' };
  const draft = await sink.draft(entry, scope);
  await fill(await draft.write(0, scope), Buffer.from('abc'));
  await draft.commit(entry, scope);
  assert.deepEqual([...server.files], [['dir/f', { bytes: Buffer.from('abc'), mode: 0o100640, mtime: 9 }]]);
  assert.equal(server.open.size, 0);
  const { INIT, STAT, LSTAT, WRITE, FSETSTAT, CLOSE, EXTENDED } = PACKET;
  assert.deepEqual(server.seen, [INIT, STAT, LSTAT, PACKET.OPEN, WRITE, FSETSTAT, CLOSE, EXTENDED]);
});

test('a small file at once costs the same, and a refused byte leaves neither name', { timeout }, async () => {
  const server = new HostileServer();
  const sink = await openSink(server);
  const entry: Entry = { path: 'f', kind: 'file', size: 3, mode: 0o640, mtimeMs: 9000, version: 'v' };
  await sink.stat('', scope);
  server.seen.length = 0;
  await sink.put(entry, Buffer.from('abc'), true, scope);
  assert.deepEqual([...server.files], [['dir/f', { bytes: Buffer.from('abc'), mode: 0o100640, mtime: 9 }]]);
  const { LSTAT, WRITE, FSETSTAT, CLOSE, EXTENDED } = PACKET;
  assert.deepEqual(server.seen, [LSTAT, PACKET.OPEN, WRITE, FSETSTAT, CLOSE, EXTENDED]);
  server.lie = ({ type, id }) => {
    if (type !== WRITE) return false;
    server.status(id, STATUS.FAILURE);
    return true;
  };
  await assert.rejects(sink.put({ ...entry, path: 'g' }, Buffer.from('abc'), true, scope), failsWith('DENIED'));
  assert.deepEqual([...server.files.keys()], ['dir/f']);
  assert.equal(server.open.size, 0);
});

test('in a directory that this copy made nothing is looked for; in one that was there it is', { timeout }, async () => {
  const server = new HostileServer();
  server.directories.set('dir/old', []);
  const sink = await openSink(server);
  for (const directory of ['new', 'old']) {
    await sink.create({ path: directory, kind: 'directory' }, scope);
    server.seen.length = 0;
    const entry: Entry = { path: `${directory}/f`, kind: 'file', size: 3 };
    const draft = await sink.draft(entry, scope);
    await fill(await draft.write(0, scope), Buffer.from('abc'));
    await draft.commit(entry, scope);
    assert.equal(server.files.get(`dir/${directory}/f`)?.bytes.toString(), 'abc');
    assert.equal(server.seen.includes(PACKET.LSTAT), directory === 'old');
  }
});

test('a failed WRITE fails the stream, though later ones succeed', { timeout }, async () => {
  const server = new HostileServer();
  const sink = await openSink(server);
  let writes = 0;
  server.lie = ({ type, id }) => {
    if (type !== PACKET.WRITE || ++writes !== 3) return false;
    server.status(id, STATUS.FAILURE, 'Failure');
    return true;
  };
  const bytes = randomBytes(500_000);
  const entry: Entry = { path: 'f', kind: 'file', size: bytes.length };
  const draft = await sink.draft(entry, scope);
  await assert.rejects(fill(await draft.write(0, scope), bytes), failsWith('DENIED'));
  await assert.rejects(draft.commit(entry, scope), failsWith('TRUNCATED'));
  await draft.discard();
  assert.equal(server.files.size, 0);
  assert.equal(server.open.size, 0);
});

test("'held' comes in order, whatever the order of the answers", { timeout }, async () => {
  const server = new HostileServer();
  const sink = await openSink(server);
  const waiting: (() => void)[] = [];
  server.lie = (request) => {
    if (request.type !== PACKET.WRITE) return false;
    waiting.unshift(() => server.answer(request));
    setImmediate(() => {
      for (const answer of waiting.splice(0)) answer();
    });
    return true;
  };
  const held: number[] = [];
  const draft = await sink.draft({ path: 'f', kind: 'file' }, scope);
  const writer = await draft.write(0, scope);
  writer.on('held', (bytes: number) => held.push(bytes));
  await fill(writer, Buffer.alloc(100_000, 1));
  assert.deepEqual(held, [100_000]);
  await draft.suspend();
  assert.equal(server.files.size, 0);
});

test('a draft that was left is found by its version; a longer one is cut', { timeout }, async () => {
  const server = new HostileServer();
  const entry: Entry = { path: 'f', kind: 'file', size: 10, version: 'v' };
  const sink = await openSink(server);
  const draft = await sink.draft(entry, scope);
  await fill(await draft.write(0, scope), Buffer.from('01234'));
  await draft.suspend();
  const [name] = [...server.files.keys()];
  assert.match(name ?? '', /^dir\/\.f\.[0-9a-f]{12}\.xfer-part$/);
  const other = await sink.draft({ ...entry, version: 'w' }, scope);
  assert.deepEqual(other.held, []);
  await other.discard();
  const left = server.files.get(name as string);
  assert.ok(left);
  left.bytes = Buffer.from('0123456789 and more');
  const again = await sink.draft(entry, scope);
  assert.deepEqual(again.held, [{ start: 0, end: 10 }]);
  await again.commit(entry, scope);
  assert.equal(server.files.get('dir/f')?.bytes.toString(), '0123456789');
  assert.equal(server.files.size, 1);
});

test('without posix-rename an old file is still replaced', { timeout }, async () => {
  const server = new HostileServer();
  server.extensions = {};
  server.files.set('dir/f', { bytes: Buffer.from('old and long'), mode: 0o100600, mtime: 1 });
  const sink = await openSink(server);
  const draft = await sink.draft({ path: 'f', kind: 'file', size: 1 }, scope);
  await fill(await draft.write(0, scope), Buffer.from('n'));
  await draft.commit({ path: 'f', kind: 'file', size: 1 }, scope);
  assert.equal(server.files.get('dir/f')?.bytes.toString(), 'n');
  assert.equal(server.files.get('dir/f')?.mode, 0o100600);
  assert.equal(server.files.size, 1);
});

test('a directory that takes no new file: the target is written in place, and that is said', { timeout }, async () => {
  const server = new HostileServer();
  server.files.set('dir/f', { bytes: Buffer.from('old and long'), mode: 0o100644, mtime: 1 });
  server.lie = ({ type, id, reader }) => {
    if (type !== PACKET.OPEN) return false;
    reader.string();
    if (!(reader.uint32() & OPEN.CREAT)) return false;
    server.status(id, STATUS.PERMISSION_DENIED);
    return true;
  };
  const notices: string[] = [];
  const sink = await openSink(server, 'dir', (line) => notices.push(line));
  const entry: Entry = { path: 'f', kind: 'file', size: 3 };
  const draft = await sink.draft(entry, scope);
  await fill(await draft.write(0, scope), Buffer.from('new'));
  await draft.commit(entry, scope);
  assert.equal(server.files.get('dir/f')?.bytes.toString(), 'new');
  assert.equal(notices.length, 1);
  await assert.rejects(sink.draft({ ...entry, path: 'g' }, scope), failsWith('DENIED'));
});

test('a mode without a time is that of a new file: one that is replaced keeps its own', { timeout }, async () => {
  const server = new HostileServer();
  server.files.set('dir/f', { bytes: Buffer.from('old'), mode: 0o100600, mtime: 1 });
  const sink = await openSink(server);
  const draft = await sink.draft({ path: 'f', kind: 'file', size: 3, mode: 0o644 }, scope);
  await fill(await draft.write(0, scope), Buffer.from('new'));
  await draft.commit({ path: 'f', kind: 'file', size: 3 }, scope);
  assert.equal(server.files.get('dir/f')?.bytes.toString(), 'new');
  assert.equal((server.files.get('dir/f')?.mode ?? 0) & 0o777, 0o600);
});

test('a server that refuses to set mode and time is told of, and the file arrives', { timeout }, async () => {
  const server = new HostileServer();
  server.lie = ({ type, id }) => {
    if (type !== PACKET.FSETSTAT) return false;
    server.status(id, STATUS.PERMISSION_DENIED);
    return true;
  };
  const notices: string[] = [];
  const sink = await openSink(server, 'dir', (line) => notices.push(line));
  const entry: Entry = { path: 'f', kind: 'file', size: 3, mode: 0o600, mtimeMs: 9000 };
  const draft = await sink.draft(entry, scope);
  await fill(await draft.write(0, scope), Buffer.from('new'));
  await draft.commit(entry, scope);
  assert.equal(server.files.get('dir/f')?.bytes.toString(), 'new');
  assert.match(notices[0] ?? '', /mode and time/);
});

test('paths that leave the root, and names of 255 bytes', { timeout }, async () => {
  const server = new HostileServer();
  const sink = await openSink(server);
  for (const path of ['..', '../x', 'a/../b', '/etc/x', 'a//b', 'nul\0']) {
    await assert.rejects(sink.draft({ path, kind: 'file' }, scope), failsWith('UNSAFE_PATH'));
    await assert.rejects(sink.create({ path, kind: 'directory' }, scope), failsWith('UNSAFE_PATH'));
  }
  const name = 'é'.repeat(127);
  const draft = await sink.draft({ path: name, kind: 'file', size: 0, version: 'v' }, scope);
  const [temporary] = [...server.files.keys()];
  assert.ok(Buffer.byteLength(temporary ?? '') <= 'dir/'.length + 255);
  await draft.commit({ path: name, kind: 'file', size: 0 }, scope);
  assert.deepEqual([...server.files.keys()], [`dir/${name}`]);
});

test('an abort ends a write with its reason; the connection goes on', { timeout }, async () => {
  const server = new HostileServer();
  const sink = await openSink(server);
  const stop = new AbortController();
  const reason = new Error('enough');
  const draft = await sink.draft({ path: 'f', kind: 'file' }, scope);
  const writer = await draft.write(0, { signal: stop.signal });
  server.lie = ({ type }) => type === PACKET.WRITE;
  const writing = fill(writer, Buffer.alloc(10));
  stop.abort(reason);
  await assert.rejects(writing, reason);
  await draft.discard();
  assert.equal(server.files.size, 0);
  assert.equal(server.open.size, 0);
});

test('nothing is written through a link that this copy makes, nor is what it leads to changed', {
  timeout,
}, async () => {
  const server = new HostileServer();
  server.directories.set('dir', []);
  server.directories.set('/outside', []);
  const sink = await openSink(server);
  const made = new Set<string>();
  server.lie = ({ type, id, reader }) => {
    const path = nameFromBytes(reader.string());
    if (type === PACKET.SYMLINK) made.add(nameFromBytes(reader.string()));
    if (type === PACKET.LSTAT && made.has(path)) {
      server.reply(PACKET.ATTRS, id, attributeBytes({ permissions: 0o120777 }));
    } else if (type === PACKET.STAT && made.has(path)) {
      server.reply(PACKET.ATTRS, id, attributeBytes({ permissions: 0o40755 }));
    } else if (type === PACKET.SYMLINK) server.status(id, STATUS.OK);
    else if (type === PACKET.READLINK) server.reply(PACKET.NAME, id, 1, '/outside/f', '', 0);
    else return false;
    return true;
  };
  const refused = failsWith('UNSAFE_PATH', /link d/);
  const file: Entry = { path: 'd', kind: 'file', size: 3 };
  await sink.stat('', scope);
  const asked = server.seen.length;
  const results = await Promise.allSettled([
    sink.create({ path: 'd', kind: 'symlink', target: '/outside/f' }, scope),
    sink.put(file, Buffer.from('abc'), true, scope),
    sink.draft(file, scope),
    sink.draft({ ...file, path: 'd/x' }, scope),
    sink.create({ path: 'd', kind: 'directory' }, scope),
    sink.finish({ path: 'd', kind: 'directory', mode: 0o777 }, scope),
  ]);
  const [link, ...others] = results;
  assert.equal(link.status, 'fulfilled');
  for (const result of others) assert.ok(result.status === 'rejected' && refused(result.reason));
  assert.deepEqual(server.seen.slice(asked), [PACKET.SYMLINK]);
  assert.deepEqual([...server.files], []);
});
