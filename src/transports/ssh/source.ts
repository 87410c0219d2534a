/** A tree on an sftp server, read. */
import type { Readable } from 'node:stream';
import { throwIfAborted, XferError } from '../../errors.js';
import { nameFromBytes } from '../../names.js';
import type {
  ByteRange,
  DigestAlgorithm,
  Entry,
  OpenOptions,
  Parallelism,
  Scope,
  Source,
  SourceCapabilities,
  WalkScope,
} from '../../transport.js';
import { WORTH_A_PROGRAM_BYTES } from './far-digest.js';
import { below, isSafeName, resolveRoot, splitPath } from './paths.js';
import { LARGE_BYTES, type Sessions } from './sessions.js';
import { type Attributes, versionOf } from './sftp/attributes.js';
import type { SftpClient } from './sftp/client.js';
import { OPEN } from './sftp/codec.js';
import { RangeReader } from './sftp/range-reader.js';
import { readFully } from './sftp/read-fully.js';
import { SharedHandles } from './sftp/shared-handles.js';
import { TreeWalk } from './tree-walk.js';

/** Parts of a large file are as long: they go where the fewest of them are, shorter reads where the least requests wait. */
const LANE_BYTES = 1 << 20;
/** On a short line each block's file is opened when it is its turn, which takes little memory and some time. */
const BLOCK_BYTES = 8 << 20;

export interface SftpSourceOptions {
  readonly sessions: Sessions;
  /** What was typed after the host. */
  readonly path: string;
  /** For messages. */
  readonly label: string;
  readonly links?: OpenOptions['links'];
}

export class SftpSource implements Source {
  readonly label: string;
  readonly identity: string;
  readonly name: string;
  readonly capabilities: SourceCapabilities = { ranges: true, replay: true, parallel: true, metadata: true };
  readonly #options: SftpSourceOptions;
  readonly #root: string;
  #closed = false;
  readonly #handles = new SharedHandles();
  /** The first look at the root, sent together with the question for the server's limits. */
  #rootLook: Promise<Attributes> | undefined;

  private constructor(options: SftpSourceOptions, root: string, name: string) {
    this.#options = options;
    this.#root = root;
    this.label = options.label;
    this.identity = `${options.sessions.account}/${root}`;
    this.name = name;
  }

  /** Finds the root's path and its name; whether it exists is for `entries` to tell. UNSUPPORTED, DISCONNECTED. */
  static async open(options: SftpSourceOptions, scope: Scope): Promise<SftpSource> {
    const client = await options.sessions.pick(scope);
    const root = await resolveRoot(client, options.path, scope);
    const rootLook = client.stat(below(root, ''), scope);
    rootLook.catch(() => undefined);
    await client.settled;
    const source = new SftpSource(options, root, rootName(homeOwner(options.path) ?? root));
    source.#rootLook = rootLook;
    return source;
  }

  get parallelism(): Parallelism {
    const { parallelism, isLong } = this.#options.sessions;
    return { ...parallelism, ...(isLong ? { opensAhead: true } : { blockBytes: BLOCK_BYTES }) };
  }

  async *entries(scope: WalkScope): AsyncGenerator<Entry> {
    const { sessions, links } = this.#options;
    const client = await sessions.pick(scope);
    const top = this.#rootLook ?? client.stat(below(this.#root, ''), scope);
    this.#rootLook = undefined;
    // Its channels are opened while the target is looked at; not sooner: another end on the same host needs a session first.
    top.then(({ size = 0 }) => size > LARGE_BYTES && sessions.expectLarge()).catch(() => undefined);
    const entries = new TreeWalk({ client, root: this.#root, top, links: links ?? 'follow', scope }).entries();
    const { value: first } = await entries.next();
    if (!first) return;
    yield first.kind === 'file' && first.size === 0 ? await this.#withoutSize(first, client, scope) : first;
    yield* entries;
  }

  /** A file whose size is 0 may hold something, as in Linux's /proc; then neither its size nor its version says a thing. */
  async #withoutSize(entry: Entry, client: SftpClient, scope: Scope): Promise<Entry> {
    const what = `read ${this.label}`;
    const handle = await client.open(below(this.#root, ''), OPEN.READ, {}, scope);
    try {
      const first = await client.read(handle, 0, 1, what);
      if (!first || first.length === 0) return entry;
      const { size: _, version: __, ...rest } = entry;
      return rest;
    } finally {
      client.close(handle).catch(() => undefined);
    }
  }

  async read(entry: Entry, range: ByteRange, scope: Scope): Promise<Readable> {
    const { sessions } = this.#options;
    const { size = 0 } = entry;
    const large = (range.end ?? size) - range.start >= LANE_BYTES;
    const lane = large ? await sessions.lane(size - range.start, scope) : undefined;
    const client = lane?.client ?? (await sessions.pick(scope));
    const path = below(this.#root, entry.path);
    const what = `read ${nameFromBytes(path)}`;
    const { handle, release } = await this.#handles.take(client, path, scope).catch((error: unknown) => {
      lane?.leave();
      throw error;
    });
    const attributes = client.fstat(handle, what, scope);
    const done = () => {
      release();
      lane?.leave();
    };
    const reader = new RangeReader({ client, handle, range, what, signal: scope.signal, release: done });
    // A failure before anybody listens is found below, by `errored`, or by the check.
    const early = () => undefined;
    reader.on('error', early);
    reader.prime();
    try {
      checkVersion(entry, await attributes, what);
      if (reader.errored) throw reader.errored;
    } catch (error) {
      reader.destroy();
      throw error;
    }
    reader.off('error', early);
    return reader;
  }

  async readWhole(entry: Entry, scope: Scope): Promise<Buffer> {
    const client = await this.#options.sessions.pick(scope);
    const path = below(this.#root, entry.path);
    const what = `read ${nameFromBytes(path)}`;
    const handle = await client.open(path, OPEN.READ, {}, scope);
    const attributes = client.fstat(handle, what, scope);
    try {
      const [bytes] = await Promise.all([readFully(client, handle, entry.size ?? 0, what), attributes]);
      checkVersion(entry, await attributes, what);
      return bytes;
    } finally {
      client.close(handle).catch(() => undefined);
    }
  }

  async digest(entry: Entry, algorithm: DigestAlgorithm, scope: Scope): Promise<string> {
    throwIfAborted(scope.signal);
    const path = below(this.#root, entry.path);
    const large = (entry.size ?? 0) >= WORTH_A_PROGRAM_BYTES;
    const hex = large ? await this.#options.sessions.farDigest(path, algorithm, scope) : undefined;
    if (hex !== undefined) return hex;
    throw new XferError('UNSUPPORTED', `digest ${nameFromBytes(path)}: the far side has no program for it`);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#options.sessions.close();
  }
}

function checkVersion(entry: Entry, attributes: Attributes, what: string): void {
  if (entry.version === undefined) return;
  const version = versionOf(attributes);
  if (version === entry.version) return;
  throw new XferError('SOURCE_CHANGED', `${what}: the file changed since it was listed`, {
    hint: 'something writes to it: copy it once that is done',
  });
}

/** Of a typed home directory; its name is not left to the server. */
function homeOwner(typed: string): string | undefined {
  return /^~([^/]+)\/*$/.exec(typed)?.[1];
}

function rootName(root: string): string {
  const { name } = splitPath(below(root, ''));
  const dots = ['.', '..'].includes(name.toString('latin1'));
  return isSafeName(name) && !dots ? nameFromBytes(name) : '';
}
