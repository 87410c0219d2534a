/** A source's entries, gone on with after its line was lost. */
import type { Entry, Source, WalkScope } from '../transport.js';
import type { CopyOptions } from './options.js';
import { retry } from './retry.js';

/**
 * What `source.entries` gives, each path once: after an error that may pass, the source is walked again and what was given
 * already is left out. Rejects as `entries` does, or with the signal's reason.
 */
export async function* walk(source: Source, options: CopyOptions, scope: WalkScope): AsyncGenerator<Entry> {
  const walker = new Walker(source, options, scope);
  try {
    for (let entry = await walker.next(); entry; entry = await walker.next()) yield entry;
  } finally {
    await walker.close();
  }
}

class Walker {
  readonly #source: Source;
  readonly #options: CopyOptions;
  readonly #scope: WalkScope;
  readonly #given = new Set<string>();
  #entries: AsyncIterator<Entry>;

  constructor(source: Source, options: CopyOptions, scope: WalkScope) {
    const skipped = new Set<string>();
    const onSkip = (path: string, error: Error) => {
      if (!skipped.has(path)) scope.onSkip?.(path, error);
      skipped.add(path);
    };
    this.#source = source;
    this.#options = options;
    this.#scope = scope.onSkip ? { ...scope, onSkip } : scope;
    this.#entries = source.entries(this.#scope)[Symbol.asyncIterator]();
  }

  /** The next entry, or undefined at the end. */
  async next(): Promise<Entry | undefined> {
    try {
      return await this.#advance();
    } catch (error) {
      return this.#again(error);
    }
  }

  async close(): Promise<void> {
    await this.#entries.return?.();
  }

  async #advance(): Promise<Entry | undefined> {
    for (;;) {
      const { value: entry, done } = await this.#entries.next();
      if (done) return undefined;
      if (this.#given.has(entry.path)) continue;
      this.#given.add(entry.path);
      return entry;
    }
  }

  #again(first: unknown): Promise<Entry | undefined> {
    const { retry: policy, onEvent } = this.#options;
    const { label, name, capabilities } = this.#source;
    let walked = false;
    const attempt = (): Promise<Entry | undefined> => {
      if (!walked) {
        walked = true;
        return Promise.reject(first);
      }
      this.#entries = this.#source.entries(this.#scope)[Symbol.asyncIterator]();
      return this.#advance();
    };
    return retry(attempt, {
      policy,
      signal: this.#scope.signal,
      what: `list ${label}`,
      progress: () => this.#given.size,
      mayRetry: () => capabilities.replay,
      onRetry: (count, delayMs, error) => onEvent?.({ type: 'retry', path: name, attempt: count, delayMs, error }),
    });
  }
}
