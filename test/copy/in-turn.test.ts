/** Ends that can do one thing at a time, and ends that do not know what is there. */
import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { copy } from '#xfer/copy/index.js';
import type { Entry, Sink, Source } from '#xfer/transport.js';
import { createMemoryTree, openMemorySink, openMemorySource } from '#xfer/transports/memory/index.js';
import { failsWith } from '../support/fails-with.js';
import { collectEntries } from '../support/fixtures.js';

const scope = { signal: new AbortController().signal };
const TREE = ['', 'a', 'd', 'd/b', 'd/c', 'e'];
const isDirectory = (path: string) => path === '' || path === 'd';

/** Fails a read that is not of the entry given last, which only one stream for all could tell apart. */
function inTurn(changes: Partial<Source> = {}): Source {
  let last: string | undefined;
  return {
    label: 'stream',
    identity: 'test:/stream',
    name: 'tree',
    capabilities: { ranges: false, replay: false, parallel: false, metadata: false },
    async *entries(): AsyncGenerator<Entry> {
      for (const path of TREE) {
        last = path;
        yield isDirectory(path) ? { path, kind: 'directory' } : { path, kind: 'file', size: 1 };
      }
      last = undefined;
    },
    async read(entry) {
      assert.equal(entry.path, last);
      return Readable.from([Buffer.from('x')]);
    },
    close: async () => undefined,
    ...changes,
  };
}

test('a source that cannot be read at several places is read in the order of its entries', async () => {
  const tree = createMemoryTree();
  const result = await copy([inTurn()], openMemorySink(tree, 'out'), { recursive: true });
  assert.deepEqual(result.failures, []);
  const found = await collectEntries(openMemorySource(tree, 'out'), scope);
  assert.deepEqual([...found.keys()].sort(), [...TREE].sort());
});

test('a sink that takes one thing at a time is never called before the last call ended', async () => {
  const tree = createMemoryTree();
  const whole = inTurn({ capabilities: { ranges: false, replay: false, parallel: true, metadata: false } });
  const inner = openMemorySink(tree, 'out');
  let busy = false;
  const alone = async <T>(call: () => Promise<T>): Promise<T> => {
    assert.equal(busy, false);
    busy = true;
    await new Promise(setImmediate);
    busy = false;
    return call();
  };
  const sink: Sink = {
    label: inner.label,
    identity: inner.identity,
    capabilities: { ...inner.capabilities, parallel: false },
    stat: (path) => inner.stat(path, scope),
    create: (entry) => alone(() => inner.create(entry, scope)),
    draft: (entry) => alone(() => inner.draft(entry, scope)),
    close: () => inner.close(),
  };
  const read = async () => Readable.from([Buffer.from('x')]);
  assert.deepEqual((await copy([{ ...whole, read }], sink, { recursive: true })).failures, []);
});

const nothing = async () => undefined;

/** What a blind sink is told, a line each. */
async function told(sources: readonly Source[], options: Parameters<typeof copy>[2]): Promise<string[]> {
  const said: string[] = [];
  const note = ({ path, kind, name }: Entry) => said.push(`${kind} ${path}${name === undefined ? '' : ` (${name})`}`);
  const sink: Sink = {
    label: 'blind',
    identity: 'test:/blind',
    capabilities: { offsets: false, atomic: false, resume: false, parallel: false, metadata: false, blind: true },
    stat: () => Promise.reject(new Error('it was asked')),
    async create(entry) {
      note(entry);
    },
    async draft(entry) {
      note(entry);
      return {
        held: [],
        write: async () => new PassThrough().resume(),
        commit: nothing,
        suspend: nothing,
        discard: nothing,
      };
    },
    close: nothing,
  };
  await copy(sources, sink, options);
  return said;
}

test('a blind sink is told the name of the root, and left to find its place', async () => {
  const said = await told([inTurn()], { recursive: true });
  assert.deepEqual(said.slice(0, 3), ['directory  (tree)', 'file a', 'directory d']);
});

test('a blind sink takes several sources, or what must be in a directory, by their own names', async () => {
  const said = await told([inTurn()], { recursive: true, intoDirectory: true });
  assert.deepEqual(said.slice(0, 2), ['directory tree', 'file tree/a']);
  assert.equal((await told([inTurn(), inTurn({ name: 'other' })], { recursive: true })).length, 2 * TREE.length);
});

test('a blind sink cannot be asked to leave what is there, or for a digest', async () => {
  const never = told([inTurn()], { recursive: true, overwrite: 'never' });
  await assert.rejects(never, failsWith('UNSUPPORTED', /cannot tell what is there/));
  const proven = told([inTurn()], { recursive: true, verify: 'sha256' });
  await assert.rejects(proven, failsWith('UNSUPPORTED', /cannot give a digest/));
});

async function* matches(...paths: string[]): AsyncGenerator<Entry> {
  for (const path of paths) yield { path, kind: 'file', size: 1 };
}
const several = (...paths: string[]) =>
  inTurn({
    name: '',
    several: true,
    entries: () => matches(...paths),
    read: async () => Readable.from([Buffer.from('x')]),
  });

test('what a pattern matched goes into a directory by its own names, and alone takes the name of the target', async () => {
  const tree = createMemoryTree();
  await openMemorySink(tree, 'there').create({ path: '', kind: 'directory' }, scope);
  await copy([several('a', 'b'), several('c')], openMemorySink(tree, 'there'));
  await copy([several('a')], openMemorySink(tree, 'alone'));
  const found = await collectEntries(openMemorySource(tree), scope);
  assert.deepEqual([...found.keys()].sort(), ['', 'alone', 'there', 'there/a', 'there/b', 'there/c']);
});

test('what a pattern matched more than once does not end up under one name', async () => {
  const tree = createMemoryTree();
  await assert.rejects(copy([several('a', 'b')], openMemorySink(tree, 'x')), failsWith('EXISTS', /more than a$/));
  assert.deepEqual(await told([several('a')], {}), ['file  (a)']);
});
