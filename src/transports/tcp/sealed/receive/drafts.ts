/** The files that one sender has under way. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { XferError } from '../../../../errors.js';
import type { Digest, Draft, Entry, Scope, Sink } from '../../../../transport.js';
import type { Incoming } from './incoming.js';
import { checkName, type ReceivePolicy, safeEntry } from './policy.js';
import { ThereDraft } from './there-draft.js';

/** A sender has no need of more at once; each holds a descriptor. */
const MOST_DRAFTS = 600;

/** One file under way. */
export class IncomingFile {
  readonly entry: Entry;
  readonly incoming = new Set<Incoming>();
  /** The target is there already, as long as what is sent, and stays. */
  readonly there: boolean;
  readonly draft: Draft;
  /** Digest of the bytes that passed from the first to the last, in order. */
  #passed: { incoming: Incoming; hex?: string | undefined } | undefined;
  #writes = 0;

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
    this.incoming.add(incoming);
    this.#writes += 1;
    this.#passed = this.#writes === 1 && incoming.hash ? { incoming } : undefined;
  }

  /** SHA-256 of all bytes, in hex, where it was computed in passing and asked for. */
  get passedHex(): string | undefined {
    return this.#passed?.hex;
  }

  /** What is held: as far as the passing digest goes, where it goes all the way; else it is read back. */
  async digest(scope: Scope): Promise<Digest> {
    const passed = this.#passed;
    const whole = passed && this.incoming.size === 0 && [undefined, passed.incoming.at].includes(this.entry.size);
    if (passed && whole) {
      passed.hex ??= passed.incoming.hash?.digest('hex');
      if (passed.hex !== undefined) return { hex: passed.hex, readBack: false };
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
    const entry = safeEntry(asked);
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
  async put(asked: Entry, bytes: Buffer, exact: boolean, digest: Buffer, scope: Scope): Promise<void> {
    const entry = safeEntry(asked);
    if (entry.kind !== 'file' || entry.size !== bytes.length) {
      throw new XferError(
        'PROTOCOL',
        `write ${entry.path}: ${bytes.length} bytes came, not the ${entry.size} announced`,
      );
    }
    if (!timingSafeEqual(createHash('sha256').update(bytes).digest(), digest)) {
      throw new XferError('CORRUPT', `write ${entry.path}: its bytes are not those that were sent`, {
        hint: 'send it again',
      });
    }
    this.#reserve(entry);
    try {
      if (await this.#there(entry, scope)) await this.#checkSame(entry, digest, scope);
      else if (this.#sink.put) await this.#sink.put(entry, bytes, exact, scope);
      else await this.#write(entry, bytes, scope);
    } finally {
      this.#names.delete(entry.path);
    }
  }

  /** Ends a draft, and forgets it, whatever comes of it. */
  async end(number: number, how: (file: IncomingFile) => Promise<void>): Promise<IncomingFile> {
    const file = this.get(number);
    this.#files.delete(number);
    try {
      await Promise.all([...file.incoming].map((incoming) => incoming.stop()));
      await how(file);
    } finally {
      this.#names.delete(file.entry.path);
    }
    return file;
  }

  /** The sender is gone: what it can go on with later is kept. */
  async suspendAll(): Promise<void> {
    const numbers = [...this.#files.keys()];
    await Promise.allSettled(numbers.map((number) => this.end(number, (file) => file.draft.suspend())));
  }

  #reserve(entry: Entry): void {
    checkName(entry.path, this.#policy);
    if (this.#files.size >= MOST_DRAFTS) throw new XferError('PROTOCOL', `more than ${MOST_DRAFTS} files at once`);
    if (this.#names.has(entry.path)) throw exists(entry.path, 'another file of that name is on its way');
    this.#names.add(entry.path);
  }

  /** Whether what has the name may be the very file. EXISTS where it cannot be, and is not to be replaced. */
  async #there(entry: Entry, scope: Scope): Promise<boolean> {
    if (this.#policy.overwrite || this.#sink.capabilities.blind) return false;
    const there = await this.#sink.stat(entry.path, scope);
    if (!there) return false;
    if (entry.path === '' && there.kind !== 'file') return false;
    if (there.kind === 'file' && there.size === entry.size) return true;
    throw exists(entry.path, there.kind === 'file' ? 'a file has that name' : `a ${there.kind} has that name`);
  }

  async #checkSame(entry: Entry, digest: Buffer, scope: Scope): Promise<void> {
    const there = await new ThereDraft(this.#sink, entry).digest('sha256', scope);
    if (there.hex !== digest.toString('hex')) throw exists(entry.path, 'another file has that name');
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
}

function exists(path: string, reason: string): XferError {
  return new XferError('EXISTS', `write ${path}: ${reason}, and the receiver does not overwrite`, {
    hint: 'the receiver replaces files with --overwrite',
  });
}
