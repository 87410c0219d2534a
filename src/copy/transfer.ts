/** One file: a draft, what is held of it, the missing ranges in lanes, proof, and its name. */
import type { Readable } from 'node:stream';
import { pairUp } from '../concurrency/at-once.js';
import { toXferError, XferError } from '../errors.js';
import type { ByteRange, Draft, Entry, Scope, Sink, StatedDigest } from '../transport.js';
import { beforeGoodbye } from './goodbye.js';
import type { Headway } from './headway.js';
import { idOf } from './id-of.js';
import { Journal } from './journal.js';
import { isWorthKeeping, tellingKept, whyNotKept } from './kept-part.js';
import { sendInLanes } from './lanes.js';
import type { Limiter } from './limiter.js';
import { pairOf } from './noted-pairs.js';
import type { CopyOptions } from './options.js';
import { type PassingHashes, passingHashes } from './passing-hashes.js';
import type { Step } from './plan.js';
import { digestsOf, prove, statedDigests } from './proof.js';
import { pump } from './pump.js';
import { blocks, holes, intersect, normalize, type Span, totalBytes } from './ranges.js';
import { verifyDigest } from './verify.js';

export interface TransferContext {
  readonly options: CopyOptions;
  readonly scope: Scope;
  readonly limiter: Limiter | undefined;
  readonly blockBytes: number;
  readonly lanes: number;
  readonly sink: Sink;
  readonly headway: Headway;
  /** For the names of drafts, where this run of the copy is written down. */
  readonly run: () => string | undefined;
  /** An earlier run may have left a part of it. */
  readonly isNoted: (step: Step) => boolean;
  readonly onHeld: (step: Step, bytes: number) => void;
  readonly onStart: (step: Step, heldBytes: number) => void;
  readonly onRestart: (step: Step, reason: string) => void;
  readonly onSuspend: (step: Step, heldBytes: number) => void;
  readonly onRetry: (step: Step, attempt: number, delayMs: number, error: XferError) => void;
}

export interface TransferResult {
  readonly bytes: number;
  readonly resumedBytes: number;
  readonly digest?: string;
  readonly readBack?: boolean;
  readonly statedBy?: string;
  readonly verified: 'sha512' | 'sha256' | 'size' | 'none';
}

/** What goes with one span. */
interface SpanWork {
  readonly hashes?: PassingHashes | undefined;
  readonly opened?: Promise<Readable> | undefined;
  readonly onRest?: (bytes: number) => void;
}

type Proof = Pick<TransferResult, 'verified' | 'digest' | 'readBack' | 'statedBy'>;

/** Copies one file, whole or not at all under its final name. Rejects with an XferError or the signal's reason. */
export async function transferFile(step: Step, context: TransferContext): Promise<TransferResult> {
  const transfer = new Transfer(step, context);
  await transfer.openJournal();
  try {
    const result = await context.headway.retry(() => transfer.attempt(), {
      policy: context.options.retry,
      signal: context.scope.signal,
      what: `copy ${step.entry.path || step.source.name}`,
      progress: () => transfer.progressBytes,
      mayRetry: () => step.source.capabilities.replay && !transfer.spent,
      onRetry: (attempt, delayMs, error) => context.onRetry(step, attempt, delayMs, error),
    });
    await transfer.journal?.remove();
    return result;
  } catch (error) {
    await transfer.suspend();
    throw error;
  }
}

class Transfer {
  readonly #step: Step;
  readonly #context: TransferContext;
  readonly #entry: Entry;
  readonly #label: string;
  journal: Journal | undefined;
  /** Acknowledged in this run or, by the journal, in an earlier one. */
  #held: Span[] = [];
  #resumedBytes = 0;
  #started = false;
  #writing = false;
  /** The source gave the whole for a part of this file: it is read from the start, in one piece. */
  #wholeOnly = false;
  /** Most bytes that were held at once: what is sent again after a fresh start is no progress. */
  progressBytes = 0;
  #heldBytes = 0;

  constructor(step: Step, context: TransferContext) {
    this.#step = step;
    this.#context = context;
    this.#entry = step.entry;
    this.#label = step.entry.path || step.source.name;
  }

  /** The sink took the one stream that it takes. */
  get spent(): boolean {
    return this.#writing && this.#context.sink.capabilities.once === true;
  }

  /** A draft is kept on failure only where a later try can find out what of it is good. */
  get resumable(): boolean {
    const { source, entry } = this.#step;
    const { ranges, replay } = source.capabilities;
    return ranges && replay && this.#context.sink.capabilities.resume && entry.version !== undefined && this.#isLarge;
  }

  /** Notes what is kept for the next copy, where that is anything. */
  async suspend(): Promise<void> {
    const { journal } = this;
    if (!journal || !this.resumable) return journal?.remove();
    await journal.suspend();
    if (this.#held.length > 0) this.#context.onSuspend(this.#step, totalBytes(this.#held));
  }

  get #isLarge(): boolean {
    return this.#entry.size !== undefined && this.#entry.size > this.#context.blockBytes;
  }

  /** A blind sink writes in place, and perhaps the very file that is read: that this changed it means nothing. */
  get #readEntry(): Entry {
    const { version: _, ...unversioned } = this.#entry;
    return this.#context.sink.capabilities.blind ? unversioned : this.#entry;
  }

  async openJournal(): Promise<void> {
    const { options, sink, scope } = this.#context;
    const { entry, path } = this.#step;
    const isNeeded = this.resumable || this.#context.isNoted(this.#step);
    if (options.journalDirectory === undefined || !isNeeded) return;
    const key = { ...pairOf(this.#step, sink), version: entry.version as string, size: entry.size as number };
    this.journal = await Journal.open(options.journalDirectory, key).catch((error: Error) => {
      this.#context.onRestart(this.#step, `${error.message}; remove what is there`);
      return undefined;
    });
    this.#held = [...(this.journal?.held ?? [])];
    const stale = this.journal?.stale;
    if (stale === undefined) return;
    this.#context.onRestart(this.#step, 'it changed since a part of it came');
    const left = { ...entry, path, size: stale.size, version: this.#draftVersion(stale.version) };
    await (await sink.draft(left, scope)).discard();
    if (this.resumable) return;
    await this.journal?.remove();
    this.journal = undefined;
  }

  /** One try: goes on from what is held. */
  async attempt(): Promise<TransferResult> {
    try {
      return await this.#try();
    } catch (error) {
      const ignored = error instanceof XferError && error.code === 'RANGE_IGNORED';
      if (!ignored || this.#wholeOnly || this.spent || !this.#step.source.capabilities.replay) throw error;
      this.#wholeOnly = true;
      this.#context.onRestart(this.#step, 'the other end gives no parts of it');
      return this.#try();
    }
  }

  async #try(): Promise<TransferResult> {
    const { sink, scope, options, onRestart } = this.#context;
    if (this.progressBytes > 0 && this.#isLarge && !this.resumable) onRestart(this.#step, whyNotKept(this.#step));
    const keep = this.resumable && (this.journal !== undefined || options.journalDirectory === undefined);
    const draft = await sink.draft(this.#draftEntry(keep), scope);
    try {
      return await this.#fill(draft);
    } catch (thrown) {
      const error = toXferError(thrown, `copy ${this.#label}`);
      const worthKeeping = keep && isWorthKeeping(error);
      if (!worthKeeping) this.#held = [];
      await beforeGoodbye(worthKeeping ? draft.suspend() : draft.discard(), scope).catch(() => {});
      throw worthKeeping ? tellingKept(error, draft) : thrown;
    }
  }

  #draftEntry(keep: boolean): Entry {
    const { version, mtimeMs, ...rest } = this.#entry;
    const run = this.#context.run();
    return {
      ...rest,
      path: this.#step.path,
      ...(run === undefined ? {} : { run }),
      ...(keep && version !== undefined ? { version: this.#draftVersion(version) } : {}),
      ...(this.#context.options.preserve && mtimeMs !== undefined ? { mtimeMs } : {}),
    };
  }

  /** Files of other sources may have the same version, over SFTP each of one size and second: no two share a draft. */
  #draftVersion(version: string): string {
    return idOf(this.#step.source.identity, this.#entry.path, version);
  }

  async #fill(draft: Draft): Promise<TransferResult> {
    const { options, scope } = this.#context;
    const { size } = this.#entry;
    if (draft.there && size !== undefined) return this.#compare(draft, size);
    const held = size === undefined ? [] : intersect(this.#held, normalize(draft.held, size));
    this.#held = held;
    await this.journal?.restart(held);
    const heldBytes = totalBytes(held);
    this.#heldBytes = heldBytes;
    if (!this.#started) this.#resumedBytes = heldBytes;
    this.#started = true;
    this.#context.onStart(this.#step, heldBytes);
    const stated = await statedDigests(this.#step.source, this.#entry, options, scope);
    const inOrder = heldBytes === 0 && !this.#inLanes(draft, held);
    const wanted = new Set(stated.map(({ algorithm }) => algorithm));
    if (options.verify === 'sha256') wanted.add('sha256');
    const hashes = inOrder && wanted.size > 0 ? passingHashes([...wanted], size) : undefined;
    try {
      const sent = await this.#send(draft, held, hashes);
      const proof = await this.#prove(draft, stated, hashes);
      await draft.commit(this.#finalEntry(heldBytes + sent), scope);
      return { bytes: heldBytes + sent, resumedBytes: this.#resumedBytes, ...proof };
    } finally {
      hashes?.close();
    }
  }

  async #prove(draft: Draft, stated: readonly StatedDigest[], hashes: PassingHashes | undefined): Promise<Proof> {
    const { options, scope } = this.#context;
    const digestOf = digestsOf(hashes, draft, this.#label, scope);
    const proven = await prove(stated, digestOf, this.#label, scope);
    if (proven) {
      const { algorithm, hex, statedBy } = proven;
      return { verified: algorithm, statedBy, ...(algorithm === 'sha256' ? { digest: hex } : {}) };
    }
    if (options.verify !== 'sha256') return { verified: this.#entry.size === undefined ? 'none' : 'size' };
    const { source } = this.#step;
    const passed = hashes && (await digestOf('sha256'));
    const { hex, readBack } = await verifyDigest(
      { draft, source, entry: this.#entry, passed, label: this.#label },
      scope,
    );
    return { verified: 'sha256', digest: hex, readBack };
  }

  /** What is there is the file, or stays in its way. */
  async #compare(draft: Draft, size: number): Promise<TransferResult> {
    const { scope } = this.#context;
    this.#context.onStart(this.#step, size);
    const proof = { draft, source: this.#step.source, entry: this.#entry, passed: undefined, label: this.#label };
    const digest = await verifyDigest(proof, scope).catch((error: unknown) => {
      if (!(error instanceof XferError && error.code === 'CORRUPT')) throw error;
      throw new XferError('EXISTS', `write ${this.#step.path || this.#label}: another file has that name`, {
        cause: error,
      });
    });
    await draft.commit(this.#finalEntry(size), scope);
    const { hex, readBack } = digest;
    return { bytes: size, resumedBytes: size, verified: 'sha256', digest: hex, readBack };
  }

  #finalEntry(size: number): Entry {
    const { mode, mtimeMs, ...rest } = this.#entry;
    const exact = this.#context.options.preserve === true;
    return {
      ...rest,
      path: this.#step.path,
      size,
      ...(exact && mode !== undefined ? { mode } : {}),
      ...(exact && mtimeMs !== undefined ? { mtimeMs } : {}),
    };
  }

  #inLanes(draft: Draft, held: readonly Span[]): boolean {
    const { source } = this.#step;
    const { sink, lanes, blockBytes } = this.#context;
    if (draft.inOrder || this.#wholeOnly) return false;
    const both = source.capabilities.parallel && source.capabilities.ranges && sink.capabilities.parallel;
    const missing = (this.#entry.size ?? 0) - totalBytes(held);
    return both && sink.capabilities.offsets && lanes > 1 && missing > blockBytes;
  }

  async #send(draft: Draft, held: readonly Span[], hashes: PassingHashes | undefined): Promise<number> {
    const { size } = this.#entry;
    const { scope } = this.#context;
    if (size === undefined) return this.#sendSpan(draft, { start: 0 }, scope, { hashes });
    const missing = holes(held, size);
    if (!this.#inLanes(draft, held)) {
      for (const span of missing.length > 0 || held.length > 0 ? missing : [{ start: 0, end: 0 }]) {
        await this.#sendSpan(draft, span, scope, { hashes });
      }
    } else await this.#sendInLanes(draft, missing);
    return totalBytes(missing);
  }

  async #sendInLanes(draft: Draft, missing: readonly Span[]): Promise<void> {
    const { blockBytes, lanes, scope } = this.#context;
    const { source } = this.#step;
    const { blockBytes: costly, opensAhead } = source.parallelism ?? {};
    const queue = costly ? blocks(missing, Math.max(blockBytes, costly)) : blocks(missing, blockBytes, lanes);
    await sendInLanes(queue, lanes, scope, {
      ...(opensAhead ? { open: (block, laneScope) => source.read(this.#readEntry, block, laneScope) } : {}),
      send: (block, laneScope, opened, onRest) => this.#sendSpan(draft, block, laneScope, { opened, onRest }),
    });
  }

  async #sendSpan(draft: Draft, span: ByteRange, scope: Scope, { hashes, opened, onRest }: SpanWork): Promise<number> {
    const { start, end } = span;
    const { sink, limiter } = this.#context;
    const recorder = this.journal?.recorder(start);
    let at = start;
    try {
      const from = await (opened ?? this.#step.source.read(this.#readEntry, span, scope));
      // It may fail before the other end is ready, which the pump finds.
      from.on('error', () => {});
      this.#writing = true;
      const to = await draft.write(start, scope).catch((error: unknown) => {
        from.destroy();
        throw error;
      });
      pairUp(from, to);
      if (end !== undefined) onRest?.(end - start);
      return await pump(from, to, {
        label: this.#label,
        signal: scope.signal,
        limiter,
        hashes,
        acknowledged: sink.capabilities.resume,
        onHeld: (bytes) => {
          at += bytes;
          if (end !== undefined) onRest?.(end - at);
          this.#heldBytes += bytes;
          const more = Math.max(0, this.#heldBytes - this.progressBytes);
          this.progressBytes += more;
          this.#context.headway.add(more);
          recorder?.add(bytes);
          this.#context.onHeld(this.#step, bytes);
        },
        ...(end === undefined ? {} : { expectedBytes: end - start }),
      });
    } finally {
      recorder?.flush();
      this.#held = normalize([...this.#held, { start, end: at }], this.#entry.size ?? at);
    }
  }
}
