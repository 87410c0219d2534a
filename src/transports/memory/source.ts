/** Reads a tree in memory. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { throwIfAborted, XferError } from '../../errors.js';
import { joinPath } from '../../names.js';
import type {
  ByteRange,
  DigestAlgorithm,
  Entry,
  OpenFile,
  OpenOptions,
  Scope,
  Source,
  SourceCapabilities,
  WalkScope,
} from '../../transport.js';
import { checkedParts, entryOf, findNode, type MemoryFile, type MemoryNode, type MemoryTree } from './tree.js';

const CHUNK_BYTES = 64 * 1024;

/** The part of `tree` below `path`, which may be one file. Links are followed as long as they stay below it. */
export function openMemorySource(tree: MemoryTree, path = '', options: OpenOptions = {}): Source {
  return new MemorySource(tree, checkedParts(path), options);
}

class MemorySource implements Source {
  readonly label: string;
  readonly identity: string;
  readonly name: string;
  readonly capabilities: SourceCapabilities = { ranges: true, replay: true, parallel: true, metadata: true };
  readonly #tree: MemoryTree;
  readonly #root: string;
  readonly #options: OpenOptions;

  constructor(tree: MemoryTree, parts: readonly string[], options: OpenOptions) {
    this.#tree = tree;
    this.#root = parts.join('/');
    this.#options = options;
    this.label = `memory:${this.#root}`;
    this.identity = `${tree.identity}/${this.#root}`;
    this.name = parts.at(-1) ?? 'memory';
  }

  async *entries(scope: WalkScope): AsyncGenerator<Entry> {
    throwIfAborted(scope.signal);
    const root = findNode(this.#tree, this.#root, '', true);
    if (!root) throw this.#missing('read', '');
    yield* this.#walk('', root, [], scope);
  }

  async *#walk(path: string, node: MemoryNode, above: readonly MemoryNode[], scope: WalkScope): AsyncGenerator<Entry> {
    yield entryOf(path, node);
    if (node.kind !== 'directory') return;
    for (const name of [...node.children.keys()]) {
      throwIfAborted(scope.signal);
      const child = this.#visit(joinPath(path, name), [...above, node], scope);
      if (child) yield* this.#walk(joinPath(path, name), child, [...above, node], scope);
    }
  }

  /** The node that the walk goes to, as the option for links wants it; undefined where it is left out. */
  #visit(path: string, above: readonly MemoryNode[], scope: WalkScope): MemoryNode | undefined {
    const links = this.#options.links ?? 'follow';
    const own = findNode(this.#tree, this.#root, path, false);
    if (own?.kind !== 'symlink' || links === 'keep') return own;
    if (links === 'skip') return undefined;
    try {
      const node = findNode(this.#tree, this.#root, path, true);
      if (!node) throw this.#missing('follow', path);
      if (above.includes(node)) throw new XferError('UNSAFE_PATH', `follow ${path}: the link leads back to itself`);
      return node;
    } catch (error) {
      if (!scope.onSkip) throw error;
      scope.onSkip(path, error as Error);
      return undefined;
    }
  }

  async read(entry: Entry, range: ByteRange, scope: Scope): Promise<Readable> {
    throwIfAborted(scope.signal);
    return readBytes(this.#bytesOf(entry), range, this.#show(entry.path), scope.signal);
  }

  async readWhole(entry: Entry, scope: Scope): Promise<Buffer> {
    throwIfAborted(scope.signal);
    const bytes = this.#bytesOf(entry);
    const { size = bytes.length } = entry;
    if (bytes.length >= size) return bytes;
    throw new XferError('TRUNCATED', `read ${this.#show(entry.path)}: it ends before byte ${size}`);
  }

  async stat(path: string, scope: Scope): Promise<Entry | undefined> {
    throwIfAborted(scope.signal);
    const node = findNode(this.#tree, this.#root, path, true);
    return node && entryOf(path, node);
  }

  async *list(directory: string, scope: Scope): AsyncGenerator<Entry> {
    throwIfAborted(scope.signal);
    const node = findNode(this.#tree, this.#root, directory, true);
    if (!node) throw this.#missing('list', directory);
    if (node.kind !== 'directory') {
      throw new XferError('NOT_FOUND', `list ${this.#show(directory)}: not a directory`);
    }
    for (const [name, child] of [...node.children]) {
      throwIfAborted(scope.signal);
      yield entryOf(joinPath(directory, name), child);
    }
  }

  async open(path: string, scope: Scope): Promise<OpenFile> {
    throwIfAborted(scope.signal);
    const file = this.#file(path);
    const streams = new Set<Readable>();
    const label = this.#show(path);
    return {
      entry: entryOf(path, file),
      read(range) {
        const stream = readBytes(file.bytes, range, label, scope.signal);
        streams.add(stream);
        return stream.once('close', () => streams.delete(stream));
      },
      async close() {
        for (const stream of streams) stream.destroy();
      },
    };
  }

  async digest(entry: Entry, algorithm: DigestAlgorithm, scope: Scope): Promise<string> {
    throwIfAborted(scope.signal);
    return createHash(algorithm).update(this.#file(entry.path).bytes).digest('hex');
  }

  async close(): Promise<void> {}

  #bytesOf(entry: Entry): Buffer {
    const file = this.#file(entry.path);
    if (entry.version === undefined || entryOf(entry.path, file).version === entry.version) return file.bytes;
    throw new XferError('SOURCE_CHANGED', `read ${this.#show(entry.path)}: it is another version now`);
  }

  #file(path: string): MemoryFile {
    const node = findNode(this.#tree, this.#root, path, true);
    if (!node) throw this.#missing('read', path);
    if (node.kind === 'file') return node;
    throw new XferError('NOT_FOUND', `read ${this.#show(path)}: is a directory`);
  }

  #show(path: string): string {
    return joinPath(this.#root, path) || this.label;
  }

  #missing(what: string, path: string): XferError {
    return new XferError('NOT_FOUND', `${what} ${this.#show(path)}: no such file or directory`);
  }
}

/** A stream of exactly `range`: what is there of it, then TRUNCATED where that is less. */
function readBytes(bytes: Buffer, range: ByteRange, label: string, signal: AbortSignal): Readable {
  const end = range.end ?? Math.max(bytes.length, range.start);
  let at = range.start;
  const stream = new Readable({
    highWaterMark: CHUNK_BYTES,
    read() {
      const chunk = bytes.subarray(at, Math.min(at + CHUNK_BYTES, end));
      at += chunk.length;
      if (chunk.length > 0) this.push(chunk);
      else if (at < end || at > bytes.length) {
        this.destroy(new XferError('TRUNCATED', `read ${label}: it ends before byte ${end}`));
      } else this.push(null);
    },
  });
  return endWithSignal(stream, signal);
}

/** Destroys the stream with the signal's own reason, which `addAbortSignal` would hide in a cause. */
function endWithSignal(stream: Readable, signal: AbortSignal): Readable {
  const abort = () => stream.destroy(signal.reason as Error);
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return stream.once('close', () => signal.removeEventListener('abort', abort));
}
