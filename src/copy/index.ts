/** Copies sources to a sink. Knows no transport. */
import { setMaxListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { throwIfAborted, toXferError, type XferError } from '../errors.js';
import { parentPath } from '../names.js';
import { isOtherKind, NOT_A_FILE } from '../other-kind.js';
import type { Entry, Scope, Sink, Source } from '../transport.js';
import { checkOptions } from './check-options.js';
import type { CopyResult } from './events.js';
import { Headway } from './headway.js';
import { Limiter } from './limiter.js';
import { isNoted } from './noted-pairs.js';
import { type CopyOptions, DEFAULT_BLOCK_BYTES, MOST_BYTES_IN_FLIGHT } from './options.js';
import { parallelismOf } from './parallelism.js';
import { plan, type Step } from './plan.js';
import { Pool } from './pool.js';
import { Progress } from './progress.js';
import { RunRecord } from './run-record.js';
import { Tally } from './tally.js';
import { type TransferContext, type TransferResult, transferFile } from './transfer.js';
import { transferWhole } from './whole.js';

export type { CopyEvent, CopyFailure, CopyResult } from './events.js';
export { Limiter } from './limiter.js';
export type { CopyOptions } from './options.js';
export { DEFAULT_RETRY, type RetryPolicy } from './retry.js';

/**
 * Copies all sources into or onto the sink; neither is closed. Resolves, with `failures`, where some of several failed;
 * rejects with the error where the only thing failed or the target does not fit, with USAGE for an option that cannot be
 * followed, and with the signal's reason on abort.
 */
export async function copy(sources: readonly Source[], sink: Sink, options: CopyOptions = {}): Promise<CopyResult> {
  checkOptions(options);
  return new Copy(sources, sink, options).run();
}

/** Files that are small may all be at hand; what was begun is sent, and answers are read, between so many of them. */
const STEPS_OF_A_TURN = 64;

class Copy {
  readonly #sources: readonly Source[];
  readonly #sink: Sink;
  readonly #options: CopyOptions;
  /** Aborted by what a listener of events throws. */
  readonly #stop = new AbortController();
  readonly #scope: Scope;
  readonly #progress: Progress<Step>;
  readonly #headway = new Headway();
  readonly #files: Pool;
  readonly #large = new Pool(1);
  readonly #context: TransferContext;
  /** Directories being made, by path, so that what is in them waits. */
  readonly #making = new Map<string, Promise<void>>();
  readonly #made: Entry[] = [];
  readonly #tally = new Tally();
  #record: RunRecord | undefined;
  #seen = { files: 0, bytes: 0 };

  constructor(sources: readonly Source[], sink: Sink, options: CopyOptions) {
    this.#sources = sources;
    this.#sink = sink;
    this.#options = options;
    const stop = this.#stop.signal;
    this.#scope = { signal: AbortSignal.any(options.signal ? [options.signal, stop] : [stop]) };
    setMaxListeners(0, this.#scope.signal);
    this.#progress = new Progress(options.onEvent, this.#stop);
    const { limitBytesPerSecond: limit } = options;
    const { filesInFlight, lanes } = parallelismOf(sources, sink, options);
    // The walk is as many files ahead: a directory is asked for, and there, before what is in it has its turn.
    this.#files = new Pool(filesInFlight, MOST_BYTES_IN_FLIGHT, filesInFlight);
    this.#context = {
      options,
      sink,
      headway: this.#headway,
      scope: this.#scope,
      limiter: options.limiter ?? (limit === undefined ? undefined : new Limiter(limit)),
      blockBytes: options.blockBytes ?? DEFAULT_BLOCK_BYTES,
      lanes,
      run: () => this.#record?.run,
      isNoted: (step) => this.#record !== undefined && isNoted(step, sink, this.#record.journals),
      onStart: (step, held) => this.#progress.start(step, nameOf(step), step.entry.size, held),
      onHeld: (step, bytes) => this.#progress.add(step, bytes),
      onRestart: (step, reason) => this.#progress.emit({ type: 'restart', path: nameOf(step), reason }),
      onSuspend: (step, heldBytes) => this.#progress.emit({ type: 'suspend', path: nameOf(step), heldBytes }),
      onRetry: (step, attempt, delayMs, error) => {
        this.#record?.noteFailure(error);
        this.#progress.emit({ type: 'retry', path: nameOf(step), attempt, delayMs, error });
      },
    };
  }

  async run(): Promise<CopyResult> {
    try {
      return await this.#run();
    } catch (error) {
      this.#record?.noteFailure();
      throw error;
    } finally {
      await this.#record?.close();
    }
  }

  async #run(): Promise<CopyResult> {
    const { signal } = this.#scope;
    try {
      throwIfAborted(signal);
      await this.#openRecord();
      const onSkip = (path: string, error: Error) => {
        if (isOtherKind(error)) this.#skip(path, NOT_A_FILE);
        else this.#fail(path, error);
        this.#tally.checkHope();
      };
      const walk = { ...this.#scope, onSkip, onRetry: this.#onRetry };
      let taken = 0;
      for await (const step of plan(this.#sources, this.#sink, this.#options, walk)) {
        throwIfAborted(signal);
        this.#tally.checkHope();
        await this.#take(step);
        taken += 1;
        if (taken % STEPS_OF_A_TURN === 0) await nextTurn();
        if (!step.source.capabilities.parallel || !this.#sink.capabilities.parallel) await this.#files.drained();
      }
      this.#progress.emit({ type: 'plan', ...this.#seen, complete: true });
    } catch (error) {
      await this.#files.drained();
      throwIfAborted(signal);
      throw error;
    }
    await this.#files.drained();
    throwIfAborted(signal);
    await this.#sweep();
    await this.#finishDirectories();
    return this.#end();
  }

  async #openRecord(): Promise<void> {
    const { journalDirectory, dryRun } = this.#options;
    if (journalDirectory === undefined || dryRun || !this.#sink.sweep) return;
    this.#record = await RunRecord.open(journalDirectory, this.#sources, this.#sink);
  }

  /** Removes what was begun and not ended. What is left of it is told, and is no failure of a file. */
  async #sweep(): Promise<void> {
    const left = await this.#record?.sweep(this.#sink, this.#scope, {
      retry: this.#options.retry,
      onRetry: this.#onRetry,
    });
    if (left) this.#progress.emit({ type: 'leftover', path: this.#sink.label, error: left });
  }

  async #take(step: Step): Promise<void> {
    if (step.skip !== undefined || this.#options.dryRun) return this.#skip(nameOf(step), step.skip ?? 'dry run');
    if (step.entry.kind === 'directory') return this.#makeDirectory(step);
    if (step.entry.kind === 'file') {
      this.#seen = { files: this.#seen.files + 1, bytes: this.#seen.bytes + (step.entry.size ?? 0) };
      this.#progress.emit({ type: 'plan', ...this.#seen, complete: false });
    }
    await this.#files.start(() => this.#attempt(step, () => this.#copyOne(step)), step.entry.size ?? 0);
  }

  #skip(path: string, reason: string): void {
    this.#tally.skip(reason);
    this.#progress.emit({ type: 'skip', path, reason });
  }

  async #makeDirectory(step: Step): Promise<void> {
    const parent = this.#making.get(parentPath(step.path));
    const entry: Entry = { ...step.entry, path: step.path };
    const making = (async () => {
      await parent;
      const finished = await this.#createDirectory(step, entry);
      this.#tally.directory();
      this.#headway.add(1);
      if (finished) this.#made.push(finished);
    })();
    this.#making.set(step.path, making);
    making.catch(() => {});
    await this.#files.start(() => this.#attempt(step, () => making));
  }

  /**
   * Open to its owner, so that its files get in; what is to be set once they are in it. As cp and scp do, the mode of a new
   * one is the source's less the umask, and that of one that was there stays.
   */
  async #createDirectory(step: Step, entry: Entry): Promise<Entry | undefined> {
    const { mode } = entry;
    const open = mode === undefined ? entry : { ...entry, mode: mode | 0o700 };
    const look = () => this.#retried(step, () => this.#sink.stat(entry.path, this.#scope));
    const narrows = open.mode !== mode && !this.#options.preserve && this.#sink.finish !== undefined;
    const isNew = narrows && !(await look());
    await this.#retried(step, () => this.#sink.create(open, this.#scope));
    if (this.#options.preserve) return entry;
    const made = isNew ? (await look())?.mode : undefined;
    return made === undefined || mode === undefined
      ? undefined
      : { path: entry.path, kind: 'directory', mode: made & mode };
  }

  async #copyOne(step: Step): Promise<void> {
    await this.#making.get(parentPath(step.path));
    if (step.entry.kind === 'symlink') {
      await this.#retried(step, () => this.#sink.create({ ...step.entry, path: step.path }, this.#scope));
      this.#tally.symlink();
      return;
    }
    this.#record?.noteFile(step.path);
    if (step.unknownPart) this.#context.onRestart(step, 'nothing says of which version the part is that is there');
    const examined = await this.#examine(step);
    try {
      this.#finish(examined, await (transferWhole(examined, this.#context) ?? this.#transfer(examined)));
    } finally {
      this.#progress.end(examined);
    }
  }

  #finish(step: Step, result: TransferResult): void {
    this.#headway.add(1);
    this.#tally.file(nameOf(step), result);
    const digest = result.digest === undefined ? {} : { digest: result.digest };
    this.#progress.emit({ type: 'finish', path: nameOf(step), bytes: result.bytes, ...digest });
  }

  /** The step with all that its source can say of the file. */
  async #examine(step: Step): Promise<Step> {
    const { source, entry } = step;
    if (!source.examine) return step;
    const known = await this.#retried(step, async () => source.examine?.(entry, this.#scope));
    const more = (known?.size ?? 0) - (entry.size ?? 0);
    this.#seen = { ...this.#seen, bytes: this.#seen.bytes + more };
    return { ...step, entry: known ?? entry };
  }

  #transfer(step: Step): Promise<TransferResult> {
    const large = (step.entry.size ?? Number.POSITIVE_INFINITY) > this.#context.blockBytes;
    const transfer = () => transferFile(step, this.#context);
    return large ? this.#large.run(transfer) : transfer();
  }

  /** One thing's failure is noted, and the rest goes on. */
  async #attempt(step: Step, work: () => Promise<void>): Promise<void> {
    try {
      throwIfAborted(this.#scope.signal);
      await work();
    } catch (thrown) {
      if (this.#scope.signal.aborted) return;
      this.#fail(nameOf(step), thrown);
    } finally {
      this.#progress.end(step);
    }
  }

  /** What needs no draft and may be done twice. */
  #retried<T>(step: Pick<Step, 'entry' | 'path'>, work: () => Promise<T>): Promise<T> {
    const path = step.path || step.entry.path || this.#sink.label;
    return this.#headway.retry(work, {
      policy: this.#options.retry,
      signal: this.#scope.signal,
      what: `make ${path}`,
      onRetry: (...told) => this.#onRetry(path, ...told),
    });
  }

  readonly #onRetry = (path: string, attempt: number, delayMs: number, error: XferError): void =>
    this.#progress.emit({ type: 'retry', path, attempt, delayMs, error });

  #fail(path: string, thrown: unknown): void {
    const error = toXferError(thrown, `copy ${path}`);
    this.#record?.noteFailure(error);
    this.#tally.fail({ path, error });
    this.#progress.emit({ type: 'fail', path, error });
  }

  /** Deepest first: setting a directory's time comes after the last change in it. */
  async #finishDirectories(): Promise<void> {
    if (!this.#sink.finish) return;
    this.#made.sort((a, b) => depth(b.path) - depth(a.path));
    for (const entry of this.#made) {
      await this.#files.start(async () => {
        try {
          await this.#retried({ entry, path: entry.path }, async () => this.#sink.finish?.(entry, this.#scope));
        } catch (thrown) {
          this.#fail(entry.path, toXferError(thrown, `set mode and time of ${entry.path}`));
        }
      });
    }
    await this.#files.drained();
    throwIfAborted(this.#scope.signal);
  }

  #end(): CopyResult {
    const result = this.#tally.result();
    this.#progress.emit({ type: 'done', result });
    throwIfAborted(this.#stop.signal);
    return result;
  }
}

function nameOf(step: Step): string {
  return step.path || step.source.name || step.entry.path;
}

function depth(path: string): number {
  return path === '' ? 0 : path.split('/').length;
}
