/** One file on its way in, in one request or in several. */
import type { Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { pump } from '../../../../copy/pump.js';
import { draftName } from '../../../../draft-name.js';
import { XferError } from '../../../../errors.js';
import { joinPath, lastPart, parentPath } from '../../../../names.js';
import type { Draft, Entry, Scope, Sink } from '../../../../transport.js';
import type { ExpectedDigest } from './expected-digest.js';
import type { UploadRecord, UploadRecords, UploadTerms } from './records.js';
import { refusals } from './refusal.js';
import type { Claim, Room } from './room.js';
import type { UploadCount } from './upload-count.js';

/** A sink into which others can be let. */
export type ReceivingSink = Sink & Required<Pick<Sink, 'change' | 'rename' | 'remove'>>;

/** What all uploads of a listener have in common. */
export interface UploadGround {
  readonly sink: ReceivingSink;
  /** Aborted when the listener ends. */
  readonly scope: Scope;
  readonly room: Room;
  readonly records: UploadRecords;
  readonly count: UploadCount;
  readonly mostFileBytes: number | undefined;
}

/** Of the bytes of one request. */
export interface PartCheck {
  /** Given what comes. */
  readonly hash: Hash;
  /** Called once all has come, before anything is done with it; what it throws makes these bytes undone. */
  readonly check: () => void;
}

/** What is to happen to the bytes of one request. */
export interface Receiving {
  /** Their end is the end of the file. */
  readonly last: boolean;
  /** More will be said of it, even where all bytes of a known length are there. */
  readonly open?: boolean;
  /** Has had all of the file when all has come, by the algorithm of the digest that is expected. */
  readonly wholeHash?: Hash | undefined;
  readonly part?: PartCheck | undefined;
  /** Digests of the file that came after the bytes. */
  readonly lateDigests?: (() => readonly ExpectedDigest[]) | undefined;
  /** Called before the file has its name; what it throws ends it. */
  readonly beforeName?: (() => Promise<void>) | undefined;
}

/** Where the bytes of an upload that can go on are until it has its name. */
export function draftPathOf(path: string, id: string): string {
  return joinPath(parentPath(path), draftName(lastPart(path), { path, kind: 'file', version: id }));
}

/** What outlives the listener: its removals go on. */
const AT_ANY_RATE: Scope = { signal: new AbortController().signal };

export class Upload {
  readonly id: string;
  readonly terms: UploadTerms;
  /** It can go on in another request. */
  readonly kept: boolean;
  size: number | undefined;
  /** Bytes that are in the file system. */
  offset = 0;
  /** It has its name. */
  done = false;
  lastMs = Date.now();
  readonly #ground: UploadGround;
  readonly #claim: Claim;
  readonly #onEnd: (upload: Upload) => void;
  #running: { readonly abort: AbortController; readonly ended: Promise<unknown> } | undefined;
  #over = false;

  /** `onEnd`: told once, when it is done or discarded. */
  constructor(
    ground: UploadGround,
    id: string,
    terms: UploadTerms,
    { kept, claim, onEnd }: { kept: boolean; claim: Claim; onEnd: (upload: Upload) => void },
  ) {
    this.#ground = ground;
    this.id = id;
    this.terms = terms;
    this.kept = kept;
    this.size = terms.size;
    this.#claim = claim;
    this.#onEnd = onEnd;
  }

  get busy(): boolean {
    return this.#running !== undefined;
  }

  get over(): boolean {
    return this.#over;
  }

  get draftPath(): string {
    return draftPathOf(this.terms.path, this.id);
  }

  get #entry(): Entry {
    const { path } = this.terms;
    const { run } = this.#ground.records;
    return { path, kind: 'file', ...(run === undefined ? {} : { run }), ...(this.kept ? { version: this.id } : {}) };
  }

  /** Ends the request that still sends to it: the line of a client that asks again was lost. */
  async stop(): Promise<void> {
    this.#running?.abort.abort(new XferError('DISCONNECTED', 'upload: another request goes on with it'));
    await this.#running?.ended;
  }

  /**
   * Takes the bytes of a request from `offset` on. Resolves when they are there, and where that was all, when the file has
   * its name. A Refusal, DISCONNECTED where the client has gone; what is not kept is discarded then.
   */
  async receive(body: Readable, receiving: Receiving): Promise<void> {
    // Two requests that both found nobody sending.
    if (this.#running) {
      body.destroy();
      throw refusals.busy();
    }
    const abort = new AbortController();
    const started = this.#receive(body, receiving, abort);
    const running = { abort, ended: started.catch(() => undefined) };
    this.#running = running;
    try {
      await started;
    } finally {
      this.#running = undefined;
      this.lastMs = Date.now();
    }
  }

  async #receive(body: Readable, receiving: Receiving, abort: AbortController): Promise<void> {
    const { sink, scope } = this.#ground;
    const draft = await sink.draft(this.#entry, scope).catch((error: unknown) => {
      body.destroy();
      if (!this.kept) this.#end();
      throw error;
    });
    const start = draft.held[0]?.end ?? 0;
    this.offset = start;
    try {
      await this.#move(body, draft, receiving, abort);
      await this.#checkPart(receiving, start);
      const all = this.offset === this.size || (receiving.last && this.size === undefined);
      const whole = all && receiving.open !== true;
      if (receiving.last && !whole) throw refusals.tooFew();
      if (!whole) return await draft.suspend();
    } catch (error) {
      await this.#stopped(draft);
      throw error;
    }
    await this.#giveName(draft, receiving);
  }

  async #move(body: Readable, draft: Draft, { wholeHash, part }: Receiving, abort: AbortController): Promise<void> {
    const { scope, count, mostFileBytes = Number.POSITIVE_INFINITY } = this.#ground;
    const out = await draft.write(this.offset, scope);
    await pump(body, out, {
      label: 'upload',
      signal: AbortSignal.any([abort.signal, scope.signal, count.usedUp]),
      hashes: (wholeHash || part) && {
        update: (chunk) => {
          wholeHash?.update(chunk);
          part?.hash.update(chunk);
        },
      },
      acknowledged: true,
      onHeld: (bytes) => {
        this.offset += bytes;
        try {
          this.#claim.came(bytes);
          if (this.offset > (this.size ?? Number.POSITIVE_INFINITY)) throw refusals.tooMuch();
          if (this.offset > mostFileBytes) throw refusals.tooLarge(mostFileBytes);
        } catch (refusal) {
          abort.abort(refusal);
        }
      },
    });
    // What was found with the last bytes came too late to end the pump.
    if (abort.signal.aborted) throw abort.signal.reason;
  }

  /** The bytes of one request that are not those that were meant are taken back. */
  async #checkPart({ part }: Receiving, start: number): Promise<void> {
    try {
      part?.check();
    } catch (refusal) {
      if (this.kept) await this.#ground.sink.change(this.draftPath, { size: start }, false, AT_ANY_RATE);
      this.#ground.room.freed(this.offset - start);
      this.offset = start;
      throw refusal;
    }
  }

  /** After a failure: what can go on is kept. */
  async #stopped(draft: Draft): Promise<void> {
    if (this.kept) return draft.suspend();
    await draft.discard();
    this.#ground.room.freed(this.offset);
    this.#end();
  }

  async #giveName(draft: Draft, receiving: Receiving): Promise<void> {
    const { room, count } = this.#ground;
    try {
      await this.#checkDigests(draft, receiving);
      await receiving.beforeName?.();
      this.size = this.offset;
      await count.name(() => this.#commit(draft));
    } catch (error) {
      await draft.discard();
      room.freed(this.offset);
      throw error;
    } finally {
      this.#end();
    }
  }

  async #commit(draft: Draft): Promise<void> {
    const { sink, scope, records, room } = this.#ground;
    const { path, mtimeMs, replace } = this.terms;
    if (this.kept) await records.save(this.record(true));
    const before = replace ? await sink.stat(path, scope) : undefined;
    const entry = { ...this.#entry, size: this.offset, ...(mtimeMs === undefined ? {} : { mtimeMs }) };
    await draft.commit(entry, scope, replace);
    if (before) room.freed(before.size);
    this.done = true;
  }

  async #checkDigests(draft: Draft, { wholeHash, lateDigests }: Receiving): Promise<void> {
    const { digest } = this.terms;
    if (digest) await this.#checkDigest(draft, digest, wholeHash?.digest('hex'));
    for (const late of lateDigests?.() ?? []) await this.#checkDigest(draft, late);
  }

  async #checkDigest(draft: Draft, { algorithm, hex }: ExpectedDigest, known?: string): Promise<void> {
    const found = known ?? (await draft.digest?.(algorithm, this.#ground.scope))?.hex;
    if (found !== hex) throw refusals.digest();
  }

  /** Stops, and removes what came of it. What is done already stays. */
  async discard(): Promise<void> {
    await this.stop();
    if (this.#over) return;
    if (!this.kept) return this.#end();
    try {
      await this.#ground.sink.remove(this.draftPath, 'file', AT_ANY_RATE);
      this.#ground.room.freed(this.offset);
    } catch (error) {
      if (!(error instanceof XferError && error.code === 'NOT_FOUND')) throw error;
    } finally {
      this.#end();
    }
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#claim.end();
    this.#onEnd(this);
  }

  record(ending = this.done): UploadRecord {
    const { id, size, lastMs } = this;
    return { ...this.terms, id, size, ending, lastMs };
  }

  /** Its length became known. A Refusal where it cannot be right. */
  async setSize(size: number): Promise<void> {
    const { mostFileBytes } = this.#ground;
    if (this.size !== undefined && this.size !== size) throw refusals.malformed('Upload-Length');
    if (size < this.offset) throw refusals.tooMuch();
    if (mostFileBytes !== undefined && size > mostFileBytes) throw refusals.tooLarge(mostFileBytes);
    if (this.size === size) return;
    this.size = size;
    if (this.kept) await this.#ground.records.save(this.record());
  }
}
