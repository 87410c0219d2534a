/** Several sources as one: a directory that holds the root of each of them under a name. */
import { throwIfAborted, XferError } from './errors.js';
import { joinPath } from './names.js';
import type { ByteRange, DigestAlgorithm, Entry, OpenFile, Scope, Source, WalkScope } from './transport.js';

const ROOT: Entry = { path: '', kind: 'directory' };

/** A source below the gathered root, and a path below its own. */
interface Place {
  readonly name: string;
  readonly source: Source;
  readonly path: string;
}

/**
 * Shares `sources`, each under its key, which is one part of a path. What none of them has is missing, and the ways that one
 * of them lacks (`list`, `open`, `digest`) are UNSUPPORTED below its name. Closing it closes all of them.
 */
export class GatheredSource implements Source {
  readonly label: string;
  readonly identity: string;
  readonly name = '';
  readonly capabilities;
  readonly #sources: ReadonlyMap<string, Source>;

  constructor(sources: ReadonlyMap<string, Source>) {
    const all = [...sources.values()];
    this.#sources = sources;
    this.label = all.map(({ label }) => label).join(', ');
    this.identity = `gathered:${[...sources].map(([name, { identity }]) => `${name}=${identity}`).join('|')}`;
    const every = (name: keyof Source['capabilities']): boolean => all.every((source) => source.capabilities[name]);
    this.capabilities = {
      ranges: every('ranges'),
      replay: every('replay'),
      parallel: every('parallel'),
      metadata: every('metadata'),
    };
  }

  /** The keys that it was made of. */
  get names(): readonly string[] {
    return [...this.#sources.keys()];
  }

  async *entries(scope: WalkScope): AsyncGenerator<Entry> {
    throwIfAborted(scope.signal);
    yield ROOT;
    for (const [name, source] of this.#sources) {
      const { onSkip } = scope;
      const below = {
        ...scope,
        ...(onSkip ? { onSkip: (path: string, e: Error) => onSkip(joinPath(name, path), e) } : {}),
      };
      for await (const entry of source.entries(below)) yield raised(name, entry);
    }
  }

  async read(entry: Entry, range: ByteRange, scope: Scope) {
    const { source, path } = this.#existing(entry.path);
    return source.read({ ...entry, path }, range, scope);
  }

  async stat(path: string, scope: Scope): Promise<Entry | undefined> {
    throwIfAborted(scope.signal);
    if (path === '') return ROOT;
    const place = this.#find(path);
    if (!place) return undefined;
    const entry = await must(place, 'stat').call(place.source, place.path, scope);
    return entry && raised(place.name, entry);
  }

  async *list(directory: string, scope: Scope): AsyncGenerator<Entry> {
    if (directory === '') {
      for (const name of this.#sources.keys()) {
        const entry = await this.stat(name, scope);
        if (entry) yield entry;
      }
      return;
    }
    const place = this.#existing(directory);
    for await (const entry of must(place, 'list').call(place.source, place.path, scope))
      yield raised(place.name, entry);
  }

  async open(path: string, scope: Scope): Promise<OpenFile> {
    const place = this.#existing(path);
    const file = await must(place, 'open').call(place.source, place.path, scope);
    const { readAt, readWhole, place: placeOfFile } = file;
    return {
      entry: raised(place.name, file.entry),
      read: (range) => file.read(range),
      ...(readAt ? { readAt: (target, start) => readAt.call(file, target, start) } : {}),
      ...(readWhole ? { readWhole: () => readWhole.call(file) } : {}),
      ...(placeOfFile ? { place: () => placeOfFile.call(file) } : {}),
      close: () => file.close(),
    };
  }

  async digest(entry: Entry, algorithm: DigestAlgorithm, scope: Scope): Promise<string> {
    const place = this.#existing(entry.path);
    return must(place, 'digest').call(place.source, { ...entry, path: place.path }, algorithm, scope);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sources.values()].map((source) => source.close()));
  }

  #find(path: string): Place | undefined {
    const [name = '', ...rest] = path.split('/');
    const source = this.#sources.get(name);
    return source && { name, source, path: rest.join('/') };
  }

  #existing(path: string): Place {
    const place = this.#find(path);
    if (place) return place;
    throw new XferError(
      'NOT_FOUND',
      `read ${path || this.label}: ${path === '' ? 'not a file' : 'no such file or directory'}`,
    );
  }
}

/** The entry of one of the sources, as the gathered one has it. The root of a source has no name of its own there. */
function raised(name: string, entry: Entry): Entry {
  return { ...entry, path: joinPath(name, entry.path) };
}

function must<Way extends 'stat' | 'list' | 'open' | 'digest'>({ source }: Place, way: Way): NonNullable<Source[Way]> {
  const method = source[way];
  if (method) return method as NonNullable<Source[Way]>;
  throw new XferError('UNSUPPORTED', `${way} ${source.label}: it can only be copied`);
}
