/** A tree sent by the old scp protocol: one stream, one thing at a time. */
import { throwIfAborted, XferError } from '../../../errors.js';
import { lastPart, parentPath, pathParts } from '../../../names.js';
import type { Draft, Entry, Scope, Sink, SinkCapabilities } from '../../../transport.js';
import { LegacyDraft } from './draft.js';
import type { Times } from './record.js';
import type { SendingSession, SentDirectory } from './session.js';

export interface LegacySinkOptions {
  /** For messages. */
  readonly label: string;
  readonly identity: string;
  /** Starts the receiver and waits for its first word; `intoDirectory`: its target must be a directory. */
  readonly start: (intoDirectory: boolean, scope: Scope) => Promise<SendingSession>;
  /**
   * Starts a receiver in a directory of that name in the target; rejects where there is none, with what is not to be tried
   * again, and gives undefined where that cannot be said. Absent: a session that ended is not gone on with.
   */
  readonly startIn?: (name: string, scope: Scope) => Promise<SendingSession | undefined>;
  /**
   * Mode and time of a directory, where they are known as it is entered: then the receiver sets them when it is left. Absent:
   * it is entered once more at its end to say them.
   */
  readonly directoryOf?: (path: string) => Pick<Entry, 'mode' | keyof Times> | undefined;
  /** Ends what carries it. */
  readonly onClose: () => Promise<void>;
}

const USUAL_FILE_MODE = 0o644;
const USUAL_DIRECTORY_MODE = 0o755;

export class LegacySink implements Sink {
  readonly label: string;
  readonly identity: string;
  readonly capabilities: SinkCapabilities = {
    offsets: false,
    atomic: false,
    resume: false,
    parallel: false,
    metadata: true,
    blind: true,
  };
  readonly #options: LegacySinkOptions;
  readonly #directories = new Map<string, SentDirectory>();
  #starting: Promise<SendingSession> | undefined;
  #session: SendingSession | undefined;
  /** The root is a directory that is sent, by its own name, and not the target. */
  #sendsRoot = false;

  constructor(options: LegacySinkOptions) {
    this.#options = options;
    this.label = options.label;
    this.identity = options.identity;
  }

  /** UNSUPPORTED: the protocol has no question. */
  async stat(path: string, scope: Scope): Promise<undefined> {
    throwIfAborted(scope.signal);
    throw new XferError('UNSUPPORTED', `look at ${path || this.label}: the old scp protocol cannot ask what is there`);
  }

  async create(entry: Entry, scope: Scope): Promise<void> {
    throwIfAborted(scope.signal);
    if (entry.kind === 'symlink') {
      throw new XferError('UNSUPPORTED', `create link ${entry.path}: the old scp protocol has none`, {
        hint: 'leave out --links, so that what a link points at is copied',
      });
    }
    checkPath(entry.path);
    const session = await this.session(entry, scope);
    if (entry.path === '' && !this.#sendsRoot) return;
    const exact = this.#options.directoryOf?.(entry.path);
    const { mode = USUAL_DIRECTORY_MODE } = exact ?? entry;
    const directory: SentDirectory = { name: nameOf(entry), mode: mode & 0o7777, times: exact ?? {} };
    await this.#goToParent(session, entry.path, scope);
    await session.enter(entry.path, directory, scope);
    this.#directories.set(entry.path, directory);
  }

  /** It is entered and left once more, since that is when the receiver sets mode and time. */
  async finish(directory: Entry, scope: Scope): Promise<void> {
    throwIfAborted(scope.signal);
    if (this.#options.directoryOf) return;
    const sent = this.#directories.get(directory.path);
    // A target that was there, and what is in it was asked for: it keeps its own mode and time.
    if (!sent) return;
    const { mode = sent.mode } = directory;
    const session = await this.session(directory, scope);
    // After a lost session the root may be the target itself, which has no record of its own.
    if (directory.path === '' && !this.#sendsRoot) return;
    await this.#goToParent(session, directory.path, scope);
    await session.enter(directory.path, { name: sent.name, mode: mode & 0o7777, times: directory }, scope);
    await session.leave(scope);
  }

  /** UNSUPPORTED for a file of unknown length. */
  async draft(entry: Entry, scope: Scope): Promise<Draft> {
    throwIfAborted(scope.signal);
    const { size, mode = USUAL_FILE_MODE } = entry;
    checkPath(entry.path);
    if (size === undefined) {
      throw new XferError('UNSUPPORTED', `write ${entry.path || this.label}: its length must be known beforehand`, {
        hint: 'save it to a file first, or use a server with sftp',
      });
    }
    return new LegacyDraft({
      label: entry.path || this.label,
      size,
      begin: async (within) => {
        const session = await this.session(entry, within);
        await this.#goToParent(session, entry.path, within);
        await session.announce({ name: nameOf(entry), mode: mode & 0o7777, size, times: entry }, within);
        return session;
      },
    });
  }

  /** The session, begun by the first thing that is sent. */
  async session(first: Entry, scope: Scope): Promise<SendingSession> {
    if (this.#session && !this.#session.wire.isBroken) return this.#session;
    this.#starting ??= this.#session ? this.#startAgain(first, scope) : this.#start(first, scope);
    try {
      this.#session = await this.#starting;
      return this.#session;
    } catch (error) {
      if (!(error instanceof XferError) || error.retryable) this.#starting = undefined;
      throw error;
    } finally {
      if (this.#session) this.#starting = undefined;
    }
  }

  async #start(first: Entry, scope: Scope): Promise<SendingSession> {
    const isNamed = first.path === '' && (first.kind === 'file' || (first.name ?? '') !== '');
    this.#sendsRoot = isNamed && first.kind === 'directory';
    return this.#options.start(!isNamed, scope);
  }

  /**
   * A session after one that was lost. Where a directory was sent, it went into the target if that was there, and became it
   * if not: which of the two is seen by what is there now.
   */
  async #startAgain(first: Entry, scope: Scope): Promise<SendingSession> {
    if (!this.#sendsRoot) return this.#start(first, scope);
    const root = this.#directories.get('');
    // A directory of the same name inside of the root would look like the root.
    const canTell = root !== undefined && !this.#directories.has(root.name);
    const found = canTell ? await this.#look(root.name, scope) : undefined;
    if (found === undefined) {
      throw new XferError('UNSUPPORTED', `write ${first.path}: the session ended, and cannot be gone on with`, {
        hint: 'run the same command again',
      });
    }
    this.#sendsRoot = found;
    return this.#options.start(true, scope);
  }

  /** Whether a directory of that name is in the target; undefined where that cannot be seen. */
  async #look(name: string, scope: Scope): Promise<boolean | undefined> {
    try {
      const session = await this.#options.startIn?.(name, scope);
      session?.wire.cut();
      return session && true;
    } catch (error) {
      if (!(error instanceof XferError) || error.retryable) throw error;
      return false;
    }
  }

  async #goToParent(session: SendingSession, path: string, scope: Scope): Promise<void> {
    const ways: string[] = [];
    for (let at = path; at !== ''; ) {
      at = parentPath(at);
      if (at !== '' || this.#sendsRoot) ways.unshift(at);
    }
    await session.goTo(ways, (way) => this.#directory(way), scope);
  }

  #directory(path: string): SentDirectory {
    const directory = this.#directories.get(path);
    if (directory) return directory;
    throw new XferError('NOT_FOUND', `write to ${path}: its directory was not sent`);
  }

  async close(): Promise<void> {
    this.#session?.wire.finish();
    await this.#options.onClose();
  }
}

function checkPath(path: string): void {
  if (!pathParts(path)) throw new XferError('UNSAFE_PATH', `write ${path}: leaves its directory`);
}

/** A root without a name is a file of standard input or the like. */
function nameOf({ path, name }: Entry): string {
  return path === '' ? name || 'file' : lastPart(path);
}
