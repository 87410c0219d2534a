/** The files that one sender has under way. */
import { basename } from 'node:path';
import { XferError } from '../../../../errors.js';
import type { Digest, Draft, Entry, Scope, Sink } from '../../../../transport.js';
import type { Incoming } from './incoming.js';
import { checkName, type ReceivePolicy, safeEntry } from './policy.js';
import { checkPut, type PutBody } from './put-body.js';
import { ThereDraft } from './there-draft.js';

/** A sender has no need of more at once; each holds a descriptor. */
const MOST_DRAFTS = 600;

/** One file under way. */
export class IncomingFile {
  readonly entry: Entry;
  /** The target is there already, as long as what is sent, and stays. */
  readonly there: boolean;
  readonly draft: Draft;
  readonly #incoming = new Set<Incoming>();
  /** The one stream that there was, where it may have brought all bytes from the first to the last. */
  #only: Incoming | undefined;
  #passedHex: string | undefined;
  #writes = 0;
  #ending: Promise<unknown> = Promise.resolve();

  constructor(entry: Entry, draft: Draft, there: boolean) {
    this.entry = entry;
    this.draft = draft;
    this.there = there;
  }

  /** Whether the SHA-256 of a write that starts here is worth computing in passing. */
  hashes(start: number): boolean {
    return start === 0 && this.#writes === 0;
  }

  add(incoming: Incoming): void {
    this.#incoming.add(incoming);
    this.#writes += 1;
    this.#passedHex = undefined;
    this.#only = this.#writes === 1 && incoming.hash ? incoming : undefined;
  }

  remove(incoming: Incoming): void {
    this.#incoming.delete(incoming);
  }

  /** Runs one of the ways to end it when those before have run. */
  alone(work: () => Promise<void>): Promise<void> {
    const turn = this.#ending.then(work);
    this.#ending = turn.catch(() => {});
    return turn;
  }

  /** Resolves when nothing is written any more. */
  async stop(): Promise<void> {
    await Promise.all([...this.#incoming].map((incoming) => incoming.stop()));
  }

  /** SHA-256 of all bytes, in hex, where it was computed in passing and asked for. */
  get passedHex(): string | undefined {
    return this.#passedHex;
  }

  /** Of what is held: computed in passing, where that went all the way; else it is read back. */
  async digest(scope: Scope): Promise<Digest> {
    const only = this.#only;
    if (only?.isWhole && [undefined, only.at].includes(this.entry.size)) {
      this.#passedHex ??= only.hash?.digest('hex');
      if (this.#passedHex !== undefined) return { hex: this.#passedHex, readBack: false };
    }
    if (this.draft.digest) return this.draft.digest('sha256', scope);
    throw new XferError('UNSUPPORTED', `digest ${this.entry.path}: it cannot be read back`);
  }
}

export class Drafts {
  readonly #sink: Sink;
  readonly #policy: ReceivePolicy;
  readonly #files = new Map<number, IncomingFile>();
  /** Names that are being written, so that two files of one name do not become each other. */
  readonly #names = new Set<string>();
  /** By the name as some systems see it: the last file that is getting its name. */
  readonly #naming = new Map<string, Promise<unknown>>();
  #last = 0;

  constructor(sink: Sink, policy: ReceivePolicy) {
    this.#sink = sink;
    this.#policy = policy;
  }

  /** PROTOCOL where there is no such draft. */
  get(number: number): IncomingFile {
    const file = this.#files.get(number);
    if (file) return file;
    throw new XferError('PROTOCOL', `draft ${number}: there is none of that number`);
  }

  /** Begins a file. EXISTS where the name is taken by something that is not to be replaced; UNSAFE_PATH; the sink's errors. */
  async open(asked: Entry, scope: Scope): Promise<{ number: number; file: IncomingFile }> {
    const entry = this.#ownEntry(asked);
    this.#reserve(entry);
    try {
      const there = await this.#there(entry, scope);
      const draft = there ? new ThereDraft(this.#sink, entry) : await this.#sink.draft(entry, scope);
      const file = new IncomingFile(entry, draft, there);
      this.#last += 1;
      this.#files.set(this.#last, file);
      return { number: this.#last, file };
    } catch (error) {
      this.#names.delete(entry.path);
      throw error;
    }
  }

  /** Makes a small file of its bytes. CORRUPT where they are not those of `digest`; else as `open`. */
  async put(put: PutBody, scope: Scope): Promise<void> {
    const { bytes, exact, digest } = put;
    const entry = this.#ownEntry(put.entry);
    checkPut(put);
    this.#reserve(entry);
    try {
      await this.#inTurn(entry.path, async () => {
        if (await this.#there(entry, scope)) await this.#checkSame(entry, digest, scope);
        else if (this.#sink.put) await this.#sink.put(entry, bytes, exact, scope);
        else await this.#write(entry, bytes, scope);
      });
    } finally {
      this.#names.delete(entry.path);
    }
  }

  /**
   * Gives a draft its name, and resolves with its SHA-256 where that was computed in passing. EXISTS where something got the
   * name meanwhile; else as the sink. On failure it is still there, to be ended otherwise.
   */
  async commit(number: number, entry: Entry, scope: Scope): Promise<string | undefined> {
    const file = this.get(number);
    const { draft, there } = file;
    await file.alone(async () => {
      this.get(number);
      await file.stop();
      await this.#inTurn(entry.path, async () => {
        if (!there && (await this.#inTheWay(entry, scope)))
          throw this.#exists(entry.path, 'something got that name meanwhile');
        await draft.commit(entry, scope);
      });
      this.#forget(number, file);
    });
    return file.passedHex;
  }

  /** Ends a draft in another way, and forgets it, whatever comes of it; one that got its name meanwhile keeps it. */
  async end(number: number, how: (file: IncomingFile) => Promise<void>): Promise<void> {
    const file = this.get(number);
    await file.alone(async () => {
      if (!this.#files.has(number)) return;
      try {
        await file.stop();
        await how(file);
      } finally {
        this.#forget(number, file);
      }
    });
  }

  #forget(number: number, { entry }: IncomingFile): void {
    this.#files.delete(number);
    this.#names.delete(entry.path);
  }

  /** The sender is gone: what it can go on with later is kept. */
  async suspendAll(): Promise<void> {
    const numbers = [...this.#files.keys()];
    await Promise.allSettled(numbers.map((number) => this.end(number, (file) => file.draft.suspend())));
  }

  #ownEntry(asked: Entry): Entry {
    const { run } = this.#policy;
    return run === undefined ? safeEntry(asked) : { ...safeEntry(asked), run };
  }

  #reserve({ path, kind }: Entry): void {
    if (kind !== 'file') throw new XferError('PROTOCOL', `write ${path}: it is said to be a ${kind}`);
    checkName(path, this.#policy);
    const most = this.#sink.capabilities.parallel ? MOST_DRAFTS : 1;
    if (this.#files.size >= most) throw new XferError('PROTOCOL', `write ${path}: too many files at once (${most})`);
    if (this.#names.has(path)) throw this.#exists(path, 'another file of that name is on its way');
    this.#names.add(path);
  }

  /** One after the other where two names may be the same to the file system, so that neither replaces the other. */
  async #inTurn(path: string, work: () => Promise<void>): Promise<void> {
    const key = path.normalize('NFC').toLowerCase();
    const turn = (this.#naming.get(key) ?? Promise.resolve()).then(work);
    const settled = turn.catch(() => {});
    this.#naming.set(key, settled);
    try {
      await turn;
    } finally {
      if (this.#naming.get(key) === settled) this.#naming.delete(key);
    }
  }

  /** What has the name, and is not to be replaced. */
  async #inTheWay({ path }: Entry, scope: Scope): Promise<Entry | undefined> {
    if (this.#policy.overwrite || this.#sink.capabilities.blind) return undefined;
    const there = await this.#sink.stat(path, scope);
    return path === '' && there?.kind !== 'file' ? undefined : there;
  }

  /** Whether what has the name may be the very file. EXISTS where it cannot be, and is not to be replaced. */
  async #there(entry: Entry, scope: Scope): Promise<boolean> {
    const there = await this.#inTheWay(entry, scope);
    if (!there) return false;
    if (there.kind === 'file' && there.size === entry.size) return true;
    throw this.#exists(entry.path, there.kind === 'file' ? 'a file has that name' : `a ${there.kind} has that name`);
  }

  async #checkSame(entry: Entry, digest: Buffer, scope: Scope): Promise<void> {
    const there = await new ThereDraft(this.#sink, entry).digest('sha256', scope);
    if (there.hex !== digest.toString('hex')) throw this.#exists(entry.path, 'another file has that name');
  }

  async #write(entry: Entry, bytes: Buffer, scope: Scope): Promise<void> {
    const draft = await this.#sink.draft(entry, scope);
    try {
      const writable = await draft.write(0, scope);
      await new Promise<void>((resolve, reject) => {
        writable.once('error', reject).once('close', resolve).end(bytes);
      });
      await draft.commit(entry, scope);
    } catch (error) {
      await draft.discard().catch(() => {});
      throw error;
    }
  }

  /** Of the target itself its last name is told, and not where it is. */
  #exists(path: string, reason: string): XferError {
    const name = path || basename(this.#sink.label);
    return new XferError('EXISTS', `write ${name}: ${reason}, and the receiver does not overwrite`, {
      hint: 'the receiver replaces files with --overwrite',
    });
  }
}
