/** The directories that a sender makes: those that were there before it keep their modes. */
import { XferError } from '../../../../errors.js';
import type { Entry, Scope, Sink } from '../../../../transport.js';
import type { ReceivePolicy } from './policy.js';

/** Of whose names it is known that they were made here; the modes of more are left as they were made. */
const MOST_KNOWN = 100_000;

export class MadeDirectories {
  readonly #sink: Sink;
  readonly #policy: ReceivePolicy;
  readonly #made = new Set<string>();

  constructor(sink: Sink, policy: ReceivePolicy) {
    this.#sink = sink;
    this.#policy = policy;
  }

  /** Rejects as the sink does. */
  async create(entry: Entry, scope: Scope): Promise<void> {
    const isNew = !this.#policy.overwrite && !(await this.#sink.stat(entry.path, scope));
    await this.#sink.create(entry, scope);
    if (isNew && this.#made.size < MOST_KNOWN) this.#made.add(entry.path);
  }

  /** Sets time and mode. Of one that was there only the time, unless things are replaced; of the target itself neither. */
  async finish(entry: Entry, scope: Scope): Promise<void> {
    const { path, mode: _, ...rest } = entry;
    if (entry.kind !== 'directory') throw new XferError('PROTOCOL', `finish ${path}: it is no directory`);
    if (path === '') return;
    const may = this.#policy.overwrite || this.#made.delete(path);
    await this.#sink.finish?.(may ? entry : { path, ...rest }, scope);
  }
}
