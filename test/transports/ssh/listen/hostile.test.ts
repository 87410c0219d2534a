/** What a client of the listener may not do: leave the root, break the format, take more than its share. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bytesFromName } from '#xfer/names.js';
import type { SftpClient } from '#xfer/transports/ssh/sftp/client.js';
import { OPEN, PACKET, PacketSplitter, STATUS } from '#xfer/transports/ssh/sftp/codec.js';
import { failsWith } from '../../../support/fails-with.js';
import { patternBytes } from '../../../support/fixtures.js';
import { assertNoMoreThan, countOpen } from '../../../support/leaks.js';
import { Dice, pickSeed } from '../../../support/random.js';
import { whileSwapped } from '../../../support/swapping.js';
import { connect, openChannel, openSftp, place, scope, until, untilClosed } from './rig.js';

const limit = { timeout: 10_000 };
/** Elsewhere the system does not hold a folder for us. */
const LINUX = process.platform === 'linux' ? {} : { skip: 'for Linux' };
const name = (text: string): Buffer => bytesFromName(text);

/** A packet with its length; `fields` follow the type. */
function packet(type: number, ...fields: (number | string | Buffer)[]): Buffer {
  const body = fields.map((field) => {
    if (typeof field === 'number')
      return Buffer.from([field >>> 24, field >>> 16, field >>> 8, field].map((n) => n & 255));
    const bytes = Buffer.from(field as string);
    return Buffer.concat([Buffer.from([0, 0, bytes.length >>> 8, bytes.length & 255]), bytes]);
  });
  const rest = Buffer.concat([Buffer.from([type]), ...body]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(rest.length);
  return Buffer.concat([length, rest]);
}

const INIT = packet(PACKET.INIT, 3);

test('no name and no link leads out of the root', limit, async (t) => {
  const at = await place(t);
  symlinkSync('../secret', join(at.root, 'out'));
  symlinkSync('..', join(at.root, 'up'));
  symlinkSync(join(at.above, 'secret'), join(at.root, 'absolute'));
  const client = await openSftp(t, at);
  for (const path of [
    '/../secret',
    '../secret',
    '/up/secret',
    'out',
    '/x/../../secret',
    '/absolute',
    `${at.above}/secret`,
  ]) {
    await assert.rejects(client.open(name(path), OPEN.READ, {}, scope), path);
    await assert.rejects(client.stat(name(path), scope), path);
    const flags = OPEN.WRITE | OPEN.CREAT | OPEN.TRUNC;
    if (path.includes('/up') || ['out', '/absolute'].includes(path)) {
      await assert.rejects(client.open(name(path), flags, {}, scope), failsWith('DENIED'), path);
      await assert.rejects(client.setstat(name(path), { permissions: 0o777 }, scope), failsWith('DENIED'), path);
    }
  }
  for (const link of ['out', 'absolute', 'up']) {
    await assert.rejects(client.readlink(name(link), scope), failsWith('DENIED'), link);
  }
  await assert.rejects(client.mkdir(name('/up/d'), {}, scope), failsWith('DENIED'));
  await assert.rejects(client.remove(name('/up/secret'), scope), failsWith('DENIED'));
  await assert.rejects(client.rename(name('/up/secret'), name('/got'), scope), failsWith('DENIED'));
  assert.equal((await client.realpath(name('/../../a/./b/..'), scope)).toString(), '/a');
  const listed = await client.openDirectory(name('/'), scope);
  const items = (await client.readDirectory(listed, 'list', scope))?.map((item) => item.name.toString());
  assert.deepEqual(items, ['.', '..']);
  assert.deepEqual(readdirSync(at.above).sort(), ['root', 'secret']);
  assert.equal(readFileSync(join(at.above, 'secret'), 'utf8'), 'outside');
});

test('a link is made only where it stays inside, and moving it does not open the way out', limit, async (t) => {
  const at = await place(t);
  const client = await openSftp(t, at);
  await client.mkdir(name('a'), {}, scope);
  await client.mkdir(name('a/b'), {}, scope);
  for (const target of ['../../..', '/../..', '../../../secret', at.above]) {
    const made = client.symlink(name(target), name('a/b/l'), scope);
    if (target.startsWith('..')) await assert.rejects(made, failsWith('DENIED'), target);
    else {
      await made;
      assert.ok((await client.readlink(name('a/b/l'), scope)).toString().startsWith('../..'));
      await client.remove(name('a/b/l'), scope);
    }
  }
  await client.symlink(name('../..'), name('a/b/root'), scope);
  await client.posixRename(name('a/b'), name('b'), scope);
  await assert.rejects(client.open(name('b/root/secret'), OPEN.READ, {}, scope), failsWith('DENIED'));
  await assert.rejects(client.open(name('b/root/new'), OPEN.WRITE | OPEN.CREAT, {}, scope), failsWith('DENIED'));
  assert.deepEqual(readdirSync(at.above).sort(), ['root', 'secret']);
});

test('a link swapped in while files are written never lets one out', limit, async (t) => {
  const at = await place(t);
  const [swapper, writer] = [await openSftp(t, at), await openSftp(t, at)];
  await swapper.mkdir(name('x'), {}, scope);
  await swapper.mkdir(name('x/y'), {}, scope);
  await swapper.symlink(name('../..'), name('x/y/l'), scope);
  await swapper.rename(name('x/y'), name('y'), scope);
  await swapper.mkdir(name('d'), {}, scope);
  for (let round = 0; round < 60; round++) {
    const swaps = [
      swapper.posixRename(name('d'), name('e'), scope),
      swapper.rename(name('y/l'), name('d'), scope),
      swapper.rename(name('d'), name('y/l'), scope),
      swapper.posixRename(name('e'), name('d'), scope),
    ];
    const writes = Array.from({ length: 8 }, async () => {
      const handle = await writer.open(name(`d/new${round}`), OPEN.WRITE | OPEN.CREAT, {}, scope);
      await writer.write(handle, 0, Buffer.from('x'), 'write');
      await writer.close(handle);
    });
    await Promise.allSettled([...swaps, ...writes]);
  }
  assert.deepEqual(readdirSync(at.above).sort(), ['root', 'secret']);
});

test('a folder that another program swaps for a link lets nobody out', { ...limit, ...LINUX }, async (t) => {
  const at = await place(t);
  const outside = join(at.above, 'outside');
  const before = () => readdirSync(outside).map((each) => [each, ...kept(join(outside, each))]);
  const kept = (path: string) => [readFileSync(path, 'utf8'), statSync(path).mode, statSync(path).mtimeMs];
  for (const folder of [outside, join(at.root, 'd')]) {
    mkdirSync(folder);
    for (const each of ['f', 'g', 'h']) writeFileSync(join(folder, each), 'bytes');
  }
  writeFileSync(join(outside, 'only'), 'o'.repeat(77));
  const untouched = before();
  const client = await openSftp(t, at);
  const edit = async (path: string, flags: number): Promise<void> => {
    const handle = await client.open(name(path), flags, {}, scope);
    await client.write(handle, 0, Buffer.from('!'), 'write');
    await client.close(handle);
  };
  await whileSwapped({ at: join(at.root, 'd'), outside }, async () => {
    for (let round = 0; round < 300; round++) {
      const looks = [client.lstat(name('d/only'), scope), client.stat(name('d/only'), scope)];
      const changes = [
        edit(`d/new${round}`, OPEN.WRITE | OPEN.CREAT | OPEN.EXCL),
        edit('d/f', OPEN.WRITE),
        edit('d/h', OPEN.WRITE | OPEN.CREAT | OPEN.TRUNC),
        client.setstat(name('d/g'), { size: 2, permissions: 0o777, times: { atime: 7, mtime: 7 } }, scope),
        client.mkdir(name(`d/made${round}`), {}, scope),
        client.symlink(name('f'), name(`d/link${round}`), scope),
      ];
      for (const { status } of await Promise.allSettled(looks)) assert.equal(status, 'rejected');
      await Promise.allSettled(changes);
    }
  });
  assert.deepEqual(before(), untouched);
});

test('what is no packet of the protocol ends the session, and nothing else', limit, async (t) => {
  const at = await place(t);
  const client = await connect(t, at);
  const open = countOpen();
  const hostile: Buffer[] = [
    packet(PACKET.STAT, 1, '/'),
    Buffer.concat([INIT, INIT]),
    Buffer.concat([INIT, Buffer.from([0x7f, 0xff, 0xff, 0xff, PACKET.OPEN])]),
    Buffer.concat([INIT, Buffer.from([0, 0, 0, 0])]),
    Buffer.concat([INIT, Buffer.from([0, 0, 0, 1, PACKET.READ])]),
    Buffer.concat([INIT, packet(PACKET.OPEN, 1, '/x')]),
    Buffer.concat([INIT, packet(PACKET.READ, 1, 'aaaa', 0xffffffff)]),
    Buffer.concat([INIT, packet(PACKET.STAT, 1), packet(PACKET.STAT, 2)]),
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  ];
  for (const bytes of hostile) {
    const channel = await openChannel(client);
    const closed = untilClosed(channel);
    channel.write(bytes);
    await closed;
  }
  const sftp = await openSftp(t, at);
  assert.ok((await sftp.stat(name('/'), scope)).permissions);
  sftp.end();
  client.end();
  await assertNoMoreThan(open);
});

test('numbers larger than a file can be are answered, and the session goes on', limit, async (t) => {
  const at = await place(t);
  writeFileSync(join(at.root, 'f'), 'bytes');
  const channel = await openChannel(await connect(t, at));
  const answers: Buffer[] = [];
  const splitter = new PacketSplitter((answer) => answers.push(answer));
  channel.on('data', (chunk: Buffer) => splitter.push(chunk));
  const [most, handle] = [[0xffffffff, 0xffffffff], Buffer.alloc(4)];
  channel.write(INIT);
  channel.write(packet(PACKET.OPEN, 1, 'f', OPEN.READ | OPEN.WRITE, 0));
  channel.write(packet(PACKET.READ, 2, handle, ...most, 10));
  channel.write(packet(PACKET.WRITE, 3, handle, ...most, 'x'));
  channel.write(packet(PACKET.WRITE, 4, handle, 0x00200000, 0, 'x'));
  channel.write(packet(PACKET.FSETSTAT, 5, handle, 1, ...most));
  channel.write(packet(PACKET.SETSTAT, 6, 'f', 1, 0x00200000, 0));
  channel.write(packet(PACKET.OPEN, 7, 'f', OPEN.READ, 1, ...most));
  channel.write(packet(PACKET.WRITE, 8, handle, 0, 0, 'B'));
  await until(() => answers.length === 9);
  const { OK, EOF, FAILURE } = STATUS;
  const said = answers.slice(1).map((answer) => (answer[0] === PACKET.STATUS ? answer.readUInt32BE(5) : answer[0]));
  assert.deepEqual(said, [PACKET.HANDLE, EOF, FAILURE, FAILURE, FAILURE, FAILURE, PACKET.HANDLE, OK]);
  assert.equal(readFileSync(join(at.root, 'f'), 'utf8'), 'Bytes');
});

test('names that cannot be and handles that are not are answered', limit, async (t) => {
  const at = await place(t);
  const client = await openSftp(t, at);
  const names = ['a\0b', 'x'.repeat(256), 'y/'.repeat(3000), `${'z'.repeat(255)}/`.repeat(20)];
  for (const text of names) {
    await assert.rejects(client.stat(name(text), scope), text.slice(0, 5));
    await assert.rejects(client.open(name(text), OPEN.WRITE | OPEN.CREAT, {}, scope), text.slice(0, 5));
    await assert.rejects(client.mkdir(name(text), {}, scope), text.slice(0, 5));
  }
  for (const handle of [Buffer.alloc(0), Buffer.from('0000'), Buffer.alloc(300)]) {
    await assert.rejects(client.read(handle, 0, 10, 'read'), failsWith('DENIED'));
    await assert.rejects(client.write(handle, 0, Buffer.from('x'), 'write'), failsWith('DENIED'));
    await assert.rejects(client.fstat(handle, 'fstat'), failsWith('DENIED'));
  }
  await assert.rejects(client.extended('nobody@example.org', [], 'extension'), failsWith('UNSUPPORTED'));
  await assert.rejects(client.remove(name('/'), scope), failsWith('DENIED'));
  assert.deepEqual(readdirSync(at.root), []);
});

test('a listing that is closed before its end leaves no directory open', limit, async (t) => {
  const at = await place(t);
  for (let index = 0; index < 400; index++) writeFileSync(join(at.root, `file-${index}`), '');
  const channel = await openChannel(await connect(t, at));
  const answers: Buffer[] = [];
  channel.on('data', (part: Buffer) => answers.push(part));
  const open = [1, 2, 3, 4].map((id) => packet(PACKET.OPENDIR, id, '/'));
  const close = [0, 1, 2, 3].map((handle) => packet(PACKET.CLOSE, 10 + handle, Buffer.from([0, 0, 0, handle])));
  channel.end(Buffer.concat([INIT, ...open, ...close]));
  await once(channel, 'close');
  assert.ok(Buffer.concat(answers).includes('Success'));
  // At once: what is left open is closed by the garbage collector some day.
  assert.equal(countOpen().get(`descriptor ${at.root}`), undefined);
});

test('one session has so many handles and one connection so many sessions', limit, async (t) => {
  const at = await place(t, { limits: { handles: 5, sessions: 2 } });
  writeFileSync(join(at.root, 'f'), 'f');
  const connection = await connect(t, at);
  const [first, second] = [await openChannel(connection), await openChannel(connection)];
  await assert.rejects(openChannel(connection));
  const closed = untilClosed(first);
  first.write(INIT);
  const opens = Array.from({ length: 8 }, (_, id) => packet(PACKET.OPEN, id, 'f', OPEN.READ, 0));
  first.write(Buffer.concat(opens));
  first.end();
  const types = packetTypes(await closed);
  assert.equal(types.filter((type) => type === PACKET.HANDLE).length, 5);
  assert.equal(types.filter((type) => type === PACKET.STATUS).length, 3);
  await openChannel(connection);
  second.close();
});

function packetTypes(bytes: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at + 4 < bytes.length; at += 4 + bytes.readUInt32BE(at)) types.push(bytes[at + 4] as number);
  return types;
}

test('a client that reads no answer costs no more than its share of memory', limit, async (t) => {
  const at = await place(t);
  writeFileSync(join(at.root, 'big'), patternBytes(8 << 20));
  const channel = await openChannel(await connect(t, at));
  channel.pause();
  channel.write(INIT);
  channel.write(packet(PACKET.OPEN, 0, 'big', OPEN.READ, 0));
  const before = process.memoryUsage().arrayBuffers;
  const reads = Array.from({ length: 2000 }, (_, id) => packet(PACKET.READ, id, Buffer.alloc(4), 0, 0, 255 * 1024));
  channel.write(Buffer.concat(reads));
  let most = 0;
  for (let look = 0; look < 30; look++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  // 2 MiB wait in the client's window, and what was freed may not be collected yet.
  assert.ok(most < 40 << 20, `${most} bytes`);
});

test('a connection that ends at any time leaves nothing behind', limit, async (t) => {
  const at = await place(t);
  const open = countOpen();
  for (let round = 0; round < 12; round++) {
    const connection = await connect(t, at);
    if (round % 3 > 0) {
      const channel = await openChannel(connection);
      channel.write(INIT);
      if (round % 3 > 1) channel.write(packet(PACKET.OPEN, 0, `new${round}`, OPEN.WRITE | OPEN.CREAT, 0));
    } else connection.exec('true', () => undefined);
    connection.destroy();
  }
  await assertNoMoreThan(open);
  assert.deepEqual(readdirSync(at.root), []);
});

test('nothing can be changed where nothing is received', limit, async (t) => {
  const at = await place(t, { upload: false });
  writeFileSync(join(at.root, 'f'), 'f');
  const client: SftpClient = await openSftp(t, at);
  const denied: (() => Promise<unknown>)[] = [
    ...[OPEN.WRITE, OPEN.READ | OPEN.TRUNC, OPEN.READ | OPEN.CREAT, OPEN.APPEND].map(
      (flags) => () => client.open(name('f'), flags, {}, scope),
    ),
    () => client.setstat(name('f'), { permissions: 0o600 }, scope),
    () => client.remove(name('f'), scope),
    () => client.rename(name('f'), name('g'), scope),
    () => client.posixRename(name('f'), name('g'), scope),
    () => client.mkdir(name('d'), {}, scope),
    () => client.rmdir(name('d'), scope),
    () => client.symlink(name('f'), name('l'), scope),
  ];
  for (const attempt of denied) await assert.rejects(attempt, failsWith('DENIED'));
  const handle = await client.open(name('f'), OPEN.READ, {}, scope);
  await assert.rejects(client.fsetstat(handle, { size: 0 }, 'cut'), failsWith('DENIED'));
  await assert.rejects(client.write(handle, 0, Buffer.from('x'), 'write'), failsWith('DENIED'));
  assert.equal(readFileSync(join(at.root, 'f'), 'utf8'), 'f');
});

test('random requests are answered or end the session, and the next is served', limit, async (t) => {
  const at = await place(t);
  writeFileSync(join(at.root, 'f'), 'f');
  const connection = await connect(t, at);
  const seed = pickSeed();
  t.diagnostic(`XFER_SEED=${seed}`);
  const dice = new Dice(seed);
  const types = Object.values(PACKET).filter((type) => type !== PACKET.INIT);
  for (let round = 0; round < 40; round++) {
    const channel = await openChannel(connection);
    const closed = untilClosed(channel);
    channel.write(INIT);
    for (let count = 0; count < 30; count++)
      channel.write(packet(dice.below(250) < 5 ? dice.below(256) : dice.of(types), count, ...someFields(dice)));
    channel.end();
    await closed;
  }
  const client = await openSftp(t, at);
  assert.ok((await client.stat(name('/'), scope)).permissions);
  assert.deepEqual(readdirSync(at.above).sort(), ['root', 'secret']);
});

function someFields(dice: Dice): (number | string | Buffer)[] {
  const strings = [
    'f',
    '/',
    '../secret',
    'new',
    Buffer.alloc(4),
    'posix-rename@openssh.com',
    'limits@openssh.com',
    '',
    '\0',
  ];
  return Array.from({ length: dice.below(6) }, () =>
    dice.below(2) === 0 ? dice.of(strings) : dice.of([0, 1, 26, 0xffffffff, dice.below(2 ** 31)]),
  );
}
