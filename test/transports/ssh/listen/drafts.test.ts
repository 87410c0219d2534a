/** Files that a client of the listener writes: when they have their name, and what is left when the client is gone. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { XferError } from '#xfer/errors.js';
import type { EditableFile } from '#xfer/transport.js';
import { Drafts } from '#xfer/transports/ssh/listen/drafts.js';
import { SftpClient } from '#xfer/transports/ssh/sftp/client.js';
import { OPEN } from '#xfer/transports/ssh/sftp/codec.js';
import { failsWith } from '../../../support/fails-with.js';
import { connect, openChannel, openSftp, place, scope, until } from './rig.js';

const limit = { timeout: 10_000 };
const NEW = OPEN.WRITE | OPEN.CREAT | OPEN.TRUNC;
const name = (text: string): Buffer => Buffer.from(text);

async function namesIn(client: SftpClient, path: string): Promise<string[]> {
  const handle = await client.openDirectory(name(path), scope);
  const names: string[] = [];
  for (;;) {
    const items = await client.readDirectory(handle, 'list', scope);
    if (!items) break;
    names.push(...items.map((item) => item.name.toString()));
  }
  await client.close(handle);
  return names.filter((each) => !each.startsWith('.')).sort();
}

test('a new file is seen by its name while it is written, and has it once it is closed', limit, async (t) => {
  const at = await place(t);
  const [client, other] = [await openSftp(t, at), await openSftp(t, at)];
  const handle = await client.open(name('new'), NEW, { permissions: 0o640 }, scope);
  await client.write(handle, 0, Buffer.from('12345'), 'write');
  for (const each of [client, other]) {
    assert.equal((await each.lstat(name('new'), scope)).size, 5);
    assert.equal((await each.stat(name('/new'), scope)).size, 5);
    assert.deepEqual(await namesIn(each, '/'), ['new']);
  }
  assert.equal((await client.fstat(handle, 'fstat')).size, 5);
  const reading = await other.open(name('new'), OPEN.READ, {}, scope);
  assert.equal((await other.read(reading, 1, 10, 'read'))?.toString(), '2345');
  await other.close(reading);
  await client.setstat(name('new'), { times: { atime: 1000, mtime: 2000 } }, scope);
  assert.equal(readdirSync(at.root).includes('new'), false);
  await client.close(handle);
  assert.deepEqual(readdirSync(at.root), ['new']);
  assert.equal(statSync(join(at.root, 'new')).mtimeMs, 2_000_000);
});

test('a file that is written is the same one by each path that leads to it', limit, async (t) => {
  const at = await place(t);
  const [client, other] = [await openSftp(t, at), await openSftp(t, at)];
  for (const path of ['d', 'd/in']) await client.mkdir(name(path), {}, scope);
  symlinkSync('d/in', join(at.root, 'link'));
  const first = await client.open(name('d//in/f'), NEW, {}, scope);
  const second = await other.open(name('link/./f'), OPEN.READ | OPEN.WRITE | OPEN.CREAT, {}, scope);
  await client.write(first, 0, Buffer.from('one'), 'write');
  assert.equal((await other.read(second, 0, 10, 'read'))?.toString(), 'one');
  await other.write(second, 3, Buffer.from('two'), 'write');
  assert.equal((await other.stat(name('link/f'), scope)).size, 6);
  assert.deepEqual(await namesIn(other, 'link'), ['f']);
  await client.close(first);
  await other.close(second);
  assert.equal(readFileSync(join(at.root, 'd', 'in', 'f'), 'utf8'), 'onetwo');
  assert.deepEqual(readdirSync(join(at.root, 'd', 'in')), ['f']);
});

test('a file is made through a link to nothing, inside of what is shared alone', limit, async (t) => {
  const at = await place(t);
  const client = await openSftp(t, at);
  await client.mkdir(name('d'), {}, scope);
  symlinkSync('d/new', join(at.root, 'link'));
  symlinkSync('link', join(at.root, 'again'));
  symlinkSync('circle', join(at.root, 'circle'));
  symlinkSync('../new', join(at.root, 'out'));
  symlinkSync(join(at.above, 'new'), join(at.root, 'absolute'));
  symlinkSync('missing/new', join(at.root, 'nowhere'));
  const [first, second] = [
    await client.open(name('again'), NEW, {}, scope),
    await client.open(name('link'), NEW, {}, scope),
  ];
  await client.write(first, 0, Buffer.from('one'), 'write');
  await client.write(second, 3, Buffer.from('two'), 'write');
  await client.close(first);
  await client.close(second);
  assert.equal(readFileSync(join(at.root, 'link'), 'utf8'), 'onetwo');
  assert.deepEqual(readdirSync(join(at.root, 'd')), ['new']);
  for (const path of ['out', 'absolute']) {
    await assert.rejects(client.open(name(path), NEW, {}, scope), failsWith('DENIED'));
  }
  for (const path of ['nowhere', 'circle']) {
    await assert.rejects(client.open(name(path), NEW, {}, scope), failsWith('NOT_FOUND'));
  }
  assert.deepEqual(readdirSync(at.above).sort(), ['root', 'secret']);
});

test('a directory can be renamed while files in it are written, and they go with it', limit, async (t) => {
  const at = await place(t);
  const [client, other] = [await openSftp(t, at), await openSftp(t, at)];
  for (const path of ['d', 'd/in', 'e']) await client.mkdir(name(path), {}, scope);
  const write = (path: string) => client.open(name(path), NEW, {}, scope);
  const [deep, near, gone] = [await write('d/in/deep'), await write('d/a'), await write('e/gone')];
  await client.rename(name('d/a'), name('d/in/near'), scope);
  await client.rename(name('e/gone'), name('d/in/gone'), scope);
  await other.rename(name('d'), name('moved'), scope);
  assert.deepEqual(await namesIn(client, 'moved/in'), ['deep', 'gone', 'near']);
  await assert.rejects(client.stat(name('d/in/deep'), scope), failsWith('NOT_FOUND'));
  for (const handle of [deep, near, gone]) {
    await client.write(handle, 0, Buffer.from('bytes'), 'write');
    await client.close(handle);
  }
  assert.deepEqual(readdirSync(join(at.root, 'moved', 'in')).sort(), ['deep', 'gone', 'near']);
  assert.deepEqual(readdirSync(at.root).sort(), ['e', 'moved']);
  assert.deepEqual([...readdirSync(join(at.root, 'e')), ...readdirSync(join(at.root, 'moved'))], ['in']);

  const last = await write('moved/left');
  await assert.rejects(client.posixRename(name('e'), name('moved/left'), scope), failsWith('EXISTS'));
  await other.rename(name('moved'), name('f'), scope);
  await client.fsync(last, 'fsync');
  assert.deepEqual(readdirSync(join(at.root, 'f')).sort(), ['in', 'left']);
});

test('a file can be renamed, replaced and removed before it has its name', limit, async (t) => {
  const at = await place(t);
  const client = await openSftp(t, at);
  const write = async (path: string, text: string): Promise<Buffer> => {
    const handle = await client.open(name(path), NEW, {}, scope);
    await client.write(handle, 0, Buffer.from(text), 'write');
    return handle;
  };
  await client.mkdir(name('d'), {}, scope);
  const moved = await write('a', 'moved');
  await client.rename(name('a'), name('d/b'), scope);
  await assert.rejects(client.lstat(name('a'), scope), failsWith('NOT_FOUND'));
  await client.close(moved);
  assert.equal(readFileSync(join(at.root, 'd', 'b'), 'utf8'), 'moved');
  const gone = await write('d/gone', 'x');
  await client.remove(name('d/gone'), scope);
  assert.deepEqual(readdirSync(join(at.root, 'd')), ['b']);
  await assert.rejects(client.lstat(name('d/gone'), scope), failsWith('NOT_FOUND'));
  await client.close(gone);
  const replaced = await write('c', 'old');
  await client.posixRename(name('d/b'), name('c'), scope);
  await client.close(replaced);
  assert.equal(readFileSync(join(at.root, 'c'), 'utf8'), 'moved');
  assert.deepEqual(readdirSync(at.root).sort(), ['c', 'd']);
});

test('a broken connection leaves no file under a new name, and an old one as it was', limit, async (t) => {
  const at = await place(t);
  writeFileSync(join(at.root, 'old'), 'old bytes');
  const connection = await connect(t, at);
  const client = await SftpClient.start(await openChannel(connection), scope);
  for (const path of ['new', 'old']) {
    const handle = await client.open(name(path), NEW, {}, scope);
    await client.write(handle, 0, Buffer.alloc(200_000), 'write');
  }
  assert.equal(readdirSync(at.root).length, 3);
  connection.destroy();
  await until(() => readdirSync(at.root).length === 1);
  assert.equal(readFileSync(join(at.root, 'old'), 'utf8'), 'old bytes');
  const records = at.records.filter((record) => record.type === 'file');
  await until(() => at.records.filter((record) => record.type === 'file').length === 2);
  assert.ok(records.every((record) => record.aborted));
});

test('what must be new, and what is there, is written in place and kept', limit, async (t) => {
  const at = await place(t);
  writeFileSync(join(at.root, 'old'), 'old bytes');
  const connection = await connect(t, at);
  const client = await SftpClient.start(await openChannel(connection), scope);
  const part = await client.open(name('.x.xfer-part'), OPEN.WRITE | OPEN.CREAT | OPEN.EXCL, {}, scope);
  await client.write(part, 0, Buffer.from('part'), 'write');
  const old = await client.open(name('old'), OPEN.READ | OPEN.WRITE | OPEN.CREAT, {}, scope);
  await client.write(old, 0, Buffer.from('OLD'), 'write');
  const log = await client.open(name('old'), OPEN.WRITE | OPEN.APPEND, {}, scope);
  await client.write(log, 0, Buffer.from('!'), 'write');
  await assert.rejects(client.open(name('old'), OPEN.WRITE | OPEN.CREAT | OPEN.EXCL, {}, scope), failsWith('EXISTS'));
  connection.destroy();
  await until(() => at.records.filter((record) => record.type === 'file').length === 3);
  assert.equal(readFileSync(join(at.root, '.x.xfer-part'), 'utf8'), 'part');
  assert.equal(readFileSync(join(at.root, 'old'), 'utf8'), 'OLD bytes!');
});

test('a file of which a write failed gets no name, and its close says so', async () => {
  const ends: string[] = [];
  const full = new XferError('NO_SPACE', 'write new: no space left on device');
  const file = (temporary?: string): EditableFile => ({
    ...(temporary === undefined ? {} : { temporary }),
    look: () => ({ path: 'new', kind: 'file', size: 0 }),
    readAt: async () => 0,
    writeAt: () => Promise.reject(full),
    change: () => {},
    sync: async () => {},
    rename: () => {},
    moved: () => {},
    drop: () => {},
    giveName: async () => void ends.push('name'),
    close: async () => void ends.push('close'),
    abandon: async () => void ends.push('abandon'),
  });
  const drafts = new Drafts();
  const draft = await drafts.add(file('.new.xfer-part'), false);
  await assert.rejects(draft.writeAt([], 0), full);
  await assert.rejects(draft.release(true), full);
  assert.equal(drafts.find('new'), undefined);
  const inPlace = await drafts.add(file(), false);
  await assert.rejects(inPlace.writeAt([], 0), full);
  await inPlace.release(true);
  assert.deepEqual(ends, ['abandon', 'close']);
});

test('what a client was told is closed stays, whatever becomes of others who have it open', limit, async (t) => {
  const at = await place(t);
  const [writer, reader] = [await openSftp(t, at), await openSftp(t, at)];
  const stale = await connect(t, at);
  const before = await SftpClient.start(await openChannel(stale), scope);
  // A connection that died unseen while it wrote, and the second try of the same upload.
  await before.write(await before.open(name('new'), NEW, {}, scope), 0, Buffer.from('part'), 'write');
  const handle = await writer.open(name('new'), NEW, {}, scope);
  const reading = await reader.open(name('new'), OPEN.READ, {}, scope);
  await writer.write(handle, 0, Buffer.from('whole'), 'write');
  await writer.close(handle);
  assert.equal(readFileSync(join(at.root, 'new'), 'utf8'), 'whole');
  stale.destroy();
  await until(() => at.records.some((record) => record.type === 'file' && record.aborted));
  assert.equal((await reader.read(reading, 0, 10, 'read'))?.toString(), 'whole');
  reader.end();
  await until(() => at.records.filter((record) => record.type === 'file' && record.aborted).length === 2);
  assert.deepEqual(readdirSync(at.root), ['new']);
  assert.equal((await writer.stat(name('new'), scope)).size, 5);
});

test('a reader who goes takes nothing from the one who writes', limit, async (t) => {
  const at = await place(t);
  const writer = await openSftp(t, at);
  const connection = await connect(t, at);
  const reader = await SftpClient.start(await openChannel(connection), scope);
  const handle = await writer.open(name('new'), NEW, {}, scope);
  await reader.open(name('new'), OPEN.READ, {}, scope);
  connection.destroy();
  await until(() => at.records.some((record) => record.type === 'file'));
  await writer.write(handle, 0, Buffer.from('whole'), 'write');
  await writer.close(handle);
  assert.equal(readFileSync(join(at.root, 'new'), 'utf8'), 'whole');
});

test('what a client had put on the disk stays where its connection breaks', limit, async (t) => {
  const at = await place(t);
  const connection = await connect(t, at);
  const client = await SftpClient.start(await openChannel(connection), scope);
  const handle = await client.open(name('new'), NEW, {}, scope);
  await client.write(handle, 0, Buffer.from('kept'), 'write');
  await client.fsync(handle, 'sync');
  assert.equal(readFileSync(join(at.root, 'new'), 'utf8'), 'kept');
  await client.rename(name('new'), name('moved'), scope);
  await client.write(handle, 4, Buffer.from(' too'), 'write');
  connection.destroy();
  await until(() => at.records.some((record) => record.type === 'file'));
  assert.equal(readFileSync(join(at.root, 'moved'), 'utf8'), 'kept too');
  assert.deepEqual(readdirSync(at.root), ['moved']);
});

test('a closed listener leaves no unfinished file behind', limit, async (t) => {
  const at = await place(t);
  const client = await openSftp(t, at);
  const handle = await client.open(name('new'), NEW, {}, scope);
  await client.write(handle, 0, Buffer.from('x'), 'write');
  await at.listener.close();
  assert.deepEqual(readdirSync(at.root), []);
});

test('a transfer under way may end while the listener closes', limit, async (t) => {
  const at = await place(t);
  const [busy, idle] = [await openSftp(t, at), await openSftp(t, at)];
  const handle = await busy.open(name('new'), NEW, {}, scope);
  const closed = at.listener.close({ graceMs: 8000 });
  await until(() => idle.channel.ended !== undefined);
  await busy.write(handle, 0, Buffer.from('whole'), 'write');
  await busy.close(handle);
  await closed;
  assert.equal(readFileSync(join(at.root, 'new'), 'utf8'), 'whole');
});
