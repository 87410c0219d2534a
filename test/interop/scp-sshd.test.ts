/** The library against OpenSSH's sshd. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { bytesFromName } from '#xfer/names.js';
import type { Entry, Sink, Source } from '#xfer/transport.js';
import { type SshOptions, transport } from '#xfer/transports/ssh/index.js';
import { failsWith } from '../support/fails-with.js';
import { needs } from '../support/peers.js';
import { type Sshd, startSshd } from '../support/sshd.js';

const run = promisify(execFile);
const scope = { signal: AbortSignal.timeout(120_000) };
const available = needs('sshd', 'ssh-keygen');
let sshd: Sshd;

function location(path: string) {
  return { scheme: 'sftp', host: sshd.host, path };
}

async function openSource(path: string, options: SshOptions = {}): Promise<Source> {
  assert.ok(transport.openSource);
  return transport.openSource(location(path), { configFile: sshd.configFile, ...options } as SshOptions, scope);
}

async function openSink(path: string, options: SshOptions = {}): Promise<Sink> {
  assert.ok(transport.openSink);
  return transport.openSink(location(path), { configFile: sshd.configFile, ...options } as SshOptions, scope);
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function fill(stream: Writable, bytes: Buffer): Promise<void> {
  const done = finished(stream);
  stream.end(bytes);
  await done;
}

async function put(sink: Sink, entry: Entry, bytes: Buffer): Promise<void> {
  const draft = await sink.draft(entry, scope);
  await fill(await draft.write(0, scope), bytes);
  await draft.commit(entry, scope);
}

async function list(source: Source, onSkip?: (path: string) => void): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  for await (const entry of source.entries(onSkip ? { ...scope, onSkip } : scope)) entries.set(entry.path, entry);
  return entries;
}

describe('sshd', { ...available, timeout: 120_000 }, () => {
  before(async () => {
    sshd = await startSshd();
  });
  after(() => sshd?.stop());

  test('a large file goes up and comes down again, with mode and time', async () => {
    const bytes = randomBytes(9_000_001);
    const entry: Entry = { path: '', kind: 'file', size: bytes.length, mode: 0o640, mtimeMs: 1_600_000_000_000 };
    const path = join(sshd.directory, 'large');
    const sink = await openSink(path);
    await put(sink, entry, bytes);
    await sink.close();
    const found = await stat(path);
    assert.equal(found.mode & 0o777, 0o640);
    assert.equal(found.mtimeMs, 1_600_000_000_000);
    assert.ok(bytes.equals(await readFile(path)));

    const source = await openSource(path);
    assert.equal(source.name, 'large');
    const root = (await list(source)).get('');
    assert.ok(root);
    assert.equal(root.mtimeMs, 1_600_000_000_000);
    assert.ok(bytes.equals(await collect(await source.read(root, { start: 0, end: bytes.length }, scope))));
    assert.ok(bytes.equals(await collect(await source.read(root, { start: 0 }, scope))));
    const part = await collect(await source.read(root, { start: 1_000_000, end: 1_700_001 }, scope));
    assert.ok(bytes.subarray(1_000_000, 1_700_001).equals(part));
    await source.close();
  });

  test('names that are hard for a shell and a decoder', async () => {
    const names = [
      'new\nline',
      `quo'te"s`,
      '🙂 emoji',
      '-dash',
      '$(touch pwned)',
      '`touch pwned`',
      '[1]*?',
      'caf\udce9',
      ' ',
      'x'.repeat(255),
    ];
    const root = join(sshd.directory, 'names');
    const sink = await openSink(root);
    await sink.create({ path: '', kind: 'directory' }, scope);
    for (const name of names) await put(sink, { path: name, kind: 'file', size: 3, version: '1' }, Buffer.from('abc'));
    await sink.close();
    const there = await readdir(Buffer.from(root), { encoding: 'buffer' });
    const expected = names.map((name) => bytesFromName(name).toString('hex'));
    assert.deepEqual(there.map((name) => name.toString('hex')).sort(), expected.sort());

    const source = await openSource(root);
    const entries = await list(source);
    assert.deepEqual([...entries.keys()].sort(), ['', ...names].sort());
    for (const name of names) {
      const bytes = await collect(await source.read(entries.get(name) as Entry, { start: 0, end: 3 }, scope));
      assert.equal(bytes.toString(), 'abc');
    }
    await source.close();
  });

  test('a tree: links followed, kept or left out; a loop is skipped', async () => {
    const root = join(sshd.directory, 'tree');
    await mkdir(join(root, 'a', 'b'), { recursive: true });
    await writeFile(join(root, 'a', 'b', 'file'), 'deep');
    await symlink('file', join(root, 'a', 'b', 'link'));
    await symlink('a', join(root, 'dirlink'));
    await symlink('..', join(root, 'a', 'loop'));
    await symlink('nowhere', join(root, 'dangling'));
    await run('mkfifo', [join(root, 'pipe')]);
    const skipped: string[] = [];
    const source = await openSource(root);
    const followed = await list(source, (path) => skipped.push(path));
    await source.close();
    assert.deepEqual(
      [...followed.keys()].sort(),
      ['', 'a', 'a/b', 'a/b/file', 'a/b/link', 'dirlink', 'dirlink/b', 'dirlink/b/file', 'dirlink/b/link'].sort(),
    );
    assert.equal(followed.get('a/b/link')?.kind, 'file');
    assert.deepEqual(skipped.sort(), ['a/loop', 'dangling', 'dirlink/loop', 'pipe'].sort());

    const keeping = await openSource(root, { links: 'keep' });
    const kept = await list(keeping, () => undefined);
    await keeping.close();
    assert.equal(kept.get('a/loop')?.target, '..');
    assert.equal(kept.get('dangling')?.kind, 'symlink');

    const leaving = await openSource(root, { links: 'skip' });
    assert.deepEqual([...(await list(leaving, () => undefined)).keys()].sort(), ['', 'a', 'a/b', 'a/b/file']);
    await leaving.close();
  });

  test('an existing target: its mode stays, a link is written through, nothing is left beside it', async () => {
    const root = join(sshd.directory, 'existing');
    await mkdir(root);
    await writeFile(join(root, 'private'), 'a much longer old text', { mode: 0o600 });
    await chmod(join(root, 'private'), 0o600);
    await symlink('private', join(root, 'link'));
    const sink = await openSink(root);
    const bytes = Buffer.from('new');
    await put(sink, { path: 'link', kind: 'file', size: 3 }, bytes);
    assert.equal(await readFile(join(root, 'private'), 'utf8'), 'new');
    assert.equal((await stat(join(root, 'private'))).mode & 0o777, 0o600);
    await assert.rejects(sink.draft({ path: '', kind: 'file', size: 1 }, scope), failsWith('EXISTS'));
    await assert.rejects(sink.create({ path: 'private', kind: 'directory' }, scope), failsWith('EXISTS'));
    await sink.create({ path: '', kind: 'directory' }, scope);
    await assert.rejects(sink.draft({ path: 'no/such', kind: 'file' }, scope), failsWith('NOT_FOUND'));
    assert.equal(await sink.stat('nothing', scope), undefined);
    await sink.close();
    assert.deepEqual((await readdir(root)).sort(), ['link', 'private']);
  });

  test('a draft that was left is found again, for the same version only', async () => {
    const bytes = randomBytes(700_000);
    const root = join(sshd.directory, 'resume');
    await mkdir(root);
    const entry: Entry = { path: 'file', kind: 'file', size: bytes.length, version: 'v1' };
    const first = await openSink(root);
    const draft = await first.draft(entry, scope);
    await fill(await draft.write(0, scope), bytes.subarray(0, 400_000));
    await draft.suspend();
    await first.close();

    const second = await openSink(root);
    const other = await second.draft({ ...entry, version: 'v2' }, scope);
    assert.deepEqual(other.held, []);
    await other.discard();
    const again = await second.draft(entry, scope);
    assert.deepEqual(again.held, [{ start: 0, end: 400_000 }]);
    await assert.rejects(again.commit(entry, scope), failsWith('TRUNCATED'));
    await fill(await again.write(400_000, scope), bytes.subarray(400_000));
    await again.commit(entry, scope);
    await second.close();
    assert.ok(bytes.equals(await readFile(join(root, 'file'))));
    assert.deepEqual(await readdir(root), ['file']);
  });

  test('a source that changed is refused', async () => {
    const path = join(sshd.directory, 'changing');
    await writeFile(path, 'one');
    const source = await openSource(path);
    const entry = (await list(source)).get('') as Entry;
    await utimes(path, 1, 1);
    await assert.rejects(source.read(entry, { start: 0, end: 3 }, scope), failsWith('SOURCE_CHANGED'));
    await assert.rejects(
      source.read({ path: '', kind: 'file' }, { start: 0, end: 9 }, scope).then(collect),
      failsWith('TRUNCATED'),
    );
    await rm(path);
    await assert.rejects(source.read(entry, { start: 0 }, scope), failsWith('NOT_FOUND'));
    await source.close();
  });

  test('an unknown host, a wrong key and a closed port', async () => {
    const options = [`UserKnownHostsFile=${join(sshd.directory, 'none')}`];
    await assert.rejects(openSource('.', { options }), failsWith('DENIED'));
    const keyless = { options: ['IdentityFile=/nonexistent', 'BatchMode=yes'], configFile: 'none' };
    const known = [...keyless.options, `UserKnownHostsFile=${sshd.knownHostsFile}`, `Port=${sshd.port}`];
    await assert.rejects(openSource('.', { ...keyless, options: known }), failsWith('DENIED'));
    await assert.rejects(openSource('.', { options: ['Port=1', 'ConnectTimeout=5'] }), failsWith('UNREACHABLE'));
    await assert.rejects(openSource('.', { options: ['PKCS11Provider=lib.so'] }), failsWith('UNSUPPORTED'));
  });

  test('an aborted read ends with the reason, and the session goes on', async () => {
    const path = join(sshd.directory, 'abort');
    await writeFile(path, randomBytes(20_000_000));
    const source = await openSource(path);
    const stop = new AbortController();
    const reader = await source.read(
      { path: '', kind: 'file' },
      { start: 0, end: 20_000_000 },
      { signal: stop.signal },
    );
    const reason = new Error('enough');
    reader.once('data', () => stop.abort(reason));
    await assert.rejects(collect(reader), reason);
    const rest = await collect(await source.read({ path: '', kind: 'file' }, { start: 0, end: 10 }, scope));
    assert.equal(rest.length, 10);
    await source.close();
  });
});
