/**
 * A copy that runs, written down for as long as it does: `kill -9` leaves the drafts of files too small to be resumed, and
 * the next run of the same copy, which finds the record, can remove them. One file per run beside the journals.
 */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { newDraftRun } from '../draft-name.js';
import { throwIfAborted, toXferError, XferError } from '../errors.js';
import { makeOwnDirectory } from '../files/own-directory.js';
import { parentPath } from '../names.js';
import type { Scope, Sink, Source } from '../transport.js';
import { isAlive } from './claim.js';
import type { CopyFailure } from './events.js';
import { idOf } from './id-of.js';
import { readIfThere } from './journal.js';
import { type RetryPolicy, retry } from './retry.js';

export interface SweepTerms {
  readonly retry?: Partial<RetryPolicy> | undefined;
  readonly onRetry?: (directory: string, attempt: number, delayMs: number, error: XferError) => void;
}

export class RunRecord {
  /** In the names of this run's drafts. Others may be under way in this process, to the same directory too. */
  readonly run = newDraftRun();
  /** Names of the journals that were there at the start. */
  readonly journals: ReadonlySet<string>;
  readonly #directory: string;
  readonly #id: string;
  /** Runs of the same copy that ended without removing their record. */
  readonly #left: readonly string[];
  /** A file in each directory that files were copied to. */
  readonly #places = new Map<string, string>();
  #mayHaveLeft = false;
  /** A line was lost, perhaps before a draft was removed. */
  #wasCut = false;
  /** No draft is made any more, and none is left. */
  #isSwept = false;

  private constructor(directory: string, id: string, left: readonly string[], journals: ReadonlySet<string>) {
    this.journals = journals;
    this.#directory = directory;
    this.#id = id;
    this.#left = left;
  }

  /** Looks for the records of earlier runs, and writes this one's. */
  static async open(directory: string, sources: readonly Source[], sink: Sink): Promise<RunRecord> {
    await makeOwnDirectory(directory);
    const id = idOf(...sources.map(({ identity }) => identity), sink.identity);
    const left: string[] = [];
    const names = await readdir(directory);
    for (const name of names) {
      const run = name.startsWith(`${id}.`) ? /\.([0-9a-f]{12})\.run$/.exec(name)?.[1] : undefined;
      // Of another user's run, whose record cannot be read, nothing is known.
      if (run !== undefined && hasEnded(await readIfThere(join(directory, name)).catch(() => ''))) left.push(run);
    }
    const journals = new Set(names.filter((name) => name.endsWith('.journal')));
    const record = new RunRecord(directory, id, left, journals);
    await writeFile(record.#file(record.run), `${process.pid} ${hostname()}`, { mode: 0o600 });
    return record;
  }

  /** A file is copied to `path`. */
  noteFile(path: string): void {
    const directory = path === '' ? '..' : parentPath(path);
    if (!this.#places.has(directory)) this.#places.set(directory, path);
  }

  /** Something failed, so that a draft of this run may be left too; `error`: with what, where that is known. */
  noteFailure(error?: XferError): void {
    if (this.#isSwept || this.#places.size === 0) return;
    this.#mayHaveLeft = true;
    this.#wasCut ||= error?.retryable === true;
  }

  /**
   * Once no more is copied: removes what killed runs, or this one, left where this one copied to, and their records. Resolves
   * with why some is likely left, for the next run of the same copy, which looks again. Rejects with the signal's reason.
   */
  async sweep(sink: Sink, scope: Scope, terms: SweepTerms = {}): Promise<XferError | undefined> {
    const runs = this.#mayHaveLeft ? [...this.#left, this.run] : this.#left;
    if (!sink.sweep) return undefined;
    const places = runs.length === 0 ? [] : [...this.#places.values()];
    const failures = await sweepPlaces(places, (path) => sink.sweep?.(path, runs, scope), scope, terms);
    throwIfAborted(scope.signal);
    const [first] = failures;
    if (first) {
      const isLikely = this.#wasCut || failures.some(({ error }) => error.retryable);
      return isLikely ? leftBehind(first, failures.length) : undefined;
    }
    this.#mayHaveLeft = false;
    this.#isSwept = true;
    for (const run of this.#left) await rm(this.#file(run), { force: true });
    return undefined;
  }

  /** Ends the record, unless drafts of this run may be left. */
  async close(): Promise<void> {
    if (!this.#mayHaveLeft) await rm(this.#file(this.run), { force: true });
  }

  #file(run: string): string {
    return join(this.#directory, `${this.#id}.${run}.run`);
  }
}

/** Sweeps each place, with further tries; what it failed with where something may be left. */
async function sweepPlaces(
  places: readonly string[],
  sweep: (path: string) => Promise<void> | undefined,
  { signal }: Scope,
  { retry: policy, onRetry }: SweepTerms,
): Promise<CopyFailure[]> {
  let done = 0;
  const failures: CopyFailure[] = [];
  const sweepOne = async (path: string): Promise<void> => {
    const directory = parentPath(path) || '.';
    const attempt = async () => {
      await sweep(path);
      done += 1;
    };
    try {
      await retry(attempt, {
        policy,
        signal,
        what: `remove unfinished files in ${directory}`,
        progress: () => done,
        onRetry: (count, delayMs, error) => onRetry?.(directory, count, delayMs, error),
      });
    } catch (thrown) {
      const error = toXferError(thrown, `remove unfinished files in ${directory}`);
      // In a directory that is not there nothing is left.
      if (error.code !== 'NOT_FOUND') failures.push({ path: directory, error });
    }
  };
  await Promise.all(places.map(sweepOne));
  return failures;
}

function leftBehind({ path, error }: CopyFailure, directories: number): XferError {
  const more = directories > 1 ? ` and ${directories - 1} more directories` : '';
  const hint = 'run the same command again: it removes them';
  return new XferError(error.code, `unfinished files (.*.xfer-part) in ${path}${more}: not removed: ${error.message}`, {
    hint,
    cause: error,
  });
}

/** A home directory may be shared by machines: of a run on another one nothing is known. */
function hasEnded(record: string): boolean {
  const [pid = '', host = ''] = record.split(' ', 2);
  return host === hostname() && !isAlive(Number(pid));
}
