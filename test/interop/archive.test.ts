import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { bytesFromName, nameFromBytes } from '#xfer/names.js';
import type { ByteRange, Entry } from '#xfer/transport.js';
import { collect, patternBytes } from '../support/fixtures.js';
import { findProgram, needs } from '../support/peers.js';
import { runProgram } from '../support/run-xfer.js';
import { differences, makeOddTree, makeRandomFile } from '../support/trees.js';
import { age, fetchWhole, serveLocal } from '../transports/http/listen/archive/archive-rig.js';
import { type DiskSource, diskSource, serve, temporaryFolder } from '../transports/http/listen/rig.js';

/** Runs a program to its end, and fails where it says that something is wrong. */
async function run(name: string, args: readonly string[], cwd: string): Promise<Buffer> {
  const env = { LC_ALL: 'C.UTF-8', TZ: 'UTC', no_proxy: '*', NO_PROXY: '*' };
  const { exitCode, stdout, stderr } = await runProgram(findProgram(name) as string, args, { cwd, env });
  assert.equal(exitCode, 0, `${name} ${args.join(' ')}\n${stdout}\n${stderr}`);
  return stdout;
}

/** A rename changes the time of the folder. */
async function sameTime(from: string, to: string): Promise<void> {
  const { atime, mtime } = await stat(from);
  await utimes(to, atime, mtime);
}

/** What our archives call it -> its name. */
const BACKSLASH = { 'deep/deeper dir/back%5Cslash': 'deep/deeper dir/back\\slash' };
/** libarchive composes names that it knows to be UTF-8. */
const COMPOSED = { 'nfd \u00e9.txt': 'nfd e\u0301.txt' };

interface Unpacked {
  readonly root: string;
  readonly archive: string;
  /** An empty folder to unpack in. */
  readonly folder: string;
  /** What came out must be the tree that went in, but for names that are known to change. */
  check(renamed?: Readonly<Record<string, string>>): Promise<void>;
}

/** A tree with odd names, one of them not UTF-8, and its archive on the disk. */
async function oddArchive(t: TestContext, form: string): Promise<Unpacked> {
  const root = join(await temporaryFolder(t), 'odd tree');
  makeOddTree(root, 60, { bytes: true });
  await mkdir(join(root, 'l'.repeat(120), 'é'.repeat(70)), { recursive: true });
  await writeFile(join(root, 'l'.repeat(120), 'é'.repeat(70), 'end'), 'of a long path');
  const raw = nameFromBytes(Buffer.from('\xe9'.repeat(120), 'latin1'));
  await writeFile(Buffer.concat([Buffer.from(`${root}/`), bytesFromName(raw)]), 'a long name that is not UTF-8');
  age(root);
  const { url } = await serveLocal(t, root, { hidden: true });
  const folder = await temporaryFolder(t);
  const archive = join(await temporaryFolder(t), `tree.${form}`);
  await writeFile(archive, (await fetchWhole(`${url}/?archive=${form}`)).body);
  const check = async (renamed = {}): Promise<void> => {
    const out = join(folder, 'odd tree');
    for (const [from, to] of Object.entries({ ...BACKSLASH, ...renamed })) await rename(join(out, from), join(out, to));
    for (const place of ['', 'deep/deeper dir']) await sameTime(join(root, place), join(out, place));
    assert.deepEqual(differences(root, out, { modes: true, times: true }), []);
  };
  return { root, archive, folder, check };
}

test('unzip finds no fault, and brings all back', { ...needs('unzip'), timeout: 60_000 }, async (t) => {
  const { archive, folder, check } = await oddArchive(t, 'zip');
  assert.match((await run('unzip', ['-tq', archive], folder)).toString(), /^No errors detected/);
  // -^ lets a name have control characters, as the line break in one has.
  await run('unzip', ['-q', '-^', archive], folder);
  await check();
});

for (const form of ['zip', 'tar', 'tar.gz'] as const) {
  test(`bsdtar brings all of a ${form} back`, { ...needs('bsdtar'), timeout: 60_000 }, async (t) => {
    const { archive, folder, check } = await oddArchive(t, form);
    await run('bsdtar', ['-xpf', archive], folder);
    await check(COMPOSED);
  });
}

test('bsdtar unpacks a ZIP as it comes, without its end', { ...needs('bsdtar'), timeout: 60_000 }, async (t) => {
  const { archive, folder } = await oddArchive(t, 'zip');
  const input = await collect(createReadStream(archive));
  const { exitCode, stderr } = await runProgram(findProgram('bsdtar') as string, ['-xf', '-'], { cwd: folder, input });
  assert.equal(exitCode, 0, stderr);
  assert.equal(
    await readFile(join(folder, 'odd tree', 'l'.repeat(120), 'é'.repeat(70), 'end'), 'utf8'),
    'of a long path',
  );
});

for (const form of ['tar', 'tar.gz'] as const) {
  test(`GNU tar brings all of a ${form} back`, { ...needs('tar'), timeout: 60_000 }, async (t) => {
    const { archive, folder, check } = await oddArchive(t, form);
    await run('tar', ['-xpf', archive], folder);
    await check();
  });
}

test('python3 reads the ZIP and the tar', { ...needs('python3'), timeout: 60_000 }, async (t) => {
  const zip = await oddArchive(t, 'zip');
  assert.match((await run('python3', ['-m', 'zipfile', '-t', zip.archive], zip.folder)).toString(), /^Done testing\n$/);
  const tar = await oddArchive(t, 'tar');
  await run('python3', ['-m', 'tarfile', '-e', tar.archive, tar.folder], tar.folder);
  await tar.check();
});

/** A folder whose archive takes some MiB, and what it is whole. */
async function largeArchive(t: TestContext, form: string): Promise<{ url: string; whole: Buffer; folder: string }> {
  const root = join(await temporaryFolder(t), 'large');
  await mkdir(join(root, 'sub'), { recursive: true });
  for (const name of ['a', 'sub/b', 'sub/c']) makeRandomFile(join(root, name), 5_000_001);
  await writeFile(join(root, 'sub', 'd'), patternBytes(70));
  age(root);
  const { url } = await serveLocal(t, root);
  const target = `${url}/?archive=${form}`;
  const { body } = await fetchWhole(target);
  // Another listener, which has read none of it.
  const again = await serveLocal(t, root);
  return { url: `${again.url}/?archive=${form}`, whole: body, folder: await temporaryFolder(t) };
}

for (const form of ['zip', 'tar'] as const) {
  test(`curl -C - goes on with a ${form}`, { ...needs('curl'), timeout: 60_000 }, async (t) => {
    const { url, whole, folder } = await largeArchive(t, form);
    for (const held of [17, 5_000_500, 9_000_000, whole.length - 400, whole.length - 3]) {
      await writeFile(join(folder, 'part'), whole.subarray(0, held));
      await run('curl', ['-q', '-sS', '-f', '--noproxy', '*', '-C', '-', '-o', 'part', url], folder);
      assert.ok((await readFile(join(folder, 'part'))).equals(whole), `${held} bytes held`);
    }
  });

  test(`aria2c -x4 puts a ${form} together`, { ...needs('aria2c'), timeout: 60_000 }, async (t) => {
    const { url, whole, folder } = await largeArchive(t, form);
    const how = ['--no-conf', '-q', '-x4', '-s4', '-k1M', '--file-allocation=none'];
    await run('aria2c', [...how, '-d', folder, '-o', 'out', url], folder);
    assert.ok((await readFile(join(folder, 'out'))).equals(whole));
  });
}

test('curl -OJ saves under the name of the folder', { ...needs('curl'), timeout: 60_000 }, async (t) => {
  const { url, whole, folder } = await largeArchive(t, 'zip');
  await run('curl', ['-q', '-sS', '-f', '--noproxy', '*', '-OJ', url], folder);
  assert.ok((await readFile(join(folder, 'large.zip'))).equals(whole));
});

/** More than 32 bits can say of a length, and of a place. */
const SPARSE_BYTES = 2 ** 32 + 5;

/** A folder of a file of zeros, which are made and not read, and a small one after it. */
function sparseSource(): DiskSource {
  const share = diskSource('/none', 'sparse');
  const zeros = Buffer.alloc(1 << 20);
  const after = Buffer.from('after 4 GiB');
  const entries: Entry[] = [
    { path: 'a', kind: 'file', size: SPARSE_BYTES, mode: 0o644, mtimeMs: 1e12, version: 'a' },
    { path: 'b', kind: 'file', size: after.length, mode: 0o644, mtimeMs: 1e12, version: 'b' },
  ];
  const find = (path: string) => entries.find((entry) => entry.path === path) as Entry;
  share.stat = (path) => Promise.resolve(path === '' ? { path, kind: 'directory', mtimeMs: 1e12 } : find(path));
  share.list = async function* () {
    yield* entries;
  };
  share.open = (path) => {
    const entry = find(path);
    function* pieces(start: number, end: number): Generator<Buffer> {
      if (path === 'b') yield after.subarray(start, end);
      else for (let at = start; at < end; at += zeros.length) yield zeros.subarray(0, end - at);
    }
    const read = ({ start, end }: ByteRange) => Readable.from(pieces(start, end ?? (entry.size as number)));
    return Promise.resolve({ entry, read, close: () => Promise.resolve() });
  };
  return share;
}

test('a file of more than 4 GiB, and one after it', { ...needs('python3', 'bsdtar'), timeout: 60_000 }, async (t) => {
  const { url } = await serve(t, '/none', { share: sparseSource() });
  const target = `${url}/?archive=zip`;
  const head = (await fetchWhole(target, { range: 'bytes=0-999' })).body;
  const tail = (await fetchWhole(target, { range: 'bytes=-1000' })).body;
  const { headers } = await fetch(target, { method: 'HEAD' });
  const size = Number(headers.get('content-length'));
  // The zeros between the two stand for themselves.
  const folder = await temporaryFolder(t);
  const archive = join(folder, 'sparse.zip');
  const file = await open(archive, 'w');
  await file.write(head, 0, head.length, 0);
  await file.write(tail, 0, tail.length, size - tail.length);
  await file.close();
  assert.equal((await stat(archive)).size, size);
  const script = [
    'import sys, zipfile',
    'zip = zipfile.ZipFile(sys.argv[1])',
    'print([(i.filename, i.file_size) for i in zip.infolist()])',
    "print(zip.read('sparse/b'))",
  ].join('\n');
  assert.equal(
    (await run('python3', ['-c', script, archive], folder)).toString(),
    `[('sparse/', 0), ('sparse/a', ${SPARSE_BYTES}), ('sparse/b', 11)]\nb'after 4 GiB'\n`,
  );
  assert.match((await run('bsdtar', ['-tvf', archive], folder)).toString(), /4294967301 .* sparse\/a\n.* sparse\/b\n$/);
  await run('bsdtar', ['-xf', archive, 'sparse/b'], folder);
  assert.equal(await readFile(join(folder, 'sparse', 'b'), 'utf8'), 'after 4 GiB');
  const { body } = await fetchWhole(`${url}/?archive=tar`, { range: 'bytes=0-1535' });
  await writeFile(join(folder, 'head.tar'), body);
  await truncate(join(folder, 'head.tar'), SPARSE_BYTES + 4096);
  assert.match((await run('bsdtar', ['-tvf', 'head.tar'], folder)).toString(), /4294967301 .* sparse\/a\n/);
});
