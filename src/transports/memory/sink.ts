/** Writes into a tree in memory. Drafts stay in the tree, so another sink over the same tree can go on with them. */
import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import { throwIfAborted, XferError } from '../../errors.js';
import { joinPath } from '../../names.js';
import type {
  ByteRange,
  Digest,
  DigestAlgorithm,
  Draft,
  Entry,
  Scope,
  Sink,
  SinkCapabilities,
} from '../../transport.js';
import {
  checkedParts,
  entryOf,
  findNode,
  type MemoryPart,
  type MemoryTree,
  makeDirectory,
  makeFile,
  parentOf,
  putNode,
} from './tree.js';

/** Takes files into the part of `tree` below `path`; an entry whose path is `''` becomes `path` itself. */
export function openMemorySink(tree: MemoryTree, path = ''): Sink {
  return new MemorySink(tree, checkedParts(path).join('/'));
}

class MemorySink implements Sink {
  readonly label: string;
  readonly identity: string;
  readonly capabilities: SinkCapabilities = {
    offsets: true,
    atomic: true,
    resume: true,
    parallel: true,
    metadata: true,
    exclusive: true,
  };
  readonly #tree: MemoryTree;
  readonly #root: string;
  #drafts = 0;

  constructor(tree: MemoryTree, root: string) {
    this.#tree = tree;
    this.#root = root;
    this.label = `memory:${root}`;
    this.identity = `${tree.identity}/${root}`;
  }

  async stat(path: string, scope: Scope): Promise<Entry | undefined> {
    throwIfAborted(scope.signal);
    const node = findNode(this.#tree, this.#root, path, true);
    return node && entryOf(path, node);
  }

  async create(entry: Entry, scope: Scope): Promise<void> {
    throwIfAborted(scope.signal);
    const { path, kind, target } = entry;
    const there = findNode(this.#tree, this.#root, path, kind === 'directory');
    if (there?.kind === 'directory' && kind === 'directory') return;
    if (there) throw new XferError('EXISTS', `make ${path}: something else has that name`);
    if (kind === 'directory') putNode(this.#tree, this.#root, path, makeDirectory(entry.mode, entry.mtimeMs));
    else if (kind === 'symlink' && target !== undefined) putNode(this.#tree, this.#root, path, { kind, target });
    else throw new XferError('UNSUPPORTED', `make ${path}: a ${kind} without what it holds`);
  }

  async finish(directory: Entry, scope: Scope): Promise<void> {
    throwIfAborted(scope.signal);
    const node = findNode(this.#tree, this.#root, directory.path, true);
    if (node?.kind !== 'directory') throw new XferError('NOT_FOUND', `finish ${directory.path}: no such directory`);
    node.mode = directory.mode ?? node.mode;
    node.mtimeMs = directory.mtimeMs ?? node.mtimeMs;
  }

  async draft(entry: Entry, scope: Scope): Promise<Draft> {
    throwIfAborted(scope.signal);
    parentOf(this.#tree, this.#root, entry.path);
    refuseDirectory(this.#tree, this.#root, entry.path);
    if ((entry.size ?? 0) > this.#tree.maxFileBytes) throw full(entry.path);
    // Without a version the key is this draft's own, so that nobody finds it again.
    this.#drafts += 1;
    const version = entry.version ?? `\0${this.#drafts}`;
    return new MemoryDraft(this.#tree, this.#root, entry, `${joinPath(this.#root, entry.path)}\0${version}`);
  }

  async close(): Promise<void> {}
}

class MemoryDraft implements Draft {
  readonly held: readonly ByteRange[];
  readonly #tree: MemoryTree;
  readonly #root: string;
  readonly #entry: Entry;
  readonly #key: string;
  readonly #part: MemoryPart;
  readonly #streams = new Set<Writable>();

  constructor(tree: MemoryTree, root: string, entry: Entry, key: string) {
    this.#tree = tree;
    this.#root = root;
    this.#entry = entry;
    this.#key = key;
    this.#part = tree.parts.get(key) ?? { bytes: Buffer.alloc(0), held: [] };
    tree.parts.set(key, this.#part);
    this.held = this.#part.held.map((range) => ({ ...range }));
  }

  async write(start: number, { signal }: Scope): Promise<Writable> {
    throwIfAborted(signal);
    let at = start;
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (at + chunk.length > this.#tree.maxFileBytes) return done(full(this.#entry.path));
        store(this.#part, at, chunk);
        at += chunk.length;
        stream.emit('held', chunk.length);
        done();
      },
    });
    const abort = () => stream.destroy(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    this.#streams.add(stream);
    return stream.once('close', () => {
      signal.removeEventListener('abort', abort);
      this.#streams.delete(stream);
    });
  }

  async digest(algorithm: DigestAlgorithm, scope: Scope): Promise<Digest> {
    throwIfAborted(scope.signal);
    const held = this.#part.bytes.subarray(0, wholeLength(this.#part));
    return { hex: createHash(algorithm).update(held).digest('hex'), readBack: false };
  }

  async commit(entry: Entry, scope: Scope, replace = true): Promise<void> {
    throwIfAborted(scope.signal);
    const length = wholeLength(this.#part);
    const written = this.#part.held.at(-1)?.end ?? 0;
    if (length !== written || length !== (entry.size ?? length)) {
      const reason = `${length} bytes are there, not ${entry.size ?? written}`;
      throw new XferError('TRUNCATED', `finish ${entry.path}: ${reason}`);
    }
    refuseDirectory(this.#tree, this.#root, entry.path);
    const there = findNode(this.#tree, this.#root, entry.path, false);
    if (there && !replace) throw new XferError('EXISTS', `write ${entry.path}: already exists`);
    const kept = there?.kind === 'file' ? { mode: there.mode } : {};
    const bytes = Buffer.from(this.#part.bytes.subarray(0, length));
    putNode(this.#tree, this.#root, entry.path, makeFile(this.#tree, bytes, { ...kept, ...entry }));
    await this.discard();
  }

  async suspend(): Promise<void> {
    if (this.#entry.version === undefined) return this.discard();
    this.#stop();
  }

  async discard(): Promise<void> {
    this.#stop();
    this.#tree.parts.delete(this.#key);
  }

  #stop(): void {
    for (const stream of this.#streams) stream.destroy();
  }
}

function refuseDirectory(tree: MemoryTree, root: string, path: string): void {
  if (findNode(tree, root, path, true)?.kind !== 'directory') return;
  throw new XferError('EXISTS', `write ${joinPath(root, path)}: is a directory`);
}

function full(path: string): XferError {
  return new XferError('NO_SPACE', `write ${path}: more than one file of the tree may hold`);
}

/** Bytes that are there from the start on, without a hole. */
function wholeLength(part: MemoryPart): number {
  const first = part.held[0];
  return first?.start === 0 ? first.end : 0;
}

function store(part: MemoryPart, start: number, chunk: Buffer): void {
  if (chunk.length === 0) return;
  const end = start + chunk.length;
  if (end > part.bytes.length) {
    const grown = Buffer.alloc(Math.max(end, part.bytes.length * 2));
    part.bytes.copy(grown);
    part.bytes = grown;
  }
  chunk.copy(part.bytes, start);
  part.held = addRange(part.held, start, end);
}

function addRange(held: MemoryPart['held'], start: number, end: number): MemoryPart['held'] {
  const apart = held.filter((range) => range.end < start || range.start > end);
  const touching = held.filter((range) => range.end >= start && range.start <= end);
  const joined = {
    start: Math.min(start, ...touching.map((range) => range.start)),
    end: Math.max(end, ...touching.map((range) => range.end)),
  };
  return [...apart, joined].sort((a, b) => a.start - b.start);
}
