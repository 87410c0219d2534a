/** A part of what is shared, as a source or a sink of its own. */
import { Readable } from 'node:stream';
import { toXferError, XferError } from '../../../errors.js';
import { compileGlob, hasGlob, withoutEscapes } from '../../../glob.js';
import { joinPath, lastPart } from '../../../names.js';
import type { ByteRange, Entry, Scope, Sink, Source, WalkScope } from '../../../transport.js';
import type { ReceivingSink, SharedSource } from './folder.js';
import { followedPath } from './own-path.js';

/** As deep as OpenSSH's scp follows a tree, which also ends a circle of links. */
const DEEPEST = 64;
const MOST_MATCHES = 100_000;

/** The paths below the root that a pattern stands for, in order; itself where nothing matches. UNSAFE_PATH for too many. */
export async function expandShared(share: SharedSource, pattern: string, scope: Scope): Promise<string[]> {
  let found = [''];
  for (const part of pattern.split('/')) {
    if (!hasGlob(part)) found = found.map((path) => joinPath(path, withoutEscapes(part)));
    else found = await matchesInAll(share, found, part, scope);
  }
  const there = hasGlob(pattern) ? await existing(share, found, scope) : found;
  return there.length > 0 ? there.sort() : [withoutEscapes(pattern)];
}

/** One directory after the other: all at once would take every descriptor that the process may have. */
async function matchesInAll(share: SharedSource, directories: readonly string[], part: string, scope: Scope) {
  const found: string[] = [];
  for (const directory of directories) {
    for (const path of await matchesIn(share, directory, part, scope)) found.push(path);
    if (found.length > MOST_MATCHES) throw new XferError('UNSAFE_PATH', `match ${part}: too many names`);
  }
  return found;
}

async function existing(share: SharedSource, paths: readonly string[], scope: Scope): Promise<string[]> {
  const there = await Promise.all(paths.map((path) => share.stat(path, scope).catch(() => undefined)));
  return paths.filter((_, index) => there[index] !== undefined);
}

async function matchesIn(share: SharedSource, directory: string, part: string, scope: Scope): Promise<string[]> {
  const matches = compileGlob(part, '!');
  const found: string[] = [];
  try {
    for await (const { path } of share.list(directory, scope)) {
      const name = lastPart(path);
      if (matches(name) && (!name.startsWith('.') || part.startsWith('.'))) found.push(path);
    }
  } catch (error) {
    // A pattern matches nothing in what is no directory, or may not be read.
    if (!(error instanceof XferError) || !['NOT_FOUND', 'DENIED', 'UNSAFE_PATH'].includes(error.code)) throw error;
  }
  return found;
}

/** What is at `root` in a shared source, and all below it. */
export class PartSource implements Source {
  readonly label: string;
  readonly identity: string;
  readonly name: string;
  readonly capabilities;
  /** Directories that were told of, by the path that a sink has for them. */
  readonly directories = new Map<string, Entry>();
  readonly #share: SharedSource;
  readonly #root: string;

  constructor(share: SharedSource, root: string) {
    this.#share = share;
    this.#root = root;
    this.label = `/${root}`;
    this.identity = `${share.identity}/${root}`;
    this.name = lastPart(root) || share.name || 'files';
    this.capabilities = share.capabilities;
  }

  async *entries(scope: WalkScope): AsyncGenerator<Entry> {
    const root = await this.#share.stat(this.#root, scope);
    if (!root) throw new XferError('NOT_FOUND', `read ${this.label}: no such file or directory`);
    if (root.kind === 'directory') this.directories.set(this.name, root);
    yield { ...root, path: '' };
    if (root.kind === 'directory') yield* this.#below('', 1, scope);
  }

  async *#below(directory: string, depth: number, scope: WalkScope): AsyncGenerator<Entry> {
    const directories: string[] = [];
    try {
      for await (const found of this.#share.list(joinPath(this.#root, directory), scope)) {
        const path = joinPath(directory, lastPart(found.path));
        // The old protocol has no links: what one leads to inside of what is shared is sent in its place.
        const there = found.kind === 'symlink' ? await this.#share.stat(found.path, scope) : found;
        if (there?.kind === 'directory') directories.push(path);
        else if (there?.kind === 'file') yield { ...there, path };
      }
    } catch (error) {
      if (scope.signal.aborted) throw error;
      scope.onSkip?.(directory, toXferError(error, `read ${joinPath(this.#root, directory)}`));
    }
    for (const path of directories) {
      const entry = await this.#share.stat(joinPath(this.#root, path), scope);
      if (entry?.kind !== 'directory') continue;
      if (depth >= DEEPEST) {
        scope.onSkip?.(path, new XferError('UNSAFE_PATH', `read ${path}: more than ${DEEPEST} directories deep`));
        continue;
      }
      this.directories.set(joinPath(this.name, path), entry);
      yield { ...entry, path };
      yield* this.#below(path, depth + 1, scope);
    }
  }

  async read(entry: Entry, range: ByteRange, scope: Scope): Promise<Readable> {
    const file = await this.#share.open(joinPath(this.#root, entry.path), scope);
    const stream = range.end === 0 ? Readable.from([]) : file.read(range);
    return stream.once('close', () => void file.close().catch(() => undefined));
  }

  /** The shared source stays open. */
  async close(): Promise<void> {}
}

export interface SinkPart {
  readonly receive: ReceivingSink;
  readonly share: SharedSource;
  /** Told of each file that has its name, by its path in the whole sink. */
  readonly onFile?: ((path: string, bytes: number) => void) | undefined;
}

/**
 * What is at `root` in a sink, and all below it. The sink itself stays open. As over sftp, the bits of a mode above 0o777
 * are not taken: who may upload would get programs that run as whoever serves. A file is written through a link to one
 * inside.
 */
export function partOfSink({ receive, share, onFile }: SinkPart, root: string): Sink {
  const placed = ({ mode, ...entry }: Entry): Entry => ({
    ...entry,
    path: joinPath(root, entry.path),
    ...(mode === undefined ? {} : { mode: mode & 0o777 }),
  });
  return {
    label: `/${root}`,
    identity: `${receive.identity}/${root}`,
    capabilities: receive.capabilities,
    async stat(path, scope) {
      const found = await receive.stat(joinPath(root, path), scope);
      return found && { ...found, path };
    },
    create: (entry, scope) => receive.create(placed(entry), scope),
    finish: (directory, scope) => {
      const { path, mode, mtimeMs, atimeMs } = placed(directory);
      const times = mtimeMs === undefined ? {} : { mtimeMs, ...(atimeMs === undefined ? {} : { atimeMs }) };
      return receive.change(path, { ...(mode === undefined ? {} : { mode }), ...times }, true, scope);
    },
    async draft(entry, scope) {
      const there = placed(entry);
      const draft = await receive.draft({ ...there, path: await followedPath({ share, scope }, there.path) }, scope);
      return {
        held: draft.held,
        write: (start, within) => draft.write(start, within),
        async commit(final, within) {
          await draft.commit(placed(final), within);
          onFile?.(joinPath(root, final.path), final.size ?? 0);
        },
        suspend: () => draft.suspend(),
        discard: () => draft.discard(),
      };
    },
    close: async () => undefined,
  };
}
