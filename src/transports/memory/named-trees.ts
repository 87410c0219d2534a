/** The trees that locations of memory name in this process. */
import { createMemoryTree, type MemoryTree } from './tree.js';

const trees = new Map<string, MemoryTree>();

/** The tree of that name, or undefined where none was made yet. */
export function findMemoryTree(name: string): MemoryTree | undefined {
  return trees.get(name);
}

/** The tree that `memory://name/…` means in this process; made where it is new. */
export function namedMemoryTree(name: string): MemoryTree {
  const tree = trees.get(name) ?? createMemoryTree();
  trees.set(name, tree);
  return tree;
}

/** Forgets the tree of `memory://name/…`, so that what it holds can be freed; what is open on it goes on. */
export function dropMemoryTree(name: string): void {
  trees.delete(name);
}
