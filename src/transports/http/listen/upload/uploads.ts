/** All files on their way in to one listener. */
import { toXferError, XferError } from '../../../../errors.js';
import { randomSecret } from '../../../../listening/accounts.js';
import { parentPath } from '../../../../names.js';
import type { Scope, Sink } from '../../../../transport.js';
import type { SharedSource } from '../sharing.js';
import type { UploadOptions } from './options.js';
import { NO_RECORDS, RecordFiles, type UploadRecord, type UploadRecords, type UploadTerms } from './records.js';
import { refusals } from './refusal.js';
import { type Claim, Room } from './room.js';
import { draftPathOf, type ReceivingSink, Upload, type UploadGround } from './upload.js';
import { UploadCount } from './upload-count.js';

const KEEP_PARTS_MS = 24 * 3_600_000;
const MOST_AT_ONCE = 64;

/** Uploads that can go on, done ones that are still asked after among them. */
const MOST_KEPT = 1000;

const SWEEP_EVERY_MS = 10 * 60_000;

/** `UNSUPPORTED` where others cannot be let write there. */
function receivingSink(sink: Sink): ReceivingSink {
  const { exclusive, atomic, resume } = sink.capabilities;
  if (exclusive && atomic && resume && sink.change && sink.rename && sink.remove) return sink as ReceivingSink;
  throw new XferError('UNSUPPORTED', `serve ${sink.label}: nothing can be uploaded there`, {
    hint: 'receive into a local directory, as in: xfer serve --upload inbox',
  });
}

export class Uploads {
  readonly options: UploadOptions;
  readonly sink: ReceivingSink;
  readonly keepPartsMs: number;
  /** How long a body may bring next to nothing. */
  readonly idleMs: number;
  readonly room: Room;
  readonly count: UploadCount;
  #ground: UploadGround;
  #records: UploadRecords;
  readonly #kept = new Map<string, Upload>();
  /** Those whose bytes are coming, by the name that they will have. */
  readonly #coming = new Map<string, { readonly upload: Upload }>();
  #timer: NodeJS.Timeout | undefined;

  /** USAGE for options that are not right, UNSUPPORTED for a sink that cannot be written to by others. */
  constructor(share: SharedSource, sink: Sink, options: UploadOptions, idleMs: number, scope: Scope) {
    this.idleMs = idleMs;
    this.options = options;
    this.sink = receivingSink(sink);
    this.keepPartsMs = options.keepPartsMs ?? KEEP_PARTS_MS;
    this.room = new Room(share, scope, options.quotaBytes);
    this.#records = options.recordsDirectory === undefined ? NO_RECORDS : new RecordFiles(options.recordsDirectory);
    this.count = new UploadCount(options.mostFiles);
    const { mostFileBytes } = options;
    const { room, count } = this;
    this.#ground = { sink: this.sink, scope, room, count, records: this.#records, mostFileBytes };
  }

  /**
   * Takes up what earlier processes left: what can go on, and what has to go. Where nothing can be noted for later ones,
   * `onNotice` is told, and no upload outlives this process.
   */
  async begin(onNotice?: (line: string) => void): Promise<void> {
    try {
      await this.#records.begin();
    } catch (error) {
      onNotice?.(`no upload can go on after the end of this run: ${toXferError(error, 'note uploads').message}`);
      this.#records = NO_RECORDS;
      this.#ground = { ...this.#ground, records: NO_RECORDS };
    }
    for (const { run, paths } of await this.#records.leftRuns()) await this.#sweepRun(run, paths);
    for (const record of await this.#records.load()) await this.#takeUp(record);
    await this.sweep();
    const everyMs = Math.max(10, Math.min(SWEEP_EVERY_MS, this.keepPartsMs / 4));
    this.#timer = setInterval(() => void this.sweep(), everyMs).unref();
  }

  async #sweepRun(run: string, paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      // A folder may be gone.
      await this.sink.sweep?.(path, [run], this.#ground.scope).catch(() => undefined);
    }
    await this.#records.forgetRun(run);
  }

  async #takeUp(record: UploadRecord): Promise<void> {
    const { id, ending, lastMs, ...terms } = record;
    const name = draftPathOf(terms.path, id);
    const draft = await this.sink.stat(name, this.#ground.scope).catch(() => undefined);
    const left = record.size === undefined ? undefined : record.size - (draft?.size ?? 0);
    const upload = this.#make(id, terms, true, this.room.claimAtAnyRate(ending ? 0 : left));
    upload.offset = draft?.size ?? 0;
    upload.lastMs = Math.max(lastMs, draft?.mtimeMs ?? 0);
    if (ending && !draft) {
      upload.done = true;
      upload.offset = record.size ?? 0;
    }
  }

  #make(id: string, terms: UploadTerms, kept: boolean, claim: Claim): Upload {
    const upload = new Upload(this.#ground, id, terms, { kept, claim, onEnd: (ended) => this.#ended(ended) });
    if (kept) this.#kept.set(id, upload);
    return upload;
  }

  #ended(upload: Upload): void {
    // One that is done is asked after by a client whose line was lost with the answer.
    if (upload.done) return;
    this.#kept.delete(upload.id);
    if (upload.kept) void this.#records.remove(upload.id).catch(() => undefined);
  }

  /**
   * An upload whose bytes may come. `kept`: it can go on in another request, also after the end of this process. A Refusal
   * where something speaks against it.
   */
  async create(terms: UploadTerms, kept: boolean): Promise<Upload> {
    const { mostFileBytes } = this.options;
    const { path, size } = terms;
    if (this.count.usedUp.aborted) throw refusals.usedUp();
    if (mostFileBytes !== undefined && size !== undefined && size > mostFileBytes) {
      throw refusals.tooLarge(mostFileBytes);
    }
    if (this.#coming.has(path)) throw refusals.busy();
    await this.#checkName(terms);
    if (kept && this.#openCount() >= MOST_KEPT) throw refusals.tooMany();
    const claim = await this.room.claim(size);
    const upload = this.#make(randomSecret(), terms, kept, claim);
    try {
      if (kept) await this.#records.save(upload.record());
      else await this.#records.noteFolder(path);
    } catch (error) {
      await upload.discard();
      throw error;
    }
    return upload;
  }

  async #checkName({ path, replace }: UploadTerms): Promise<void> {
    const { scope } = this.#ground;
    const there = await this.sink.stat(path, scope);
    if (there && there.kind !== 'file') throw refusals.folder();
    if (there && !replace) throw refusals.exists();
    if (there) return;
    if ((await this.sink.stat(parentPath(path), scope))?.kind !== 'directory') throw refusals.noFolder();
  }

  #openCount(): number {
    let count = 0;
    for (const { done } of this.#kept.values()) if (!done) count += 1;
    if (this.#kept.size >= 2 * MOST_KEPT) this.#forgetOldestDone();
    return count;
  }

  #forgetOldestDone(): void {
    for (const [id, { done }] of this.#kept) {
      if (!done) continue;
      this.#kept.delete(id);
      void this.#records.remove(id).catch(() => undefined);
      return;
    }
  }

  /** Calls `act` while the upload's bytes come; a Refusal where as many come as may at once, or some for the same name. */
  async coming<Result>(upload: Upload, act: () => Promise<Result>): Promise<Result> {
    const { path } = upload.terms;
    const other = this.#coming.get(path);
    // The request before this one, which was ended for it, may not have left yet.
    const busy = other !== undefined && other.upload !== upload;
    const refused = busy ? refusals.busy() : this.#isFull() ? refusals.tooMany() : undefined;
    if (refused) {
      if (!upload.kept) await upload.discard();
      throw refused;
    }
    const one = { upload };
    this.#coming.set(path, one);
    try {
      return await act();
    } finally {
      if (this.#coming.get(path) === one) this.#coming.delete(path);
    }
  }

  #isFull(): boolean {
    return this.#coming.size >= (this.options.mostAtOnce ?? MOST_AT_ONCE);
  }

  /** One that can go on, or is done; of whoever began it where somebody is logged in. */
  find(id: string, user: string | undefined): Upload | undefined {
    const upload = this.#kept.get(id);
    const owner = upload?.terms.user;
    return owner !== undefined && user !== undefined && owner !== user ? undefined : upload;
  }

  /** Removes what was given up. */
  async sweep(nowMs = Date.now()): Promise<void> {
    for (const upload of [...this.#kept.values()]) {
      if (upload.busy || nowMs - upload.lastMs < this.keepPartsMs) continue;
      try {
        if (!upload.done) await upload.discard();
        this.#kept.delete(upload.id);
        await this.#records.remove(upload.id);
      } catch {
        // It is tried again the next time, and its record is kept until then.
      }
    }
  }

  /** After the listener has ended: nothing is left that could not go on. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.allSettled([...this.#coming.values()].map(({ upload }) => upload.stop()));
    if (!this.#records.lasting) {
      await Promise.allSettled([...this.#kept.values()].map((upload) => upload.discard()));
    }
    await this.#records.close();
  }
}
