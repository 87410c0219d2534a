/**
 * Files that clients write and that have no name yet. Whoever looks at such a name, or opens it, meets the draft, so that
 * a client which looks at what it has just made is content.
 */
import { movedPath } from '../../../names.js';
import type { Change, EditableFile, Entry } from '../../../transport.js';

/** A file that several handles may have open. It has its name once one that may change it was closed. */
export class SharedEdit {
  readonly #file: EditableFile;
  readonly #onEnd: () => void;
  #holders = 1;
  #dropped = false;
  #closed = false;
  /** Of the first write that failed. */
  #failure: unknown;

  constructor(file: EditableFile, onEnd: () => void = () => undefined) {
    this.#file = file;
    this.#onEnd = onEnd;
  }

  /** A handle holds it, and it has no name yet; otherwise it is being closed, or in place. */
  get held(): boolean {
    return this.#holders > 0 && this.temporary !== undefined;
  }

  get temporary(): string | undefined {
    return this.#file.temporary;
  }

  look(): Entry {
    return this.#file.look();
  }

  readAt(target: Uint8Array, start: number): Promise<number> {
    return this.#file.readAt(target, start);
  }

  async writeAt(pieces: readonly Uint8Array[], start: number): Promise<void> {
    try {
      await this.#file.writeAt(pieces, start);
    } catch (error) {
      this.#failure ??= error;
      throw error;
    }
  }

  change(change: Change): void {
    this.#file.change(change);
  }

  /** What a client wants to outlast everything outlasts its own connection as well, so it has its name then. */
  async sync(): Promise<void> {
    await this.#file.sync();
    if (!this.#incomplete) await this.#giveName();
  }

  /** Of its bytes some are known to be missing. */
  get #incomplete(): boolean {
    return this.#failure !== undefined && this.temporary !== undefined;
  }

  async #giveName(): Promise<void> {
    if (this.temporary === undefined || this.#dropped) return;
    await this.#file.giveName();
    if (this.temporary === undefined) this.#onEnd();
  }

  rename(path: string): void {
    this.#file.rename(path);
  }

  moved(from: string, to: string): void {
    this.#file.moved(from, to);
  }

  hold(): this {
    this.#holders += 1;
    return this;
  }

  /** It will not get its name. */
  drop(): void {
    this.#dropped = true;
    this.#file.drop();
  }

  /**
   * One handle less. `closed`: by its client, who may change the file and is now told that it is there, whatever others do
   * with it later; not where it was only read, or its connection died, so that nobody knows whether all was written. A file
   * that has no name yet is given none where a write failed: rejects with that failure.
   */
  async release(closed: boolean): Promise<void> {
    this.#holders -= 1;
    if (closed) this.#closed = true;
    const incomplete = this.#incomplete;
    if (this.#holders === 0) await this.#end();
    else if (closed && !incomplete) await this.#giveName();
    if (closed && incomplete) throw this.#failure;
  }

  async #end(): Promise<void> {
    const unfinished = this.temporary !== undefined && (!this.#closed || this.#dropped || this.#incomplete);
    try {
      await (unfinished ? this.#file.abandon() : this.#file.close());
    } finally {
      this.#onEnd();
    }
  }
}

export class Drafts {
  readonly #byPath = new Map<string, SharedEdit>();

  /** A handle on a file just opened; known here by its name as long as it has none. A link may have led to one known. */
  async add(file: EditableFile, truncate: boolean): Promise<SharedEdit> {
    if (file.temporary === undefined) return new SharedEdit(file);
    const { path } = file.look();
    const known = this.find(path)?.hold();
    if (known) {
      await file.abandon().catch(async (error: unknown) => {
        await known.release(false);
        throw error;
      });
      if (truncate) known.change({ size: 0 });
      return known;
    }
    const draft = new SharedEdit(file, () => this.#forget(draft));
    this.#byPath.set(path, draft);
    return draft;
  }

  #forget(draft: SharedEdit): void {
    for (const [path, each] of this.#byPath) if (each === draft) this.#byPath.delete(path);
  }

  find(path: string): SharedEdit | undefined {
    const draft = this.#byPath.get(path);
    return draft?.held ? draft : undefined;
  }

  /** What will be named in a directory, and the temporary names there that are nobody's business. */
  in(directory: string): { readonly named: ReadonlyMap<string, SharedEdit>; readonly hidden: ReadonlySet<string> } {
    const inside = [...this.#byPath].filter(([path, { held }]) => held && isIn(directory, path));
    const hidden = [...this.#byPath.values()].flatMap(({ temporary }) => temporary ?? []);
    return { named: new Map(inside), hidden: new Set(hidden) };
  }

  /** A directory has another name: what gathers in it, or is to be named in it, goes with it. */
  moved(from: string, to: string): void {
    for (const [path, draft] of [...this.#byPath]) {
      draft.moved(from, to);
      this.#byPath.delete(path);
      this.#byPath.set(movedPath(path, from, to), draft);
    }
  }

  /** The name is taken from the draft, whose bytes are then lost. Says whether there was one. */
  drop(path: string): boolean {
    const draft = this.#byPath.get(path);
    draft?.drop();
    return this.#byPath.delete(path);
  }

  /** Says whether there was one. */
  rename(from: string, to: string): boolean {
    const draft = this.find(from);
    if (!draft) return false;
    this.drop(to);
    this.#byPath.delete(from);
    this.#byPath.set(to, draft);
    draft.rename(to);
    return true;
  }
}

function isIn(directory: string, path: string): boolean {
  const name = directory === '' ? path : path.slice(directory.length + 1);
  return (directory === '' || path.startsWith(`${directory}/`)) && !name.includes('/');
}
