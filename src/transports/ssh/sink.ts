/** A tree on an sftp server, written. */
import { pipeline } from 'node:stream/promises';
import { isDraftOfRuns } from '../../draft-name.js';
import { XferError } from '../../errors.js';
import { bytesFromName, nameFromBytes, parentPath } from '../../names.js';
import type {
  Draft,
  Entry,
  EntryKind,
  OpenOptions,
  Parallelism,
  Scope,
  Sink,
  SinkCapabilities,
} from '../../transport.js';
import { type DraftOptions, startDraft } from './draft-start.js';
import type { FarDigest } from './far-digest.js';
import { below, isSafeName, joinBytes, resolveRoot, splitPath } from './paths.js';
import { putFile } from './put.js';
import { LARGE_BYTES, type LaneOpener, type Sessions } from './sessions.js';
import { type Attributes, kindOf, timesOf } from './sftp/attributes.js';
import { DirectoryReader } from './sftp/directory-reader.js';
import { statusOf } from './sftp/status.js';
import { entryOf } from './tree-walk.js';

export interface SftpSinkOptions {
  readonly sessions: Sessions;
  /** What was typed after the host. */
  readonly path: string;
  /** For messages. */
  readonly label: string;
  readonly onNotice?: OpenOptions['onNotice'];
  readonly inPlace?: boolean;
}

export class SftpSink implements Sink {
  readonly label: string;
  readonly identity: string;
  readonly capabilities: SinkCapabilities = {
    offsets: true,
    atomic: true,
    resume: true,
    parallel: true,
    metadata: true,
  };
  readonly #options: SftpSinkOptions;
  readonly #root: string;
  #closed = false;
  /** Links made here: nothing is written through one, or a source could lead its files anywhere (CVE-2019-6111's kind). */
  readonly #links = new Set<string>();
  /** The first look at the root, sent together with the question for the server's limits. */
  #rootLook: Promise<Attributes | undefined> | undefined;
  /** Directories made here, in which nothing has a name yet. */
  readonly #made = new Set<string>();

  private constructor(options: SftpSinkOptions, root: string) {
    this.#options = options;
    this.#root = root;
    this.label = options.label;
    this.identity = `${options.sessions.account}/${root}`;
  }

  get parallelism(): Parallelism {
    return this.#options.sessions.parallelism;
  }

  /** Finds the root's path, which need not exist. UNSUPPORTED, DISCONNECTED. */
  static async open(options: SftpSinkOptions, scope: Scope): Promise<SftpSink> {
    const client = await options.sessions.pick(scope);
    const root = await resolveRoot(client, options.path, scope);
    const sink = new SftpSink(options, root);
    sink.#rootLook = client.find('stat', below(root, ''), scope);
    sink.#rootLook.catch(() => undefined);
    await client.settled;
    return sink;
  }

  async stat(path: string, scope: Scope): Promise<Entry | undefined> {
    const attributes = await this.#look(path, scope);
    if (!attributes) return undefined;
    return entryOf(path, attributes) ?? { path, kind: 'file' };
  }

  async #look(path: string, scope: Scope): Promise<Attributes | undefined> {
    const early = path === '' ? this.#rootLook : undefined;
    if (early) this.#rootLook = undefined;
    return early ?? (await this.#options.sessions.pick(scope)).find('stat', below(this.#root, path), scope);
  }

  async create(entry: Entry, scope: Scope): Promise<void> {
    const path = this.#checked(entry.path, entry.kind);
    if (entry.kind === 'directory') return this.#createDirectory(entry, path, scope);
    if (entry.kind === 'symlink') return this.#createLink(entry, path, scope);
    throw new XferError('INTERNAL', `create ${entry.path}: a file is made by a draft`);
  }

  async #createDirectory(entry: Entry, path: Buffer, scope: Scope): Promise<void> {
    const client = await this.#options.sessions.pick(scope);
    // What is in it must be writable until `finish` sets the mode.
    const mode = entry.mode === undefined ? {} : { permissions: (entry.mode & 0o777) | 0o700 };
    try {
      await client.mkdir(path, mode, scope);
      this.#made.add(entry.path);
    } catch (error) {
      if (statusOf(error) === undefined) throw error;
      const found = await client.find('stat', path, scope);
      if (!found) throw error;
      if (kindOf(found) !== 'directory' && kindOf(found) !== 'unknown') throw taken('create directory', path);
    }
  }

  async #createLink(entry: Entry, path: Buffer, scope: Scope): Promise<void> {
    // At once, so that nothing that comes after it goes through it.
    this.#links.add(entry.path);
    const client = await this.#options.sessions.pick(scope);
    const target = bytesFromName(entry.target ?? '');
    if (target.length === 0 || target.includes(0)) {
      throw new XferError('UNSAFE_PATH', `create link ${entry.path}: its target is not a path`);
    }
    try {
      await client.symlink(target, path, scope);
    } catch (error) {
      if (statusOf(error) === undefined) throw error;
      const found = await client.find('lstat', path, scope);
      if (!found) throw error;
      if (kindOf(found) !== 'symlink') throw taken('create link', path);
      if (!(await client.readlink(path, scope)).equals(target)) {
        await client.remove(path, scope);
        await client.symlink(target, path, scope);
      }
    }
  }

  async finish(directory: Entry, scope: Scope): Promise<void> {
    const attributes: Attributes = {
      ...(directory.mode === undefined ? {} : { permissions: directory.mode & 0o777 }),
      ...timesOf(directory),
    };
    if (Object.keys(attributes).length === 0) return;
    const client = await this.#options.sessions.pick(scope);
    await client.setstat(this.#checked(directory.path, 'directory'), attributes, scope);
  }

  async draft(entry: Entry, scope: Scope): Promise<Draft> {
    if ((entry.size ?? 0) > LARGE_BYTES) this.#options.sessions.expectLarge();
    return startDraft(await this.#draftOptions(entry, scope), scope);
  }

  async put(entry: Entry, bytes: Buffer, exact: boolean, scope: Scope): Promise<undefined> {
    const options = await this.#draftOptions(entry, scope);
    if (!options.inPlace && (await putFile(options, bytes, exact, scope))) return;
    const { mtimeMs, version, ...rest } = entry;
    const draft = await startDraft(
      { ...options, entry: exact && mtimeMs !== undefined ? { ...rest, mtimeMs } : rest },
      scope,
    );
    try {
      const to = await draft.write(0, scope);
      await pipeline([bytes], to);
      const { mode, ...named } = rest;
      await draft.commit(exact ? entry : named, scope);
    } catch (error) {
      await draft.discard().catch(() => undefined);
      throw error;
    }
  }

  async sweep(path: string, runs: readonly string[], scope: Scope): Promise<void> {
    const client = await this.#options.sessions.pick(scope);
    const { directory } = splitPath(this.#checked(path, 'file'));
    const reader = new DirectoryReader(client, directory, scope);
    try {
      for (let items = await reader.next(); items; items = await reader.next()) {
        const left = items.filter(({ name }) => isSafeName(name) && isDraftOfRuns(nameFromBytes(name), runs));
        await Promise.all(left.map(({ name }) => client.remove(joinBytes(directory, name)).catch(unlessGone)));
      }
    } finally {
      await reader.close();
    }
  }

  async #draftOptions(entry: Entry, scope: Scope): Promise<DraftOptions> {
    const { onNotice, sessions, inPlace = false } = this.#options;
    if (entry.path === '' && this.#root.endsWith('/')) {
      throw new XferError('NOT_FOUND', `write ${this.label}: no such directory`, { hint: 'make the directory first' });
    }
    const path = this.#checked(entry.path, entry.kind);
    const inNewDirectory = entry.path !== '' && this.#made.has(parentPath(entry.path));
    const lane: LaneOpener = (leftBytes, laneScope) => sessions.lane(leftBytes, laneScope);
    const client = await sessions.pick(scope);
    const farDigest: FarDigest = (...file) => sessions.farDigest(...file);
    return { client, lane, farDigest, inPlace, path, entry, inNewDirectory, ...(onNotice ? { onNotice } : {}) };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#options.sessions.close();
  }

  /** UNSAFE_PATH also where a link that was made here is on the way, or, but for another link, has the name itself. */
  #checked(path: string, kind: EntryKind): Buffer {
    const bytes = below(this.#root, path);
    if (this.#links.size === 0) return bytes;
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) this.#refuseLink(path, path.slice(0, at));
    if (kind !== 'symlink') this.#refuseLink(path, path);
    return bytes;
  }

  #refuseLink(path: string, link: string): void {
    if (!this.#links.has(link)) return;
    throw new XferError('UNSAFE_PATH', `path ${path}: leads through the link ${link}, which this copy made`);
  }
}

/** The server of a connection that was lost may still have removed it. */
function unlessGone(error: unknown): void {
  if (!(error instanceof XferError && error.code === 'NOT_FOUND')) throw error;
}

function taken(what: string, path: Buffer): XferError {
  return new XferError('EXISTS', `${what} ${nameFromBytes(path)}: another kind of thing has that name`);
}
