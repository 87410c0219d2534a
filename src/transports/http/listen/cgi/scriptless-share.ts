/** A share without its scripts: under no name can the text of one be had, whoever asks for it. */
import { resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { XferError } from '../../../../errors.js';
import type { Place } from '../../../../place.js';
import type { ByteRange, Entry, OpenFile, Scope, Source, WalkScope } from '../../../../transport.js';
import type { SharedSource } from '../sharing.js';
import { directoryOf } from './script-path.js';

/** A source whose files are on a disk of this machine. */
export type PlacedSource = SharedSource & Required<Pick<Source, 'place'>>;

/**
 * What is in the directories of scripts is not there: neither by their own names, nor in another case of the letters,
 * nor by a link to them or into them.
 */
export class ScriptlessShare implements SharedSource {
  readonly label: string;
  readonly identity: string;
  readonly name: string;
  readonly capabilities: Source['capabilities'];
  readonly #share: PlacedSource;
  readonly #directories: readonly string[];

  constructor(share: PlacedSource, directories: readonly string[]) {
    this.label = share.label;
    this.identity = share.identity;
    this.name = share.name;
    this.capabilities = share.capabilities;
    this.#share = share;
    this.#directories = directories;
  }

  async *entries(scope: WalkScope): AsyncGenerator<Entry> {
    const kept = await this.#kept(scope);
    for await (const entry of this.#share.entries(scope))
      if (!(await this.#isKept(entry.path, kept, scope))) yield entry;
  }

  async read(entry: Entry, range: ByteRange, scope: Scope): Promise<Readable> {
    await this.#refuse(entry.path, scope);
    return this.#share.read(entry, range, scope);
  }

  async stat(path: string, scope: Scope): Promise<Entry | undefined> {
    const kept = await this.#isKept(path, await this.#kept(scope), scope);
    return kept ? undefined : this.#share.stat(path, scope);
  }

  async *list(directory: string, scope: Scope): AsyncGenerator<Entry> {
    await this.#refuse(directory, scope);
    const kept = await this.#kept(scope);
    for await (const entry of this.#share.list(directory, scope)) {
      if (!(await this.#isKept(entry.path, kept, scope))) yield entry;
    }
  }

  async open(path: string, scope: Scope): Promise<OpenFile> {
    await this.#refuse(path, scope);
    const places = await this.#places(scope);
    const file = await this.#share.open(path, scope);
    try {
      await this.#checkOpened(path, file, places, scope);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** A link may have been put in its way between the look at a path and the open: what counts is where the open file is. */
  async #checkOpened(path: string, file: OpenFile, before: readonly string[], scope: Scope): Promise<void> {
    await this.#refuse(path, scope);
    const place = file.place?.();
    if (place === undefined) return;
    const kept = [...before, ...(await this.#places(scope))];
    if (kept.some((directory) => isInside(directory, place))) throw missing(path);
  }

  /** Where the directories of scripts are, and where they would be by their own names. */
  async #places(scope: Scope): Promise<readonly string[]> {
    const root = (await this.#share.place('', scope)).path;
    const places: string[] = [];
    for (const directory of this.#directories) {
      places.push(resolve(root, directory));
      const own = await this.#placeOf(directory, scope);
      if (own) places.push(own.path);
    }
    return places;
  }

  close(): Promise<void> {
    return this.#share.close();
  }

  async #refuse(path: string, scope: Scope): Promise<void> {
    if (await this.#isKept(path, await this.#kept(scope), scope)) throw missing(path);
  }

  async #isKept(path: string, kept: ReadonlySet<string>, scope: Scope): Promise<boolean> {
    if (directoryOf(path, this.#directories) !== undefined) return true;
    const above = await this.#above(path, scope);
    return above.some((directory) => kept.has(directory));
  }

  /** The directories of scripts as they are now: one that was made anew is another. */
  async #kept(scope: Scope): Promise<ReadonlySet<string>> {
    const kept = new Set<string>();
    for (const directory of this.#directories) {
      const own = (await this.#above(directory, scope)).at(-1);
      if (own !== undefined) kept.add(own);
    }
    return kept;
  }

  async #above(path: string, scope: Scope): Promise<readonly string[]> {
    return (await this.#placeOf(path, scope))?.directories ?? [];
  }

  /** Undefined where nothing is there, or what is there is out of reach in any case. */
  async #placeOf(path: string, scope: Scope): Promise<Place | undefined> {
    try {
      return await this.#share.place(path, scope);
    } catch (error) {
      if (error instanceof XferError && ['NOT_FOUND', 'UNSAFE_PATH'].includes(error.code)) return undefined;
      throw error;
    }
  }
}

function missing(path: string): XferError {
  return new XferError('NOT_FOUND', `open ${path}: no such file or directory`);
}

/** Both absolute and without links. */
function isInside(directory: string, place: string): boolean {
  return place.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}
