/**
 * What the far side acknowledged of one file, on disk, so that a killed copy knows what it need not send again. One file
 * per pair of source and target: a JSON header line, then a `start end` line for each acknowledged span. A claim
 * keeps two copies of the same pair from sharing a draft.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode, toXferError, XferError } from '../errors.js';
import { makeOwnDirectory } from '../files/own-directory.js';
import { claim } from './claim.js';
import { idOf } from './id-of.js';
import { normalize, type Span } from './ranges.js';

export interface JournalKey {
  readonly source: string;
  readonly sink: string;
  readonly version: string;
  readonly size: number;
}

/** Acknowledged bytes that may be missing from the journal after a kill: at most this much for each lane. */
const FLUSH_BYTES = 4 << 20;
const MAX_JOURNAL_BYTES = 16 << 20;

export class Journal {
  /** What an earlier run had acknowledged of this version. */
  readonly held: readonly Span[];
  /** Whose draft an earlier run left, where that was of another version or size. */
  readonly stale: Pick<JournalKey, 'version' | 'size'> | undefined;
  readonly #place: Place;
  readonly #header: string;
  /** Open behind the last line. */
  #handle: FileHandle | undefined;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(place: Place, { version, size }: JournalKey, found: Found) {
    this.#place = place;
    // A URL may hold a secret: source and sink are told apart by the file's name, and not written down.
    this.#header = JSON.stringify({ version, size });
    this.held = found.held;
    this.stale = found.stale;
  }

  /**
   * Opens or starts the journal of a pair; undefined where another process that may still run has it. DENIED, EXISTS,
   * NO_SPACE and UNSUPPORTED where what is in its place is another's, or no file, or where nothing can be written.
   */
  static async open(directory: string, key: JournalKey): Promise<Journal | undefined> {
    const id = idOf(key.source, key.sink);
    try {
      await makeOwnDirectory(directory);
      const lock = await claim(directory, id);
      return lock === undefined
        ? undefined
        : await Journal.#open({ file: join(directory, `${id}.journal`), lock }, key);
    } catch (error) {
      throw toXferError(error, `keep notes in ${join(directory, id)}.*`);
    }
  }

  static async #open(place: Place, key: JournalKey): Promise<Journal> {
    try {
      const found = parse(await readIfThere(place.file), key);
      const journal = new Journal(place, key, found);
      await journal.restart(found.held);
      return journal;
    } catch (error) {
      await rm(place.lock, { force: true });
      throw error;
    }
  }

  /** Claims just these spans from now on: a draft that was lost or begun anew holds less than was acknowledged of it. */
  async restart(held: readonly Span[]): Promise<void> {
    await this.#writing;
    const lines = held.map(({ start, end }) => `${start} ${end}\n`);
    // Replaced as one: a kill in the middle must leave the old claims or the new ones.
    const fresh = `${this.#place.file}.new`;
    // What a killed run left there, or a pipe, which would not open before somebody reads from it.
    await rm(fresh, { force: true });
    const handle = await open(fresh, 'wx', 0o600);
    try {
      await handle.write(`${this.#header}\n${lines.join('')}`);
      await rename(fresh, this.#place.file);
    } catch (error) {
      await handle.close();
      throw error;
    }
    await this.#handle?.close();
    this.#handle = handle;
  }

  /** A recorder for one lane that writes from `start` on. */
  recorder(start: number): SpanRecorder {
    let from = start;
    let to = start;
    const flush = (): void => {
      if (to > from) this.#append(`${from} ${to}\n`);
      from = to;
    };
    return {
      add(bytes) {
        to += bytes;
        if (to - from >= FLUSH_BYTES) flush();
      },
      flush,
    };
  }

  #append(line: string): void {
    this.#writing = this.#writing.then(() => this.#handle?.write(line)).catch(() => {});
  }

  /** Keeps the journal for a later run. */
  async suspend(): Promise<void> {
    await this.#writing;
    await this.#handle?.close();
    await rm(this.#place.lock, { force: true });
  }

  /** The copy is complete, or its draft gone: forgets it. */
  async remove(): Promise<void> {
    await this.#writing;
    await this.#handle?.close();
    await rm(this.#place.file, { force: true });
    await rm(this.#place.lock, { force: true });
  }
}

interface Place {
  readonly file: string;
  readonly lock: string;
}

export interface SpanRecorder {
  /** Further bytes, in order, that the far side holds. */
  add(bytes: number): void;
  flush(): void;
}

interface Found {
  readonly held: Span[];
  readonly stale?: Pick<JournalKey, 'version' | 'size'>;
}

function parse(text: string, key: JournalKey): Found {
  const [header = '', ...lines] = text.split('\n');
  const found = parseHeader(header);
  if (found === undefined) return { held: [] };
  if (found.version !== key.version || found.size !== key.size) return { held: [], stale: found };
  const spans = lines
    .map((line) => /^(\d{1,16}) (\d{1,16})$/.exec(line))
    .flatMap((match) => (match ? [{ start: Number(match[1]), end: Number(match[2]) }] : []));
  return { held: normalize(spans, key.size) };
}

function parseHeader(header: string): Found['stale'] {
  try {
    const { version, size } = JSON.parse(header) as Record<string, unknown>;
    return typeof version === 'string' && typeof size === 'number' ? { version, size } : undefined;
  } catch {
    return undefined;
  }
}

/** Text of a file; empty where there is none. UNSUPPORTED where something else is there: a pipe would be waited for. */
export async function readIfThere(file: string): Promise<string> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = await handle.stat();
    if (!stats.isFile()) throw new XferError('UNSUPPORTED', `read ${file}: not a regular file`);
    return stats.size > MAX_JOURNAL_BYTES ? '' : await handle.readFile('latin1');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  } finally {
    await handle?.close();
  }
}
