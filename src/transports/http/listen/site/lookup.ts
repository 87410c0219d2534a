/** What serve-handler is given in place of a disk and a connection: it looks at the share, and sends nothing. */
import { join, relative, resolve, sep } from 'node:path';
import type { Hooks, Response, Stats } from 'serve-handler';
import { XferError } from '../../../../errors.js';
import { isText, pathParts } from '../../../../names.js';
import type { Entry } from '../../../../transport.js';

/** Where the site is for serve-handler: a place that no real path is looked up in. */
export const ROOT = resolve(sep, 'site');

/** What the rules are asked about. Paths are below the site. */
export interface SiteFiles {
  /** Undefined where nothing is there that may be shown. Rejects for other reasons. */
  stat(path: string): Promise<Entry | undefined>;
  /** The name of the one thing that a directory shows, or undefined. */
  onlyName(directory: string): Promise<string | undefined>;
}

/** Keeps what would have been sent. */
export class Recorder implements Response {
  statusCode = 200;
  status: unknown;
  fields: Readonly<Record<string, unknown>> = {};
  body: string | undefined;

  setHeader(): void {}

  writeHead(status: unknown, fields: Readonly<Record<string, unknown>>): void {
    this.status = status;
    this.fields = fields;
  }

  end(body?: string): void {
    this.body = body;
  }
}

/** The looks of serve-handler at the site, and what it chose. */
export class Lookup {
  /** Path of the file that it would send. */
  opened: string | undefined;
  /** Path of the directory that it would list. */
  listed: string | undefined;
  /** Why a look failed: the package itself would print it. */
  fault: unknown;
  readonly #files: SiteFiles;
  readonly #names: { readonly asked: string; readonly meant: string };
  /** Where what it looked at is really found. */
  readonly #found = new Map<string, string>();

  /** `asked` is what the package knows the path `meant` by. */
  constructor(files: SiteFiles, names: { readonly asked: string; readonly meant: string }) {
    this.#files = files;
    this.#names = names;
  }

  hooks(): Hooks {
    return {
      lstat: (place) => this.#look(place),
      readdir: async (place) => {
        this.listed = this.#path(place);
        const name = await this.#guarded(() => this.#files.onlyName(this.listed as string));
        return name !== undefined && isText(name) ? [name] : [];
      },
      createReadStream: (place) => {
        this.opened = this.#path(place);
        return { pipe: () => undefined };
      },
      sendError: () => undefined,
    };
  }

  async #look(place: string): Promise<Stats> {
    for (const path of candidates(this.#path(place))) {
      const entry = await this.#guarded(() => this.#files.stat(path));
      if (!entry || (place.endsWith(sep) && entry.kind !== 'directory')) continue;
      this.#found.set(place, path);
      return statsOf(entry);
    }
    throw Object.assign(new Error('not there'), { code: 'ENOENT' });
  }

  async #guarded<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
    try {
      return await look();
    } catch (error) {
      this.fault ??= error;
      return undefined;
    }
  }

  #path(place: string): string {
    const known = this.#found.get(place);
    if (known !== undefined) return known;
    const path = relative(ROOT, place).split(sep).join('/');
    const { asked, meant } = this.#names;
    return path.startsWith(asked) ? meant + path.slice(asked.length) : path;
  }
}

/** The path, and where that is not there what its escapes stand for: segments of a request come escaped into a rewrite. */
function candidates(path: string): string[] {
  if (pathParts(path) === undefined) return [];
  if (!path.includes('%')) return [path];
  try {
    const decoded = decodeURIComponent(path);
    return pathParts(decoded) === undefined ? [path] : [path, decoded];
  } catch {
    return [path];
  }
}

function statsOf({ kind, size = 0, mtimeMs = 0 }: Pick<Entry, 'kind' | 'size' | 'mtimeMs'>): Stats {
  return { size, mtime: new Date(mtimeMs), isDirectory: () => kind === 'directory', isSymbolicLink: () => false };
}

/** A directory that holds these names, all of them files. */
export function listingHooks(names: readonly string[]): Hooks {
  const places = new Map<string, Stats>(names.map((name) => [join(ROOT, name), statsOf({ kind: 'file' })]));
  return {
    lstat: async (place) => places.get(place) ?? statsOf({ kind: 'directory' }),
    readdir: async () => [...names],
    createReadStream: () => ({ pipe: () => undefined }),
    sendError: () => {
      throw new XferError('INTERNAL', 'serve: a listing could not be decided');
    },
  };
}
