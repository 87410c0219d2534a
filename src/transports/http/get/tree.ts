/** A folder behind a URL, as a Source: its listings, and the files in them. */
import type { Readable } from 'node:stream';
import { toXferError, XferError } from '../../../errors.js';
import { joinPath } from '../../../names.js';
import type {
  ByteRange,
  DigestAlgorithm,
  Entry,
  Parallelism,
  Scope,
  Source,
  StatedDigest,
  WalkScope,
} from '../../../transport.js';
import { describeUrl } from '../client/describe-url.js';
import type { Answer, HttpClient } from '../client/request.js';
import { folderName } from '../content-disposition.js';
import type { Listed } from './listing/listed.js';
import { folderOf, LISTING_FIELDS, listingForm, readListing } from './listing/read-listing.js';
import { asHttpSource, isLong, type OpenTerms, openHttpSource } from './open-file.js';
import { parallelismAfter } from './parallelism.js';
import type { HttpSource } from './source.js';

/** Folders deeper than this are taken for a server that makes them up. */
const MOST_LEVELS = 100;
const LISTINGS_AHEAD = 8;
/** Tries of one listing, after which the rest goes on without it. */
const MOST_TRIES = 3;
/** Bodies that wait to be read. */
const MOST_KEPT = 64;

interface Folder {
  readonly path: string;
  readonly url: URL;
  readonly level: number;
  content?: Promise<Listed[]>;
}

export interface TreeTerms extends OpenTerms {
  /** The tree has no name of its own: what is in it goes into the target itself. */
  readonly nameless?: boolean;
}

/** Opens what is behind a URL: a tree where a listing comes, else the file. The codes are those of `HttpClient.send`. */
export async function openHttpTree(
  client: HttpClient,
  url: URL,
  scope: Scope,
  onNotice?: (line: string) => void,
  terms: TreeTerms = {},
): Promise<Source> {
  const answer = await client.send('GET', url, LISTING_FIELDS, scope);
  if (listingForm(answer) === undefined) return asHttpSource(client, url, answer, onNotice, terms);
  const start = folderOf(answer.url);
  const mayFollow = (to: URL) => to.origin === start.origin && to.pathname.startsWith(start.pathname);
  return new HttpTree(client, start, answer, { ...terms, mayFollow });
}

/** Made by `openHttpTree`. */
export class HttpTree implements Source {
  readonly label: string;
  readonly identity: string;
  readonly name: string;
  readonly capabilities = { ranges: true, replay: true, parallel: true, metadata: true };
  readonly parallelism: Parallelism;
  readonly #client: HttpClient;
  readonly #start: URL;
  readonly #terms: OpenTerms;
  /** The listing that the tree was opened by, until it is read. */
  #first: Answer | undefined;
  readonly #urls = new Map<string, URL>();
  /** Files that were examined, in that order. */
  readonly #files = new Map<string, HttpSource>();
  /** Files whose bodies may wait to be read, the newest first. */
  #waiting: readonly HttpSource[] = [];
  readonly #failures = new Map<string, number>();

  /** `start` is the folder that `first` lists; nothing above or beside it is asked for. */
  constructor(client: HttpClient, start: URL, first: Answer, terms: TreeTerms) {
    this.label = describeUrl(start);
    this.identity = start.href;
    this.name = terms.nameless ? '' : folderName(start);
    this.parallelism = parallelismAfter(first.waitedMs);
    this.#client = client;
    this.#start = start;
    this.#first = first;
    this.#terms = terms;
  }

  async *entries(scope: WalkScope): AsyncIterable<Entry> {
    scope.signal.throwIfAborted();
    const root: Folder = { path: '', url: this.#start, level: 0 };
    const folders: Folder[] = [root];
    yield { path: '', kind: 'directory' };
    for (let folder = folders.shift(); folder; folder = folders.shift()) {
      for (const next of [folder, ...folders.slice(0, LISTINGS_AHEAD)]) this.#begin(next, scope);
      for (const listed of await this.#contentOf(folder, scope)) {
        const path = joinPath(folder.path, listed.name);
        const { url, kind, size, mtimeMs } = listed;
        if (kind === 'file') this.#urls.set(path, url);
        else folders.push({ path, url, level: folder.level + 1 });
        yield { path, kind, ...(size === undefined ? {} : { size }), ...(mtimeMs === undefined ? {} : { mtimeMs }) };
      }
    }
  }

  /** Asks for the file, and keeps the answer for the read that follows. */
  async examine(entry: Entry, scope: Scope): Promise<Entry> {
    const file = await this.#open(entry.path, scope);
    this.#files.set(entry.path, file);
    this.#boundKept(file);
    const { mtimeMs } = entry;
    return { ...(mtimeMs === undefined ? {} : { mtimeMs }), ...file.entryAt(entry.path) };
  }

  async read(entry: Entry, range: ByteRange, scope: Scope): Promise<Readable> {
    const file = await this.#opened(entry, scope);
    return file.read({ ...entry, path: '' }, range, scope);
  }

  async readWhole(entry: Entry, scope: Scope): Promise<Buffer> {
    const bytes = await allOf(await this.read(entry, { start: 0 }, scope));
    this.#files.delete(entry.path);
    return bytes;
  }

  stated(entry: Entry): readonly StatedDigest[] {
    return this.#files.get(entry.path)?.stated(entry) ?? [];
  }

  async digest(entry: Entry, algorithm: DigestAlgorithm, scope: Scope): Promise<string> {
    return (await this.#opened(entry, scope)).digest(entry, algorithm, scope);
  }

  async close(): Promise<void> {
    this.#first?.response.destroy();
    for (const file of this.#files.values()) file.dropKept();
    this.#client.close();
  }

  #begin(folder: Folder, scope: WalkScope): void {
    if (folder.content) return;
    folder.content = this.#list(folder, scope);
    folder.content.catch(() => {});
  }

  async #list({ path, url, level }: Folder, scope: WalkScope): Promise<Listed[]> {
    if (level > MOST_LEVELS) {
      throw new XferError('UNSAFE_PATH', `list ${describeUrl(url)}: more than ${MOST_LEVELS} folders in each other`);
    }
    const first = path === '' ? this.#first : undefined;
    if (first) this.#first = undefined;
    const answer = first ?? (await this.#client.send('GET', url, LISTING_FIELDS, scope, this.#terms.mayFollow));
    const { idleTimeoutMs } = this.#client.settings;
    // By its own path: of one path, what could not be read is told once.
    const onHostile = (name: string, error: XferError) => scope.onSkip?.(joinPath(path, name), error);
    return readListing(answer, { idleTimeoutMs, onHostile }, scope);
  }

  /** What a folder holds. What may pass is left to who walks, for a few times. */
  async #contentOf(folder: Folder, scope: WalkScope): Promise<Listed[]> {
    try {
      return (await folder.content) ?? [];
    } catch (thrown) {
      scope.signal.throwIfAborted();
      const error = toXferError(thrown, `list ${describeUrl(folder.url)}`);
      const tries = (this.#failures.get(folder.path) ?? 0) + 1;
      this.#failures.set(folder.path, tries);
      const passes = error.retryable && tries < MOST_TRIES;
      if (folder.path === '' || passes || !scope.onSkip) throw error;
      scope.onSkip(folder.path, error);
      return [];
    }
  }

  async #opened(entry: Entry, scope: Scope): Promise<HttpSource> {
    const file = this.#files.get(entry.path) ?? (await this.#open(entry.path, scope));
    this.#files.set(entry.path, file);
    return file;
  }

  async #open(path: string, scope: Scope): Promise<HttpSource> {
    const url = this.#urls.get(path);
    if (!url) throw new XferError('NOT_FOUND', `read ${path} of ${this.label}: it is not listed there`);
    return openHttpSource(this.#client, url, scope, undefined, this.#terms);
  }

  /** Of the bodies that wait the newest long one, and few others, go on waiting. */
  #boundKept(newest: HttpSource): void {
    this.#waiting = [newest, ...this.#waiting.filter((file) => file.hasKept && file !== newest)];
    const long = this.#waiting.filter(({ described }) => isLong(described));
    for (const file of [...this.#waiting.slice(MOST_KEPT), ...long.slice(1)]) file.dropKept();
  }
}

/** What a short body holds. By its events: `stream/consumers` makes a Blob of each, which takes longer than the request. */
function allOf(body: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    body.on('data', (chunk: Buffer) => chunks.push(chunk));
    body.once('end', () => resolve(Buffer.concat(chunks)));
    body.once('error', reject);
    body.once('close', () => {
      if (!body.readableEnded) reject(new XferError('DISCONNECTED', 'read: the body was given up'));
    });
  });
}
