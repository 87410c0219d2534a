import type { Entry } from '#xfer/transport.js';
import { createMemoryTree, type MemoryTree, openMemorySink, openMemorySource } from '#xfer/transports/memory/index.js';
import { collect, type Fixture, feed } from '../support/fixtures.js';
import { conformance } from './conformance.js';
import { freeScope, type SinkRig, type SourceRig } from './rig.js';

/** Where the root of a rig lies in its tree, with a neighbour that nothing may reach. */
const ROOT = 'above/root';

async function plantedTree(files: readonly Fixture[], asTree: boolean): Promise<MemoryTree> {
  const tree = createMemoryTree();
  await plantDirectory(tree, 'above');
  await plantFile(tree, 'above/neighbour', Buffer.from('beside'));
  if (asTree && files[0]?.path !== '') await plantDirectory(tree, ROOT);
  for (const file of files) await plant(tree, file);
  return tree;
}

async function plant(tree: MemoryTree, file: Fixture): Promise<void> {
  const { path, kind = 'file', bytes = Buffer.alloc(0), target } = file;
  const parts = [ROOT, ...path.split('/').slice(0, -1)];
  if (path !== '') {
    for (let depth = 1; depth <= parts.length; depth++) await plantDirectory(tree, parts.slice(0, depth).join('/'));
  }
  const full = path === '' ? ROOT : `${ROOT}/${path}`;
  if (kind === 'file') await plantFile(tree, full, bytes, file);
  else if (kind === 'directory') await plantDirectory(tree, full);
  else await openMemorySink(tree).create({ path: full, kind, target: target ?? '' }, freeScope());
}

async function plantDirectory(tree: MemoryTree, path: string): Promise<void> {
  await openMemorySink(tree).create({ path, kind: 'directory' }, freeScope());
}

async function plantFile(
  tree: MemoryTree,
  path: string,
  bytes: Buffer,
  facts: { mode?: number; mtimeMs?: number } = {},
): Promise<void> {
  const { mode, mtimeMs } = facts;
  const entry: Entry = {
    path,
    kind: 'file',
    size: bytes.length,
    ...(mode === undefined ? {} : { mode }),
    ...(mtimeMs === undefined ? {} : { mtimeMs }),
  };
  const draft = await openMemorySink(tree).draft(entry, freeScope());
  await feed(await draft.write(0, freeScope()), bytes);
  await draft.commit(entry, freeScope());
}

const source: SourceRig = {
  supports: { tree: true, names: 'bytes', size: true, links: true },
  capabilities: { ranges: true, replay: true, parallel: true, metadata: true },
  async open(files) {
    const tree = await plantedTree(files, true);
    const opened = openMemorySource(tree, ROOT);
    return {
      source: opened,
      change: (path, bytes) => plantFile(tree, path === '' ? ROOT : `${ROOT}/${path}`, bytes),
      close: () => opened.close(),
    };
  },
};

const sink: SinkRig = {
  supports: { tree: true, names: 'bytes', links: true, confined: true },
  capabilities: { offsets: true, atomic: true, resume: true, parallel: true, metadata: true, exclusive: true },
  async open(existing = []) {
    const tree = await plantedTree(existing, true);
    const opened = openMemorySink(tree, ROOT);
    return {
      sink: opened,
      reopen: async () => openMemorySink(tree, ROOT),
      list: () => listTree(tree),
      outside: () => listBelow(tree, 'above').then((paths) => paths.filter((path) => !path.startsWith('root/'))),
      read: (path) => readFile(tree, path),
      close: () => opened.close(),
    };
  },
};

async function listTree(tree: MemoryTree): Promise<string[]> {
  const parts = [...tree.parts.keys()].map((key) => `part of ${key}`);
  return [...(await listBelow(tree, ROOT)), ...parts];
}

async function listBelow(tree: MemoryTree, root: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of openMemorySource(tree, root, { links: 'keep' }).entries(freeScope())) paths.push(path);
  return paths.filter((path) => path !== '');
}

async function readFile(tree: MemoryTree, path: string): Promise<Buffer | undefined> {
  const reader = openMemorySource(tree, ROOT);
  if (!(await reader.stat?.(path, freeScope()))) return undefined;
  return collect(await reader.read({ path, kind: 'file' }, { start: 0 }, freeScope()));
}

conformance('memory', { source, sink });
