/** Lists a tree on an sftp server, several requests ahead of who takes the entries. */
import { XferError } from '../../errors.js';
import { joinPath, lastPart, nameFromBytes } from '../../names.js';
import { otherKind } from '../../other-kind.js';
import type { Entry, WalkScope } from '../../transport.js';
import { below, isSafeName } from './paths.js';
import { type Attributes, kindOf, versionOf } from './sftp/attributes.js';
import type { SftpClient } from './sftp/client.js';
import { DirectoryReader, isDots } from './sftp/directory-reader.js';
import type { DirectoryItem } from './sftp/replies.js';

const MAX_DEPTH = 64;
const DIRECTORIES_AHEAD = 16;

export interface TreeWalkOptions {
  readonly client: SftpClient;
  readonly root: string;
  /** What is at the root. */
  readonly top: Promise<Attributes>;
  readonly links: 'follow' | 'keep' | 'skip';
  readonly scope: WalkScope;
}

/** A directory to be listed. `trail` holds the real paths above it, known only where a link was followed. */
interface Directory {
  readonly path: string;
  readonly depth: number;
  readonly trail: readonly string[];
}

export class TreeWalk {
  readonly #options: TreeWalkOptions;
  readonly #readers = new Map<Directory, DirectoryReader>();

  constructor(options: TreeWalkOptions) {
    this.#options = options;
  }

  /** The root first, then all below it, a directory before what is in it. Ending the loop early closes all. */
  async *entries(): AsyncGenerator<Entry> {
    const { client, root, scope } = this.#options;
    const follows = this.#options.links === 'follow';
    const real = follows ? client.realpath(below(root, ''), scope) : undefined;
    real?.catch(() => undefined);
    const top = entryOf('', await this.#options.top);
    if (!top) throw new XferError('UNSUPPORTED', `read ${root}: neither a file nor a directory`);
    yield top;
    if (top.kind !== 'directory') return;
    const trail = real ? [nameFromBytes(await real)] : [];
    try {
      yield* this.#walk([{ path: '', depth: 0, trail }]);
    } finally {
      await Promise.all([...this.#readers.values()].map((reader) => reader.close()));
    }
  }

  async *#walk(stack: Directory[]): AsyncGenerator<Entry> {
    for (let directory = stack.pop(); directory; directory = stack.pop()) {
      const found: Directory[] = [];
      this.#ahead([directory, ...stack.slice(-DIRECTORIES_AHEAD).reverse()]);
      try {
        for (let items = await this.#next(directory); items; items = await this.#next(directory)) {
          for await (const [entry, below] of this.#resolve(directory, items)) {
            yield entry;
            if (below) found.push(below);
          }
        }
      } catch (error) {
        this.#readers.delete(directory);
        this.#skip(directory.path, error);
      }
      stack.push(...found.reverse());
    }
  }

  /** A directory stays open until its turn is over, so most of the server's open files are left for what is in it. */
  #ahead(directories: readonly Directory[]): void {
    const most = Math.min(DIRECTORIES_AHEAD, Math.floor(this.#options.client.limits.openHandles / 4));
    for (const directory of directories) {
      if (this.#readers.has(directory) || this.#readers.size > most) continue;
      const path = below(this.#options.root, directory.path);
      this.#readers.set(directory, new DirectoryReader(this.#options.client, path, this.#options.scope));
    }
  }

  async #next(directory: Directory): Promise<DirectoryItem[] | undefined> {
    const items = await this.#readers.get(directory)?.next();
    if (!items) this.#readers.delete(directory);
    return items;
  }

  /** Links are looked up together; entries come in the order of the names. */
  async *#resolve(directory: Directory, items: DirectoryItem[]): AsyncGenerator<[Entry, Directory | undefined]> {
    const pending = items
      .filter(({ name }) => !isDots(name))
      .map((item) => {
        const path = joinPath(directory.path, nameFromBytes(item.name));
        return { path, entry: this.#lookUp(directory, path, item).catch((error: unknown) => ({ error })) };
      });
    for (const { path, entry } of pending) {
      const found = await entry;
      if (found && 'error' in found) this.#skip(path, found.error);
      else if (found) yield [found.entry, found.directory];
    }
  }

  async #lookUp(
    { depth, trail }: Directory,
    path: string,
    item: DirectoryItem,
  ): Promise<{ entry: Entry; directory?: Directory } | undefined> {
    const { client, links, root, scope } = this.#options;
    if (!isSafeName(item.name))
      throw new XferError('UNSAFE_PATH', `list ${path}: the server sent a name that is a path`);
    const bytes = below(root, path);
    let attributes = kindOf(item.attributes) === 'unknown' ? await client.lstat(bytes, scope) : item.attributes;
    const isLink = kindOf(attributes) === 'symlink';
    if (isLink && links === 'skip') return undefined;
    if (isLink && links === 'keep') return { entry: await this.#link(path, bytes, attributes) };
    if (isLink) attributes = await client.stat(bytes, scope);
    const entry = entryOf(path, attributes);
    if (!entry) throw otherKind(path);
    if (entry.kind !== 'directory') return { entry };
    if (depth + 1 > MAX_DEPTH)
      throw new XferError('UNSAFE_PATH', `read ${path}: more than ${MAX_DEPTH} directories deep`);
    return { entry, directory: { path, depth: depth + 1, trail: await this.#trail(trail, path, bytes, isLink) } };
  }

  /** UNSAFE_PATH where a followed link leads back to a directory that it lies in. */
  async #trail(above: readonly string[], path: string, bytes: Buffer, isLink: boolean): Promise<readonly string[]> {
    if (this.#options.links !== 'follow') return above;
    if (!isLink) return [...above, `${(above.at(-1) as string).replace(/\/$/, '')}/${lastPart(path)}`];
    const real = nameFromBytes(await this.#options.client.realpath(bytes, this.#options.scope));
    if (above.includes(real)) throw new XferError('UNSAFE_PATH', `read ${path}: a link that leads into itself`);
    return [...above, real];
  }

  async #link(path: string, bytes: Buffer, attributes: Attributes): Promise<Entry> {
    const target = nameFromBytes(await this.#options.client.readlink(bytes, this.#options.scope));
    return { path, kind: 'symlink', target, ...timeOf(attributes) };
  }

  #skip(path: string, error: unknown): void {
    const { scope, client } = this.#options;
    if (scope.signal.aborted) throw scope.signal.reason;
    if (client.channel.ended) throw client.channel.ended;
    if (!scope.onSkip || !(error instanceof XferError)) throw error;
    scope.onSkip(path, error);
  }
}

function timeOf({ times }: Attributes): Pick<Entry, 'mtimeMs' | 'atimeMs'> {
  return times ? { mtimeMs: times.mtime * 1000, atimeMs: times.atime * 1000 } : {};
}

/** Undefined where the thing is neither a file nor a directory. */
export function entryOf(path: string, attributes: Attributes): Entry | undefined {
  const kind = kindOf(attributes);
  // A server without permissions still has only files that can be opened.
  if (kind !== 'file' && kind !== 'directory' && kind !== 'unknown') return undefined;
  const mode = attributes.permissions === undefined ? {} : { mode: attributes.permissions & 0o777 };
  if (kind === 'directory') return { path, kind, ...mode, ...timeOf(attributes) };
  const version = versionOf(attributes);
  return {
    path,
    kind: 'file',
    ...mode,
    ...timeOf(attributes),
    ...(attributes.size === undefined ? {} : { size: attributes.size }),
    ...(version === undefined ? {} : { version }),
  };
}
