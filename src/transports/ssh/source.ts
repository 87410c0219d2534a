/** A tree on an sftp server, read. */
import type { Readable } from 'node:stream';
import { XferError } from '../../errors.js';
import { nameFromBytes } from '../../names.js';
import type { ByteRange, Entry, OpenOptions, Scope, Source, SourceCapabilities, WalkScope } from '../../transport.js';
import { below, isSafeName, resolveRoot, splitPath } from './paths.js';
import { RangeReader } from './range-reader.js';
import { readFully } from './read-fully.js';
import { type Attributes, versionOf } from './sftp-attributes.js';
import type { SftpClient } from './sftp-client.js';
import { OPEN } from './sftp-codec.js';
import { TreeWalk } from './tree-walk.js';

export interface SftpSourceOptions {
  readonly client: SftpClient;
  /** The session for the next file; `client` where absent. */
  readonly pick?: () => SftpClient;
  /** What was typed after the host. */
  readonly path: string;
  /** For messages. */
  readonly label: string;
  /** Who is logged in where, as a URL without a path. */
  readonly account: string;
  readonly links?: OpenOptions['links'];
  /** Ends what carries the client. */
  readonly onClose: () => Promise<void>;
}

export class SftpSource implements Source {
  readonly label: string;
  readonly identity: string;
  readonly name: string;
  readonly capabilities: SourceCapabilities = { ranges: true, replay: true, parallel: true, metadata: true };
  readonly #options: SftpSourceOptions;
  readonly #root: string;

  private constructor(options: SftpSourceOptions, root: string, name: string) {
    this.#options = options;
    this.#root = root;
    this.label = options.label;
    this.identity = `${options.account}/${root}`;
    this.name = name;
  }

  /** Finds the root's path and its name; does not yet look whether it exists. UNSUPPORTED, DISCONNECTED. */
  static async open(options: SftpSourceOptions, scope: Scope): Promise<SftpSource> {
    const root = await resolveRoot(options.client, options.path, scope);
    return new SftpSource(options, root, rootName(root));
  }

  entries(scope: WalkScope): AsyncIterable<Entry> {
    const { client, links } = this.#options;
    return new TreeWalk({ client, root: this.#root, links: links ?? 'follow', scope }).entries();
  }

  async read(entry: Entry, range: ByteRange, scope: Scope): Promise<Readable> {
    const client = this.#options.pick?.() ?? this.#options.client;
    const path = below(this.#root, entry.path);
    const what = `read ${nameFromBytes(path)}`;
    const handle = await client.open(path, OPEN.READ, {}, scope);
    const attributes = client.fstat(handle, what, scope);
    const reader = new RangeReader({ client, handle, range, what, signal: scope.signal });
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
    const client = this.#options.pick?.() ?? this.#options.client;
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

  async close(): Promise<void> {
    await this.#options.onClose();
  }
}

function checkVersion(entry: Entry, attributes: Attributes, what: string): void {
  if (entry.version === undefined) return;
  const version = versionOf(attributes);
  if (version === entry.version) return;
  throw new XferError('SOURCE_CHANGED', `${what}: the file changed since it was listed`);
}

function rootName(root: string): string {
  const { name } = splitPath(below(root, ''));
  const dots = ['.', '..'].includes(name.toString('latin1'));
  return isSafeName(name) && !dots ? nameFromBytes(name) : '';
}
