/** Trees in memory, for tests and for programs that make what they send. */
import { XferError } from '../../errors.js';
import type { Location } from '../../location.js';
import type { Transport } from '../../transport.js';
import { openMemorySink } from './sink.js';
import { openMemorySource } from './source.js';
import { createMemoryTree, type MemoryTree } from './tree.js';

export { openMemorySink } from './sink.js';
export { openMemorySource } from './source.js';
export type { MemoryTree } from './tree.js';
export { createMemoryTree } from './tree.js';

const trees = new Map<string, MemoryTree>();

/** The tree that `memory://name/…` means in this process; made where it is new. */
export function namedMemoryTree(name: string): MemoryTree {
  const tree = trees.get(name) ?? createMemoryTree();
  trees.set(name, tree);
  return tree;
}

/** Forgets a named tree, so that what it holds can be freed. */
export function dropMemoryTree(name: string): void {
  trees.delete(name);
}

export const transport: Transport = {
  scheme: 'memory',
  aliases: [],
  summary: 'trees in the memory of this process, by name: memory://name/path',
  async openSource(location, options) {
    const tree = trees.get(location.host ?? '');
    if (tree) return openMemorySource(tree, pathOf(location), options);
    throw new XferError('NOT_FOUND', `open memory://${location.host ?? ''}: no tree has that name`);
  },
  async openSink(location) {
    return openMemorySink(namedMemoryTree(location.host ?? ''), pathOf(location));
  },
};

function pathOf(location: Location): string {
  return location.path.replace(/^\/+|\/+$/g, '');
}
