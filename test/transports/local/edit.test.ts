/** Files of this machine as a client of a file server changes them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { EditOptions, Scope } from '#xfer/transport.js';
import { LocalSink } from '#xfer/transports/local/sink.js';
import { LocalSource } from '#xfer/transports/local/source.js';
import { failsWith } from '../../support/fails-with.js';

const scope: Scope = { signal: new AbortController().signal };
const CREATE: EditOptions = { create: 'may', truncate: true, append: false, read: true, whole: true };
const IN_PLACE: EditOptions = { ...CREATE, create: 'never', truncate: false };

function setUp(t: TestContext): { above: string; root: string; sink: LocalSink } {
  const above = mkdtempSync(join(tmpdir(), 'xfer-edit-'));
  t.after(() => rmSync(above, { recursive: true, force: true }));
  const root = join(above, 'root');
  mkdirSync(root);
  writeFileSync(join(above, 'secret'), 'outside');
  return { above, root, sink: new LocalSink(root) };
}

test('a new file has its name once it is closed, and bytes go anywhere in it', async (t) => {
  const { root, sink } = setUp(t);
  const file = await sink.edit('new', { ...CREATE, mode: 0o640 }, scope);
  await file.writeAt([Buffer.from('world')], 6);
  await file.writeAt([Buffer.from('hel'), Buffer.from('lo ')], 0);
  assert.equal(existsSync(join(root, 'new')), false);
  assert.deepEqual(readdirSync(root), [file.temporary]);
  assert.equal(file.look().size, 11);
  const read = Buffer.alloc(20);
  assert.equal(await file.readAt(read, 6), 5);
  assert.equal(await file.readAt(read, 11), 0);
  file.change({ size: 8, mtimeMs: 1_000_000_000_000 });
  await file.close();
  assert.deepEqual(readdirSync(root), ['new']);
  assert.equal(readFileSync(join(root, 'new'), 'utf8'), 'hello wo');
  assert.equal(statSync(join(root, 'new')).mtimeMs, 1_000_000_000_000);
  assert.equal(statSync(join(root, 'new')).mode & 0o777, 0o640 & ~process.umask());
});

test('an abandoned file leaves what was there, and nothing else', async (t) => {
  const { root, sink } = setUp(t);
  writeFileSync(join(root, 'old'), 'old bytes');
  const file = await sink.edit('old', CREATE, scope);
  const writing = file.writeAt([Buffer.alloc(1 << 20), Buffer.alloc(1 << 20)], 0);
  await file.abandon();
  await writing;
  assert.deepEqual(readdirSync(root), ['old']);
  assert.equal(readFileSync(join(root, 'old'), 'utf8'), 'old bytes');
});

test('a replaced file keeps its mode; one with two names is changed in place', async (t) => {
  const { root, sink } = setUp(t);
  writeFileSync(join(root, 'private'), 'x', { mode: 0o600 });
  const replaced = await sink.edit('private', { ...CREATE, mode: 0o644 }, scope);
  await replaced.close();
  assert.equal(statSync(join(root, 'private')).mode & 0o777, 0o600);
  writeFileSync(join(root, 'one'), 'before');
  linkSync(join(root, 'one'), join(root, 'two'));
  const shared = await sink.edit('one', CREATE, scope);
  await shared.writeAt([Buffer.from('after')], 0);
  await shared.close();
  assert.equal(readFileSync(join(root, 'two'), 'utf8'), 'after');
});

test('appended bytes go to the end, wherever they were meant to', async (t) => {
  const { root, sink } = setUp(t);
  writeFileSync(join(root, 'log'), 'one ');
  const file = await sink.edit('log', { ...IN_PLACE, append: true }, scope);
  await file.writeAt([Buffer.from('two ')], 0);
  await file.writeAt([Buffer.from('three')], 0);
  await file.abandon();
  assert.equal(readFileSync(join(root, 'log'), 'utf8'), 'one two three');
});

test('a file that gathers can be given another name before it has one', async (t) => {
  const { root, sink } = setUp(t);
  mkdirSync(join(root, 'd'));
  const file = await sink.edit('a', CREATE, scope);
  file.rename('d/b');
  await file.close();
  assert.deepEqual(readdirSync(root), ['d']);
  assert.deepEqual(readdirSync(join(root, 'd')), ['b']);
});

test('only what is meant is opened: not a directory, a pipe, a missing or a taken name', async (t) => {
  const { root, sink } = setUp(t);
  mkdirSync(join(root, 'd'));
  writeFileSync(join(root, 'f'), '');
  execFileSync('mkfifo', [join(root, 'pipe')]);
  await assert.rejects(() => sink.edit('d', CREATE, scope), failsWith('EXISTS'));
  await assert.rejects(() => sink.edit('', CREATE, scope), failsWith('EXISTS'));
  await assert.rejects(() => sink.edit('pipe', IN_PLACE, scope), failsWith('UNSUPPORTED'));
  await assert.rejects(() => sink.change('pipe', { size: 1 }, true, scope), failsWith('UNSUPPORTED'));
  await assert.rejects(() => sink.edit('none', IN_PLACE, scope), failsWith('NOT_FOUND'));
  await assert.rejects(() => sink.edit('none/x', CREATE, scope), failsWith('NOT_FOUND'));
  await assert.rejects(() => sink.edit('f', { ...CREATE, create: 'must' }, scope), failsWith('EXISTS'));
});

test('no change goes through a link out of the root', async (t) => {
  const { above, root, sink } = setUp(t);
  symlinkSync('../secret', join(root, 'out'));
  symlinkSync('..', join(root, 'up'));
  writeFileSync(join(root, 'f'), 'f');
  const unsafe: (() => Promise<unknown>)[] = [
    () => sink.edit('out', IN_PLACE, scope),
    () => sink.edit('out', CREATE, scope),
    () => sink.edit('up/new', CREATE, scope),
    () => sink.edit('up/secret', IN_PLACE, scope),
    () => sink.edit('../new', CREATE, scope),
    () => sink.change('out', { mode: 0o600 }, true, scope),
    () => sink.change('up', { mode: 0o777 }, true, scope),
    () => sink.rename('f', 'up/f', true, scope),
    () => sink.rename('up/secret', 'g', true, scope),
    () => sink.remove('up/secret', 'file', scope),
    () => sink.create({ path: 'up/d', kind: 'directory' }, scope),
    () => sink.create({ path: 'up/l', kind: 'symlink', target: 'x' }, scope),
  ];
  for (const attempt of unsafe) await assert.rejects(attempt, failsWith('UNSAFE_PATH'));
  assert.deepEqual(readdirSync(above).sort(), ['root', 'secret']);
  assert.equal(readFileSync(join(above, 'secret'), 'utf8'), 'outside');
  assert.deepEqual(readdirSync(root).sort(), ['f', 'out', 'up']);
});

test('a link is written through inside the root, and is itself what is renamed, removed and looked at', async (t) => {
  const { root, sink } = setUp(t);
  writeFileSync(join(root, 'f'), 'f');
  symlinkSync('f', join(root, 'l'));
  const file = await sink.edit('l', CREATE, scope);
  await file.writeAt([Buffer.from('through')], 0);
  await file.close();
  assert.equal(readFileSync(join(root, 'f'), 'utf8'), 'through');
  await sink.change('l', { mtimeMs: 5000 }, false, scope);
  assert.equal(lstatSync(join(root, 'l')).mtimeMs, 5000);
  await assert.rejects(() => sink.change('l', { mode: 0o600 }, false, scope), failsWith('UNSUPPORTED'));
  await sink.rename('l', 'm', false, scope);
  const source = new LocalSource(root);
  assert.deepEqual((await source.look('m', scope))?.target, 'f');
  assert.equal(await source.look('none', scope), undefined);
  await sink.remove('m', 'file', scope);
  assert.deepEqual(readdirSync(root), ['f']);
});

test('a rename replaces only where it may; the root itself stays', async (t) => {
  const { root, sink } = setUp(t);
  writeFileSync(join(root, 'a'), 'a');
  writeFileSync(join(root, 'b'), 'b');
  mkdirSync(join(root, 'd'));
  await assert.rejects(() => sink.rename('a', 'b', false, scope), failsWith('EXISTS'));
  await sink.rename('a', 'b', true, scope);
  assert.equal(readFileSync(join(root, 'b'), 'utf8'), 'a');
  await assert.rejects(() => sink.remove('d', 'file', scope), failsWith('EXISTS'));
  await assert.rejects(() => sink.remove('b', 'directory', scope), failsWith('NOT_FOUND'));
  await sink.remove('d', 'directory', scope);
  for (const attempt of [() => sink.remove('', 'directory', scope), () => sink.rename('', 'x', true, scope)]) {
    await assert.rejects(attempt, failsWith('DENIED'));
  }
});

test('the room in the file system is told', async (t) => {
  const { root } = setUp(t);
  const space = await new LocalSource(root).space(scope);
  assert.ok(space.blockBytes > 0 && space.blocks >= space.freeBlocks && space.freeBlocks >= space.availableBlocks);
});
