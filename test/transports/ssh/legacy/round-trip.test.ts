/** Both directions against the real scp in its server's role. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { type CopyOptions, copy } from '#xfer/copy/index.js';
import type { Source } from '#xfer/transport.js';
import { LocalSink } from '#xfer/transports/local/sink.js';
import { LocalSource } from '#xfer/transports/local/source.js';
import type { SshOptions } from '#xfer/transports/ssh/index.js';
import { openLegacySink, openLegacySource } from '#xfer/transports/ssh/legacy/open.js';
import { failsWith } from '../../../support/fails-with.js';
import { needs } from '../../../support/peers.js';
import { differences, makeOddTree } from '../../../support/trees.js';
import { farLocation, localCarrier } from './local-scp.js';

const TIME = { timeout: 8000 };

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'xfer-old-scp-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function up(sources: readonly Source[], path: string, options: CopyOptions = {}, given: SshOptions = {}) {
  const carrier = localCarrier();
  const sink = openLegacySink(carrier, farLocation(path), {
    recursive: true,
    preserve: options.preserve === true,
    ...given,
  });
  try {
    return { ...(await copy(sources, sink, { recursive: true, ...options })), commands: carrier.commands };
  } finally {
    await sink.close();
  }
}

async function down(path: string, to: string, options: CopyOptions = {}, given: SshOptions = {}) {
  const source = openLegacySource(localCarrier(), farLocation(path), {
    recursive: true,
    preserve: options.preserve === true,
    ...given,
  });
  try {
    return await copy([source], new LocalSink(to), { recursive: true, ...options });
  } finally {
    await source.close();
  }
}

function oddTree(root: string): string {
  makeOddTree(root, 40);
  rmSync(join(root, 'new\nline'));
  utimesSync(join(root, 'deep'), 1_300_000_000, 1_200_000_000);
  return root;
}

describe('the old protocol with a real scp', needs('scp'), () => {
  test('a tree goes up and comes down, with modes and times', TIME, async (t) => {
    const folder = makeFolder(t);
    const tree = oddTree(join(folder, 'tree'));
    chmodSync(join(tree, 'empty'), 0o555);
    const preserve = { preserve: true };
    assert.deepEqual((await up([new LocalSource(tree)], join(folder, 'far'), preserve)).failures, []);
    assert.deepEqual(differences(tree, join(folder, 'far'), { modes: true, times: true }), []);
    assert.deepEqual((await down(join(folder, 'far'), join(folder, 'back'), preserve)).failures, []);
    assert.deepEqual(differences(tree, join(folder, 'back'), { modes: true, times: true }), []);
  });

  test('a tree goes into a directory that is there, and over itself', TIME, async (t) => {
    const folder = makeFolder(t);
    const tree = oddTree(join(folder, 'tree'));
    mkdirSync(join(folder, 'far'));
    for (const _ of ['new', 'again']) await up([new LocalSource(tree)], join(folder, 'far'));
    assert.deepEqual(differences(tree, join(folder, 'far', 'tree')), []);
    await up([new LocalSource(tree)], folder);
    assert.equal(readdirSync(tree).length > 10, true);
  });

  test('a file takes the name, or goes into the directory, as the far side sees it', TIME, async (t) => {
    const folder = makeFolder(t);
    mkdirSync(join(folder, 'dir'));
    writeFileSync(join(folder, 'a'), 'longer than before');
    for (const name of ['a new $(name)', 'dir', 'dir/'])
      await up([new LocalSource(join(folder, 'a'))], join(folder, name));
    assert.deepEqual(readdirSync(folder), ['a', 'a new $(name)', 'dir']);
    assert.deepEqual(readdirSync(join(folder, 'dir')), ['a']);
    writeFileSync(join(folder, 'a'), 'short');
    await up([new LocalSource(join(folder, 'a'))], join(folder, 'dir'));
    assert.equal(readFileSync(join(folder, 'dir', 'a'), 'utf8'), 'short');
  });

  test('several need a directory, which the far side checks', TIME, async (t) => {
    const folder = makeFolder(t);
    mkdirSync(join(folder, 'dir'));
    const sources = ['a', 'b'].map((name) => join(folder, name));
    for (const path of sources) writeFileSync(path, path);
    const both = () => sources.map((path) => new LocalSource(path));
    const { commands } = await up(both(), join(folder, 'dir'));
    assert.equal(commands.length, 1);
    assert.deepEqual(readdirSync(join(folder, 'dir')), ['a', 'b']);
    await assert.rejects(up(both(), join(folder, 'missing')), failsWith('NOT_FOUND', /missing: No such file/));
    await assert.rejects(up(both(), join(folder, 'a')), failsWith('EXISTS', /Not a directory/));
  });

  test('one failure, on either side, leaves the others', TIME, async (t) => {
    const folder = makeFolder(t);
    mkdirSync(join(folder, 'far', 'b'), { recursive: true });
    mkdirSync(join(folder, 'tree'));
    for (const name of ['a', 'b', 'c', 'shrinks', 'z']) writeFileSync(join(folder, 'tree', name), name.repeat(9));
    const source = new LocalSource(join(folder, 'tree'));
    const read = source.read.bind(source);
    source.read = async (entry, range, scope) =>
      entry.path === 'shrinks' ? Readable.from([Buffer.from('shr')]) : read(entry, range, scope);
    Object.assign(source, { name: '' });
    const { failures } = await up([source], join(folder, 'far'));
    assert.deepEqual(failures.map(({ path, error }) => [path, error.code]).sort(), [
      ['b', 'EXISTS'],
      ['shrinks', 'TRUNCATED'],
    ]);
    for (const name of ['a', 'c', 'z']) assert.equal(readFileSync(join(folder, 'far', name), 'utf8'), name.repeat(9));
  });

  test('what the far side cannot send is said, and the rest comes', TIME, async (t) => {
    const folder = makeFolder(t);
    mkdirSync(join(folder, 'far'));
    for (const name of ['a', 'z']) writeFileSync(join(folder, 'far', name), name);
    symlinkSync('nowhere', join(folder, 'far', 'm'));
    const { failures } = await down(join(folder, 'far'), join(folder, 'got'));
    assert.deepEqual(
      failures.map(({ error }) => error.code),
      ['NOT_FOUND'],
    );
    assert.deepEqual(readdirSync(join(folder, 'got')), ['a', 'z']);
    await assert.rejects(down(join(folder, 'none'), join(folder, 'x')), failsWith('NOT_FOUND', /none: No such file/));
    const plain = down(join(folder, 'far'), join(folder, 'x'), {}, { recursive: false });
    await assert.rejects(plain, failsWith('UNSUPPORTED', /far: not a regular file/));
  });

  test('what fails here leaves the rest', TIME, async (t) => {
    const folder = makeFolder(t);
    mkdirSync(join(folder, 'far'));
    mkdirSync(join(folder, 'got', 'far', 'b'), { recursive: true });
    for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, 'far', name), Buffer.alloc(300_000, name));
    const { failures } = await down(join(folder, 'far'), join(folder, 'got'));
    assert.deepEqual(
      failures.map(({ path, error }) => [path, error.code]),
      [['far/b', 'EXISTS']],
    );
    assert.equal(statSync(join(folder, 'got', 'far', 'c')).size, 300_000);
  });

  test('patterns, and what is left out', TIME, async (t) => {
    const folder = makeFolder(t);
    mkdirSync(join(folder, 'far', 'sub'), { recursive: true });
    mkdirSync(join(folder, 'got'));
    for (const name of ['a.txt', 'b c.txt', 'd.log', 'sub/e.txt']) writeFileSync(join(folder, 'far', name), name);
    await down(join(folder, 'far/*.txt'), join(folder, 'got'));
    assert.deepEqual(readdirSync(join(folder, 'got')), ['a.txt', 'b c.txt']);
    await down(join(folder, 'far'), join(folder, 'less'), { exclude: ['*.txt'] });
    assert.deepEqual(readdirSync(join(folder, 'less'), { recursive: true }), ['d.log', 'sub']);
    const alone = down(join(folder, 'far/*.txt'), join(folder, 'alone'));
    await assert.rejects(alone, failsWith('EXISTS', /stands for more than a\.txt/));
    await down(join(folder, 'far/*.log'), join(folder, 'log'));
    assert.equal(readFileSync(join(folder, 'log'), 'utf8'), 'd.log');
  });

  test('an abort ends the far side, and the promise holds its reason', TIME, async (t) => {
    const folder = makeFolder(t);
    writeFileSync(join(folder, 'big'), Buffer.alloc(20_000_000));
    for (const run of [
      (options: CopyOptions) => up([new LocalSource(join(folder, 'big'))], join(folder, 'far'), options),
      (options: CopyOptions) => down(join(folder, 'big'), join(folder, 'got'), options),
    ]) {
      const stop = new AbortController();
      const reason = new Error('stopped');
      const onEvent = ({ type }: { type: string }) => type === 'progress' && stop.abort(reason);
      await assert.rejects(run({ signal: stop.signal, onEvent }), reason);
    }
    assert.equal(readdirSync(folder).includes('got'), false);
  });

  test('what the protocol has not is refused', TIME, async (t) => {
    const folder = makeFolder(t);
    writeFileSync(join(folder, 'a\nb'), '');
    const odd = up([new LocalSource(join(folder, 'a\nb'))], join(folder, 'x'));
    await assert.rejects(odd, failsWith('UNSAFE_PATH', /line feed/));
    writeFileSync(join(folder, 'a'), '');
    const kept = up([new LocalSource(join(folder, 'a'))], join(folder, 'x'), { overwrite: 'never' });
    await assert.rejects(kept, failsWith('UNSUPPORTED', /cannot tell what is there/));
  });

  test('a host without scp says so', TIME, async (t) => {
    const folder = makeFolder(t);
    const carrier = () => localCarrier((command) => command.replace('scp', 'no-such-scp'));
    const source = openLegacySource(carrier(), farLocation('a'), {});
    await assert.rejects(copy([source], new LocalSink(join(folder, 'x'))), failsWith('UNSUPPORTED', /not found/));
    const sink = openLegacySink(carrier(), farLocation('a'), {});
    writeFileSync(join(folder, 'a'), '');
    await assert.rejects(copy([new LocalSource(join(folder, 'a'))], sink), failsWith('UNSUPPORTED', /not found/));
    await Promise.all([source.close(), sink.close()]);
  });
});
