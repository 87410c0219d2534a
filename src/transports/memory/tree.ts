/** A tree of files, directories and links in memory. Names are bounded as a file system bounds them. */
import { randomUUID } from 'node:crypto';
import { XferError } from '../../errors.js';
import { bytesFromName, joinPath, pathParts } from '../../names.js';
import type { Entry } from '../../transport.js';

export interface MemoryFile {
  readonly kind: 'file';
  /** Never written again once it is here: a new content is a new node. */
  readonly bytes: Buffer;
  readonly mtimeMs: number;
  readonly mode: number;
  readonly revision: number;
}

export interface MemoryDirectory {
  readonly kind: 'directory';
  readonly children: Map<string, MemoryNode>;
  mtimeMs: number;
  mode: number;
}

export interface MemoryLink {
  readonly kind: 'symlink';
  readonly target: string;
}

export type MemoryNode = MemoryFile | MemoryDirectory | MemoryLink;

/** Bytes of a file on its way in, and which of them are there: half-open, in order, not touching. */
export interface MemoryPart {
  bytes: Buffer;
  held: { start: number; end: number }[];
}

export interface MemoryTree {
  /** No other tree of this process has it. */
  readonly identity: string;
  readonly root: MemoryDirectory;
  /** Drafts that wait for a resume or are being written, by path and version. */
  readonly parts: Map<string, MemoryPart>;
  /** Most bytes of one file. */
  readonly maxFileBytes: number;
  /** Most names in the tree. */
  readonly maxEntries: number;
  entryCount: number;
  revision: number;
}

/** Most bytes of one name, as on most file systems (NAME_MAX). */
const NAME_BYTES = 255;
const LINK_HOPS = 40;

/** An empty tree. A file over `maxFileBytes` (1 GiB) or more than `maxEntries` names (a million) are NO_SPACE. */
export function createMemoryTree(bounds: { maxFileBytes?: number; maxEntries?: number } = {}): MemoryTree {
  return {
    identity: `memory:${randomUUID()}`,
    root: makeDirectory(),
    parts: new Map(),
    maxFileBytes: bounds.maxFileBytes ?? 2 ** 30,
    maxEntries: bounds.maxEntries ?? 1_000_000,
    entryCount: 0,
    revision: 0,
  };
}

export function makeDirectory(mode = 0o755, mtimeMs = Date.now()): MemoryDirectory {
  return { kind: 'directory', children: new Map(), mode, mtimeMs };
}

/** A file with the tree's next revision, so that its version is unlike that of any file before it. */
export function makeFile(tree: MemoryTree, bytes: Buffer, facts: { mode?: number; mtimeMs?: number } = {}): MemoryFile {
  tree.revision += 1;
  const mtimeMs = facts.mtimeMs ?? Date.now();
  return { kind: 'file', bytes, mtimeMs, mode: facts.mode ?? 0o644, revision: tree.revision };
}

/** Checked parts of a path; UNSAFE_PATH where a part is empty, `.`, `..`, holds NUL or is longer than 255 bytes. */
export function checkedParts(path: string): string[] {
  const parts = pathParts(path);
  if (!parts) throw new XferError('UNSAFE_PATH', `use ${path}: it leaves its directory or is no name`);
  if (parts.some((part) => bytesFromName(part).length > NAME_BYTES)) {
    throw new XferError('UNSAFE_PATH', `use ${path}: name too long`);
  }
  return parts;
}

/**
 * The node at `path` below `root`, which no link may leave (UNSAFE_PATH), or undefined where nothing is. A link in the
 * last part is followed where `follow` says so.
 */
export function findNode(tree: MemoryTree, root: string, path: string, follow: boolean): MemoryNode | undefined {
  const stack = walkDown(tree, checkedParts(root));
  if (!stack) return undefined;
  const pending = checkedParts(path).reverse();
  const trail = [stack];
  let hops = 0;
  while (pending.length > 0) {
    const part = pending.pop() as string;
    if (part === '..') {
      trail.pop();
      if (trail.length === 0) throw new XferError('UNSAFE_PATH', `use ${path}: a link leaves the directory`);
      continue;
    }
    const node = childOf(trail.at(-1), part);
    if (!node) return undefined;
    if (node.kind !== 'symlink' || (pending.length === 0 && !follow)) trail.push(node);
    else {
      hops += 1;
      pending.push(...linkParts(node, path, hops).reverse());
    }
  }
  return trail.at(-1);
}

function linkParts(link: MemoryLink, path: string, hops: number): string[] {
  if (hops > LINK_HOPS) throw new XferError('UNSAFE_PATH', `use ${path}: too many links`);
  if (link.target.startsWith('/')) throw new XferError('UNSAFE_PATH', `use ${path}: a link leaves the directory`);
  return link.target.split('/').filter((part) => part !== '' && part !== '.');
}

function childOf(node: MemoryNode | undefined, name: string): MemoryNode | undefined {
  return node?.kind === 'directory' ? node.children.get(name) : undefined;
}

/** The way to a root is the opener's own words, so it holds no links. */
function walkDown(tree: MemoryTree, parts: readonly string[]): MemoryNode | undefined {
  let node: MemoryNode | undefined = tree.root;
  for (const part of parts) node = childOf(node, part);
  return node;
}

/** Puts a node at `path` below `root`, in the place of what is there. NOT_FOUND without its directory, NO_SPACE. */
export function putNode(tree: MemoryTree, root: string, path: string, node: MemoryNode): void {
  const { directory, name } = parentOf(tree, root, path);
  if (!directory.children.has(name)) {
    if (tree.entryCount >= tree.maxEntries) throw new XferError('NO_SPACE', `make ${path}: the tree is full`);
    tree.entryCount += 1;
  }
  directory.children.set(name, node);
}

/** The directory that holds `path`, and its name there. NOT_FOUND where it is missing, UNSAFE_PATH for the tree's root. */
export function parentOf(tree: MemoryTree, root: string, path: string): { directory: MemoryDirectory; name: string } {
  const parts = checkedParts(path);
  const within = parts.length > 0;
  const above = within ? parts : checkedParts(root);
  const name = above.at(-1);
  if (name === undefined) throw new XferError('UNSAFE_PATH', 'write the root of a tree: it is a directory');
  const directory = findNode(tree, within ? root : '', joinPath(...above.slice(0, -1)), true);
  if (directory?.kind === 'directory') return { directory, name };
  throw new XferError('NOT_FOUND', `write ${joinPath(root, path)}: its directory does not exist`);
}

/** What is said of a node. Its version names its revision, so equal versions mean equal bytes. */
export function entryOf(path: string, node: MemoryNode): Entry {
  if (node.kind === 'symlink') return { path, kind: 'symlink', target: node.target };
  const { kind, mtimeMs, mode } = node;
  if (node.kind === 'directory') return { path, kind, mtimeMs, mode };
  return { path, kind, mtimeMs, mode, size: node.bytes.length, version: `memory-${node.revision}` };
}
