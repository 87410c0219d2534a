/** What is to be known of uploads after the end of the process that took them. */
import { randomBytes } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../../../../copy/claim.js';
import { newDraftRun } from '../../../../draft-name.js';
import { makeWritableDirectory } from '../../../../files/own-directory.js';
import { readSmallFile, replacePrivateFile } from '../../../../files/private-file.js';
import { parentPath } from '../../../../names.js';
import type { Conditions } from './conditions.js';
import type { ExpectedDigest } from './expected-digest.js';

/** What is said of a file before its bytes come. */
export interface UploadTerms {
  /** Below the root, and checked. */
  readonly path: string;
  readonly size?: number | undefined;
  readonly mtimeMs?: number | undefined;
  readonly digest?: ExpectedDigest | undefined;
  /** Who sends it, where that one is logged in. */
  readonly user?: string | undefined;
  /** Upload-Metadata as a tus client gave it. */
  readonly metadata?: string | undefined;
  /** What has the name by then is replaced. */
  readonly replace: boolean;
  /** What has to be there then. */
  readonly conditions?: Conditions | undefined;
}

/** One upload that can go on. How much of it is there is what its draft says. */
export interface UploadRecord extends UploadTerms {
  readonly id: string;
  /** It was whole, and was about to get its name: where no draft is left, it has it. */
  readonly ending: boolean;
  /** When it was last known to be wanted, on the clock of the wall. */
  readonly lastMs: number;
}

/** Parts that a run left which was killed, and can never end. */
export interface LeftRun {
  readonly run: string;
  /** A file in each directory in which some may be. */
  readonly paths: readonly string[];
}

export interface UploadRecords {
  /** In the names of drafts that are noted here. */
  readonly run?: string;
  /** They outlive this process. */
  readonly lasting: boolean;
  /** Rejects with the system's error where nothing can be written. */
  begin(): Promise<void>;
  load(): Promise<readonly UploadRecord[]>;
  save(record: UploadRecord): Promise<void>;
  remove(id: string): Promise<void>;
  /** A part that nobody can go on with is about to be made for `path`. */
  noteFolder(path: string): Promise<void>;
  leftRuns(): Promise<readonly LeftRun[]>;
  forgetRun(run: string): Promise<void>;
  /** No part of this run is left. */
  close(): Promise<void>;
}

/** Nothing outlives this process. */
export const NO_RECORDS: UploadRecords = {
  lasting: false,
  begin: async () => undefined,
  load: async () => [],
  save: async () => undefined,
  remove: async () => undefined,
  noteFolder: async () => undefined,
  leftRuns: async () => [],
  forgetRun: async () => undefined,
  close: async () => undefined,
};

const RECORD = /^[0-9a-z]{26}\.json$/;
const RUN = /^([0-9a-f]{12})-[0-9a-f]{8}\.run$/;
const MOST_RECORDS = 10_000;

/** Records as files of a directory, which nobody else may read: their ids let others go on. */
export class RecordFiles implements UploadRecords {
  readonly lasting = true;
  readonly #directory: string;
  readonly #folders = new Map<string, string>();
  /** Several listeners of one process may write here. */
  readonly run = newDraftRun();
  readonly #own = `${this.run}-${randomBytes(4).toString('hex')}.run`;
  #writing: Promise<void> = Promise.resolve();

  constructor(directory: string) {
    this.#directory = directory;
  }

  async begin(): Promise<void> {
    await makeWritableDirectory(this.#directory);
  }

  async load(): Promise<readonly UploadRecord[]> {
    const names = (await this.#names()).filter((name) => RECORD.test(name)).slice(0, MOST_RECORDS);
    const found: UploadRecord[] = [];
    for (const name of names) {
      const record = parseRecord(await readSmallFile(join(this.#directory, name)));
      if (record && name === `${record.id}.json`) found.push(record);
      else await rm(join(this.#directory, name), { force: true });
    }
    return found;
  }

  save(record: UploadRecord): Promise<void> {
    return replacePrivateFile(join(this.#directory, `${record.id}.json`), JSON.stringify(record));
  }

  async remove(id: string): Promise<void> {
    await rm(join(this.#directory, `${id}.json`), { force: true });
  }

  async noteFolder(path: string): Promise<void> {
    const folder = parentPath(path);
    if (!this.#folders.has(folder)) {
      this.#folders.set(folder, path);
      const text = JSON.stringify({ pid: process.pid, host: hostname(), paths: [...this.#folders.values()] });
      const before = this.#writing;
      this.#writing = before.catch(() => undefined).then(() => this.#write(text));
    }
    await this.#writing;
  }

  async #write(text: string): Promise<void> {
    await writeFile(join(this.#directory, this.#own), text, { mode: 0o600 });
  }

  async leftRuns(): Promise<readonly LeftRun[]> {
    const found: LeftRun[] = [];
    for (const name of await this.#names()) {
      const run = RUN.exec(name)?.[1];
      if (run === undefined || run === this.run) continue;
      const paths = endedPaths(await readSmallFile(join(this.#directory, name)));
      if (paths) found.push({ run, paths });
    }
    return found;
  }

  async forgetRun(run: string): Promise<void> {
    for (const name of await this.#names()) {
      if (name.startsWith(`${run}-`)) await rm(join(this.#directory, name), { force: true });
    }
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await rm(join(this.#directory, this.#own), { force: true });
  }

  async #names(): Promise<string[]> {
    return readdir(this.#directory).catch(() => []);
  }
}

/** The folders of a run that has ended; undefined where it goes on, or is one of another machine with the same home. */
function endedPaths(text: string | undefined): string[] | undefined {
  const { pid, host, paths } = (parsed(text) ?? {}) as { pid?: number; host?: string; paths?: string[] };
  if (typeof pid !== 'number' || host !== hostname() || isAlive(pid) || !Array.isArray(paths)) return undefined;
  return paths.filter((path) => typeof path === 'string');
}

function parseRecord(text: string | undefined): UploadRecord | undefined {
  const record = parsed(text) as Partial<UploadRecord> | undefined;
  const sound = typeof record?.id === 'string' && typeof record.path === 'string' && typeof record.lastMs === 'number';
  return sound ? (record as UploadRecord) : undefined;
}

function parsed(text: string | undefined): object | undefined {
  try {
    return JSON.parse(text ?? '') as object;
  } catch {
    return undefined;
  }
}
