/** The tree below a folder -> the rows of an archive of it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { XferError } from '../../../../errors.js';
import { bytesFromName, joinPath, lastPart } from '../../../../names.js';
import type { Entry } from '../../../../transport.js';
import type { Sharing } from '../sharing.js';
import { shownEntries } from '../shown.js';
import { archivedName, isPlainName, topName } from './entry-name.js';
import { LeftOut } from './left-out.js';
import { Manifest, markOf, TOP } from './manifest.js';

/** Folders inside each other: what a loop of links may reach where the source cannot tell one folder from another. */
const MOST_LEVELS = 1000;
/** What a ZIP can say of a name's length (APPNOTE.TXT 6.3.10, 4.4.10), with room for a `/`. */
const MOST_NAME_BYTES = 0xfffe;
/** Entries after which others get their turn: a listing that the system has at hand waits for nothing. */
const ENTRIES_IN_TURN = 250;
const READABLE_BY_ALL = 0o444;
/** With another code the fault is not that of the one thing, and the archive fails. */
const LEFT_OUT_CODES: ReadonlySet<string> = new Set(['NOT_FOUND', 'DENIED', 'UNSAFE_PATH', 'UNSUPPORTED']);

/**
 * All that the listings of `folder`, and of the folders in it, show. What is shown and cannot be sent is left out, and a
 * note at the end of the archive names it. `admit` is called for each entry; what it throws ends the walk. Rejects as
 * `Source.list` does where the folder itself cannot be listed.
 */
export async function walkFolder(sharing: Sharing, folder: Entry, admit: () => void): Promise<Manifest> {
  const manifest = new Manifest(folder.path, topName(lastPart(folder.path) || sharing.share.name), folder);
  const walk = new Walk(sharing, manifest, admit);
  const pending: number[] = [TOP];
  for (let row = pending.pop(); row !== undefined; row = pending.pop()) {
    const first = manifest.count;
    await walk.addChildren(row);
    manifest.closeFolder(row, first);
    const inside = [...manifest.children(row)].filter((child) => manifest.isFolder(child));
    for (const child of inside.reverse()) pending.push(child);
  }
  walk.leftOut.addTo(manifest);
  return manifest;
}

class Walk {
  readonly leftOut = new LeftOut();
  readonly #sharing: Sharing;
  readonly #manifest: Manifest;
  readonly #admit: () => void;
  #seen = 0;

  constructor(sharing: Sharing, manifest: Manifest, admit: () => void) {
    this.#sharing = sharing;
    this.#manifest = manifest;
    this.#admit = admit;
  }

  async addChildren(folder: number): Promise<void> {
    const first = this.#manifest.count;
    const renamed: Entry[] = [];
    try {
      for await (const entry of shownEntries(this.#sharing, this.#manifest.path(folder))) {
        this.#admit();
        this.#seen += 1;
        if (this.#seen % ENTRIES_IN_TURN === 0) await nextTurn();
        const fault = await this.#faultOf(folder, entry);
        if (fault !== undefined) this.#leaveOut(folder, entry.path, fault);
        else if (entry.path.includes('\\')) renamed.push(entry);
        else this.#manifest.add(folder, entry.path, entry);
      }
    } catch (error) {
      if (folder === TOP || !isLeftOut(error)) throw error;
      this.leftOut.add(this.#manifest.archivedPath(folder), 'it could not be listed');
    }
    this.#addRenamed(folder, first, renamed);
  }

  /** Two things of one name would be one thing when they are unpacked. */
  #addRenamed(folder: number, first: number, entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const taken = new Set<string>();
    for (let row = first; row < this.#manifest.count; row += 1) taken.add(this.#manifest.name(row));
    for (const entry of entries.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
      const name = archivedName(entry.path);
      if (taken.has(name)) this.#leaveOut(folder, entry.path, 'another file has the name that it would get');
      else this.#manifest.add(folder, entry.path, entry);
      taken.add(name);
    }
  }

  #leaveOut(folder: number, name: string, reason: string): void {
    this.leftOut.add(Buffer.concat([this.#manifest.archivedPath(folder), bytesFromName(archivedName(name))]), reason);
  }

  /** Why a thing cannot be in the archive, or undefined. */
  async #faultOf(folder: number, entry: Entry): Promise<string | undefined> {
    if (!isPlainName(entry.path)) return 'its name is none that an archive can hold';
    const length = this.#manifest.archivedLength(folder) + bytesFromName(archivedName(entry.path)).length;
    if (length > MOST_NAME_BYTES) return `its path is longer than ${MOST_NAME_BYTES} bytes`;
    if (entry.kind === 'directory') return this.#loopOf(folder, entry);
    if (entry.size === undefined) return 'its length is not known before it is read';
    return (await this.#canBeRead(folder, entry)) ? undefined : 'it cannot be read';
  }

  #loopOf(folder: number, entry: Entry): string | undefined {
    const mark = markOf(entry.identity);
    let levels = 1;
    for (let above = folder; ; above = this.#manifest.parent(above)) {
      if (entry.identity !== undefined && this.#manifest.mark(above) === mark) {
        return 'it leads back to a folder that it is in';
      }
      if (above === TOP) break;
      levels += 1;
    }
    return levels > MOST_LEVELS ? `there are more than ${MOST_LEVELS} folders inside each other` : undefined;
  }

  /** Opens only what might not be readable: an open for each of many files takes longer than all else. */
  async #canBeRead(folder: number, entry: Entry): Promise<boolean> {
    const { share, scope, platform } = this.#sharing;
    const { mode } = entry;
    if (platform !== 'win32' && mode !== undefined && (mode & READABLE_BY_ALL) === READABLE_BY_ALL) return true;
    try {
      await (await share.open(joinPath(this.#manifest.path(folder), entry.path), scope)).close();
      return true;
    } catch (error) {
      if (isLeftOut(error)) return false;
      throw error;
    }
  }
}

function isLeftOut(error: unknown): boolean {
  return error instanceof XferError && LEFT_OUT_CODES.has(error.code);
}
