/** What a sender of the old scp protocol sends: one stream of files and directories, in its order. */
import type { Readable } from 'node:stream';
import { throwIfAborted, toXferError, XferError } from '../../../errors.js';
import { joinPath, lastPart } from '../../../names.js';
import { otherKind } from '../../../other-kind.js';
import type { ByteRange, Entry, Scope, Source, SourceCapabilities, WalkScope } from '../../../transport.js';
import { FileBody } from './body.js';
import type { LegacyPeer } from './peer.js';
import { type AnnouncedThing, farError, messageLine, nameFault, OK, parseRecord, type Times } from './record.js';

export interface LegacySourceOptions {
  /** For messages. */
  readonly label: string;
  readonly identity: string;
  /** What the root is called; `''` with `several`. */
  readonly name: string;
  /** What comes at the top has names of its own. */
  readonly several: boolean;
  /** Whether a name was asked for; absent: any name is. */
  readonly expects?: ((name: string) => boolean) | undefined;
  /** Directories were asked for. */
  readonly recursive: boolean;
  /** Times, and all bits of a mode, were asked for. */
  readonly preserve: boolean;
  /** Starts the sender. */
  readonly start: (scope: Scope) => Promise<LegacyPeer>;
  /** Ends what carries it. */
  readonly onClose: () => Promise<void>;
}

/** As deep as OpenSSH's scp follows a tree. */
const DEEPEST = 64;
/** A sender that only complains is not listened to without end. */
const MOST_WARNINGS = 10_000;

/** What was announced last and is still to be answered. */
interface Pending {
  readonly path: string;
  readonly kind: 'file' | 'directory';
  readonly size: number;
  body?: FileBody;
  refusal?: string;
}

export class LegacySource implements Source {
  readonly label: string;
  readonly identity: string;
  readonly name: string;
  readonly several: boolean;
  readonly capabilities: SourceCapabilities;
  readonly #options: LegacySourceOptions;
  #peer: LegacyPeer | undefined;
  #pending: Pending | undefined;
  /** Paths of the directories that are open. */
  readonly #open: string[] = [];
  readonly #early: XferError[] = [];
  #times: Times = {};
  #warnings = 0;
  #tops = 0;
  #refused = false;

  constructor(options: LegacySourceOptions) {
    this.#options = options;
    this.label = options.label;
    this.identity = options.identity;
    this.name = options.name;
    this.several = options.several;
    this.capabilities = { ranges: false, replay: false, parallel: false, metadata: options.preserve };
  }

  /**
   * What comes, once: a second walk is UNSUPPORTED. What the sender could not read is given to `scope.onSkip`, or is the error
   * where nothing else came. UNSAFE_PATH for a name that leads elsewhere, PROTOCOL for what was not asked for, DISCONNECTED.
   */
  async *entries(scope: WalkScope): AsyncGenerator<Entry> {
    throwIfAborted(scope.signal);
    if (this.#peer) throw new XferError('UNSUPPORTED', `read ${this.label}: the old scp protocol sends once`);
    const peer = await this.#options.start(scope);
    this.#peer = peer;
    try {
      await peer.wire.write(OK, scope);
      for (;;) {
        await this.#answer(peer, scope);
        const entry = await this.#next(peer, scope);
        if (!entry) break;
        yield entry;
      }
    } catch (thrown) {
      const error = await this.#whyBroken(thrown, peer, scope);
      peer.wire.cut(messageLine(toXferError(error, `read ${this.label}`).message, true));
      throw error;
    }
    await this.#conclude(peer, scope);
  }

  /** Says that what was given last failed here. The sender is told. */
  refuse(reason: string): void {
    if (this.#pending) this.#pending.refusal ??= reason;
  }

  /** The file that was given last, once and whole; NOT_FOUND for any other, UNSUPPORTED for a part of it. */
  async read(entry: Entry, range: ByteRange, scope: Scope): Promise<Readable> {
    throwIfAborted(scope.signal);
    const pending = this.#pending;
    const what = `read ${entry.path || this.label}`;
    if (!this.#peer || pending?.path !== entry.path || pending.kind !== 'file') {
      throw new XferError('NOT_FOUND', `${what}: it is not what the other end sends now`);
    }
    if (pending.body || range.start !== 0 || (range.end ?? pending.size) !== pending.size) {
      throw new XferError('UNSUPPORTED', `${what}: the old scp protocol sends a file once, and whole`);
    }
    const { wire } = this.#peer;
    pending.body = new FileBody(wire, pending.size, what, scope);
    await wire.write(OK, scope).catch((error: unknown) => {
      pending.body?.on('error', () => undefined).destroy();
      throw error;
    });
    return pending.body;
  }

  async close(): Promise<void> {
    this.#pending?.body?.destroy();
    this.#peer?.wire.cut();
    await this.#options.onClose();
  }

  /** Answers for what was announced last: it is wanted or arrived, or it is not. */
  async #answer({ wire }: LegacyPeer, scope: Scope): Promise<void> {
    const pending = this.#pending;
    this.#pending = undefined;
    if (!pending) return;
    if (pending.body?.broken) throw pending.body.broken;
    if (pending.body && !pending.body.readableEnded) {
      pending.refusal ??= 'it was given up';
      pending.body.on('error', () => undefined).destroy();
      await pending.body.drain(scope);
    }
    if (pending.kind === 'file' && !pending.body) pending.refusal ??= 'it is left out';
    if (pending.refusal !== undefined) {
      this.#refused = true;
      return wire.write(messageLine(`${pending.path || this.label}: ${pending.refusal}`), scope);
    }
    if (pending.kind === 'directory') this.#open.push(pending.path);
    return wire.write(OK, scope);
  }

  /** The next thing; undefined at the end of the stream. */
  async #next({ wire }: LegacyPeer, scope: WalkScope): Promise<Entry | undefined> {
    for (;;) {
      const line = await wire.line(scope);
      if (!line) return undefined;
      const record = parseRecord(line);
      if (record.kind === 'file' || record.kind === 'directory') {
        for (const warning of this.#early.splice(0)) this.#tell(warning, scope);
        return this.#announce(record);
      }
      if (record.kind === 'fatal') throw farError('read', record.text, 'PROTOCOL');
      if (record.kind === 'warning') {
        this.#warn(record.text, scope);
        continue;
      }
      if (record.kind === 'times') this.#times = { mtimeMs: record.mtimeMs, atimeMs: record.atimeMs };
      else if (this.#open.pop() === undefined) {
        throw new XferError('PROTOCOL', `read ${this.label}: the end of a directory that was not begun came`);
      }
      await wire.write(OK, scope);
    }
  }

  #announce(thing: AnnouncedThing): Entry {
    const path = this.#pathOf(thing);
    const times = this.#times;
    this.#times = {};
    this.#pending = { path, kind: thing.kind, size: thing.size };
    return {
      path,
      kind: thing.kind,
      mode: thing.mode & (this.#options.preserve ? 0o7777 : 0o777),
      ...(thing.kind === 'file' ? { size: thing.size } : {}),
      ...times,
    };
  }

  /** The rules of scp.c's `sink()` for what a sender may name. */
  #pathOf({ kind, name }: AnnouncedThing): string {
    const { label, several, expects, recursive } = this.#options;
    const isTop = this.#open.length === 0;
    const isTyped = isTop && !several && expects?.(name) === true;
    const fault = nameFault(name);
    // Where the person typed `.` or `/`, what comes has no name, and is given none.
    const isNameless = kind === 'directory' && isTyped && ['', '.', '..'].includes(name);
    if (fault && !isNameless) throw new XferError('UNSAFE_PATH', `read ${label}: the other end sent ${fault}`);
    if (kind === 'directory' && !recursive) {
      throw new XferError(
        'PROTOCOL',
        `read ${label}: the other end sent a directory, ${name}, without being asked for one`,
      );
    }
    if (this.#open.length >= DEEPEST) {
      throw new XferError('PROTOCOL', `read ${label}: directories more than ${DEEPEST} deep came`);
    }
    if (!isTop) return joinPath(this.#open.at(-1) ?? '', name);
    this.#tops += 1;
    if ((expects && !expects(name)) || (!several && this.#tops > 1)) {
      throw new XferError('PROTOCOL', `read ${label}: the other end sent ${name}, which was not asked for`, {
        hint: 'where the far shell has another way with patterns: xfer scp -O -T',
      });
    }
    return several ? name : '';
  }

  #warn(text: string, scope: WalkScope): void {
    if (++this.#warnings > MOST_WARNINGS) {
      throw new XferError('PROTOCOL', `read ${this.label}: more than ${MOST_WARNINGS} complaints came`);
    }
    const error = farError('read', text, 'DENIED');
    const other = /^scp: (.+): not a regular file$/s.exec(text)?.[1];
    if (this.#tops === 0) this.#early.push(error);
    else if (other !== undefined && scope.onSkip) scope.onSkip(lastPart(other), otherKind(other));
    else this.#tell(error, scope);
  }

  #tell(error: XferError, { onSkip }: WalkScope): void {
    if (!onSkip) throw error;
    onSkip(lastPart(this.#open.at(-1) ?? '') || this.name || this.label, error);
  }

  /** Where a sender that sent nothing left, how it ended tells more than that; one that was cut off has to begin again. */
  async #whyBroken(error: unknown, peer: LegacyPeer, scope: Scope): Promise<unknown> {
    const isLost = error instanceof XferError && error.code === 'DISCONNECTED';
    if (!isLost || scope.signal.aborted) return error;
    if (this.#tops === 0) return (await peer.ended(scope)) ?? error;
    const hint = 'the old scp protocol cannot go on where it was: run the same command again';
    return new XferError('DISCONNECTED', error.message, { hint, cause: error });
  }

  /** Nothing more comes: was that all? */
  async #conclude(peer: LegacyPeer, scope: WalkScope): Promise<void> {
    peer.wire.finish();
    const failure = await peer.ended(scope);
    if (this.#open.length > 0) {
      throw new XferError('DISCONNECTED', `read ${this.label}: it ended inside of a directory`, { cause: failure });
    }
    const [first] = this.#early;
    if (first) throw andMore(first, this.#early.length - 1);
    if (this.#tops === 0 && !failure) throw new XferError('NOT_FOUND', `read ${this.label}: nothing came`);
    if (!failure || this.#refused || this.#warnings > 0) return;
    if (this.#tops === 0) throw failure;
    this.#tell(failure, scope);
  }
}

function andMore(first: XferError, more: number): XferError {
  if (more === 0) return first;
  return new XferError(first.code, `${first.message} (and ${more} more)`, { hint: first.hint, cause: first });
}
