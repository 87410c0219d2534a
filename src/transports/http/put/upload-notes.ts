/** Where uploads can be gone on with that were broken off: in this process, and, in files, after its end. */
import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readSmallFile, replacePrivateFile } from '../../../files/private-file.js';

/** One upload that was begun. Whoever knows its place can go on with it, so it is a secret. */
export interface UploadNote {
  readonly place: URL;
  readonly protocol: 'draft' | 'tus';
  /** More than this was never sent of it. */
  readonly mostSentBytes: number;
}

/** The draft says for how long at most: servers that keep parts for more than two weeks are not known. */
const KEPT_MS = 14 * 24 * 3_600_000;
const NAME = /^[0-9a-f]{32}\.upload(?<half>\.[0-9a-f]{12})?$/;
/** One that is only half written was left by a process that was killed then. */
const HALF_KEPT_MS = 3_600_000;

export class UploadNotes {
  #directory: string | undefined;
  readonly #known = new Map<string, UploadNote>();
  #swept = false;

  /** Without a directory that can be written nothing outlives this process. */
  constructor(directory: string | undefined) {
    this.#directory = directory;
  }

  /** The note of an upload; undefined where there is none, or it cannot be read. */
  async find(key: string): Promise<UploadNote | undefined> {
    const known = this.#known.get(key);
    if (known || this.#directory === undefined) return known;
    return parseNote(await readSmallFile(this.#file(key)).catch(() => undefined));
  }

  /** For this process alone. */
  remember(key: string, note: UploadNote): void {
    this.#known.set(key, note);
  }

  /** `lasting`: it is kept for a later process, too, if it can be. */
  async keep(key: string, note: UploadNote, lasting: boolean): Promise<void> {
    this.#known.set(key, note);
    if (!lasting || this.#directory === undefined) return;
    if (!this.#swept) await this.#sweep(this.#directory);
    const { place, protocol, mostSentBytes } = note;
    const text = JSON.stringify({ place: place.href, protocol, mostSentBytes });
    try {
      await replacePrivateFile(this.#file(key), text, true);
    } catch {
      this.#directory = undefined;
    }
  }

  async forget(key: string): Promise<void> {
    this.#known.delete(key);
    if (this.#directory !== undefined) await rm(this.#file(key), { force: true });
  }

  #file(key: string): string {
    const id = createHash('sha256').update(key).digest('hex').slice(0, 32);
    return join(this.#directory as string, `${id}.upload`);
  }

  /** What no server keeps any more. */
  async #sweep(directory: string): Promise<void> {
    this.#swept = true;
    for (const name of await readdir(directory).catch(() => [])) {
      const found = NAME.exec(name);
      if (!found) continue;
      const file = join(directory, name);
      const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Date.now() }));
      if (Date.now() - mtimeMs > (found.groups?.half === undefined ? KEPT_MS : HALF_KEPT_MS))
        await rm(file, { force: true });
    }
  }
}

function parseNote(text: string | undefined): UploadNote | undefined {
  try {
    const { place, protocol, mostSentBytes } = JSON.parse(text ?? '') as Record<string, unknown>;
    const known = protocol === 'draft' || protocol === 'tus';
    if (!known || typeof place !== 'string' || !Number.isSafeInteger(mostSentBytes)) return undefined;
    return { place: new URL(place), protocol, mostSentBytes: mostSentBytes as number };
  } catch {
    return undefined;
  }
}
