/** Trees in memory, for tests and for programs that make what they send. */
import { XferError } from '../../errors.js';
import type { Location } from '../../location.js';
import type { Transport } from '../../transport.js';
import { findMemoryTree, namedMemoryTree } from './named-trees.js';
import { openMemorySink } from './sink.js';
import { openMemorySource } from './source.js';

export { namedMemoryTree } from './named-trees.js';
export { openMemorySink } from './sink.js';
export { openMemorySource } from './source.js';
export type { MemoryTree } from './tree.js';
export { createMemoryTree } from './tree.js';

export const transport: Transport = {
  scheme: 'memory',
  aliases: [],
  summary: 'trees in the memory of this process, by name: memory://name/path',
  async openSource(location, options) {
    const tree = findMemoryTree(location.host ?? '');
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
