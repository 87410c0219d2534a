/**
 * The contract between the copy engine and the transports. Types only; `conformance/` in the tests holds every
 * transport to the words written here.
 *
 * A transport that cannot do a thing lacks the method, and nothing succeeds without doing what it says. A transport
 * makes one attempt: retry, rate limit, verification, parallelism and progress belong to the engine.
 */

import type { Readable, Writable } from 'node:stream';
import type { Change, EditableFile, EditOptions } from './editable-file.js';
import type { Listener, ListenOptions } from './listener.js';
import type { Location } from './location.js';
import type { Place, Space } from './place.js';
import type { Digest, DigestAlgorithm, StatedDigest } from './stated-digest.js';

export type { Change, EditableFile, EditOptions } from './editable-file.js';
export type { Listener, ListenOptions, Transfer } from './listener.js';
export type { Space } from './place.js';
export type { Digest, DigestAlgorithm, StatedDigest } from './stated-digest.js';

/** Handed to every call that can wait. An aborted signal rejects the call with `signal.reason` and frees what it held. */
export interface Scope {
  readonly signal: AbortSignal;
}

/** Handed to a walk. */
export interface WalkScope extends Scope {
  /** What could not be read below the root; `error` is an XferError. Absent: the walk fails. */
  readonly onSkip?: (path: string, error: Error) => void;
}

/** Bytes from `start` up to, not including, `end`; to the end of the file where `end` is absent. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

export type EntryKind = 'file' | 'directory' | 'symlink';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** One thing in a source, or one thing to make in a sink. */
export interface Entry {
  /**
   * Path below the root of its source or sink, parts joined by `/`; `''` is the root itself. Never absolute, never with
   * an empty, `.` or `..` part. Bytes that are not UTF-8 are kept as `names.ts` says.
   */
  readonly path: string;
  readonly kind: EntryKind;
  /** Size of a file in bytes; absent where the source cannot know it before the last byte. */
  readonly size?: number;
  /** Time of last change, in milliseconds since the epoch. */
  readonly mtimeMs?: number;
  /** Time of last reading; set together with `mtimeMs`, and equal to it where it is absent. */
  readonly atimeMs?: number;
  /** Permission bits, at most 0o7777. */
  readonly mode?: number;
  /** Whose it is, in the numbers of its system; absent where that keeps none. */
  readonly owner?: Owner;
  /** Of the root, given to a blind sink: what it is called in its source. */
  readonly name?: string;
  /** Where a symlink points, as it is stored. */
  readonly target?: string;
  /** Equal versions mean equal bytes; the key of a resume. Absent: never resume. */
  readonly version?: string;
  /** Of what is given to a sink: the copy that makes it, which is in the name of its draft (`draft-name.ts`). */
  readonly run?: string;
  /** Of a directory: the same for the same one under every path to it, by which a loop of links is seen. */
  readonly identity?: string;
}

export interface SourceCapabilities {
  /** `read` can start anywhere. */
  readonly ranges: boolean;
  /** The same bytes can be read a second time. */
  readonly replay: boolean;
  /** Several reads may be under way at once. Else each file is read, or passed over, before the next entry is asked for. */
  readonly parallel: boolean;
  /** Entries carry mode and mtime. */
  readonly metadata: boolean;
}

/** How much at once pays on the line to a source or a sink. */
export interface Parallelism {
  readonly filesInFlight: number;
  /** Reads or writes on one large file. */
  readonly lanes: number;
  /** What one read of a lane should bring, where each costs a round trip in which nothing comes. */
  readonly blockBytes?: number;
  /** A lane's next part may be opened while its last one still comes, so that no round trip passes without bytes. */
  readonly opensAhead?: boolean;
}

/** Where bytes come from. */
export interface Source {
  /** For messages; holds no secret. */
  readonly label: string;
  /** Names the place so that no other place has the same: what a resume looks for. */
  readonly identity: string;
  /**
   * Base name of the root: what a copy of it into a directory is called. A checked single name, never with a separator;
   * `''` where the root was named by `.` or `..`, or is `/`: then what is in it goes into the directory itself.
   */
  readonly name: string;
  /** It has no root: it is what a pattern matched, each thing by its own name, and `name` is `''`. */
  readonly several?: boolean;
  readonly capabilities: SourceCapabilities;
  /** Absent: the engine's own numbers do. */
  readonly parallelism?: Parallelism;
  /**
   * The root and all below it, a directory before what is in it. Rejects with NOT_FOUND where the root is missing. What
   * cannot be listed below the root, or is of another kind (`other-kind.ts`), is given to `scope.onSkip`, and the rest still
   * comes.
   */
  entries(scope: WalkScope): AsyncIterable<Entry>;
  /**
   * Exactly the bytes of `range`. The stream fails with TRUNCATED where fewer come, SOURCE_CHANGED where the file is no
   * longer the entry's version, NOT_FOUND, DENIED, DISCONNECTED. Destroying it frees everything. Its chunks may be asked
   * back once they were written (`streams/buffer-pool.ts`).
   */
  read(entry: Entry, range: ByteRange, scope: Scope): Promise<Readable>;
  /**
   * What only asking for a file tells of it, such as its exact size and its version: the entry with that. Called once where
   * its turn has come, and followed by a read. NOT_FOUND, DENIED, UNSAFE_PATH. Absent: `entries` says all there is.
   */
  examine?(entry: Entry, scope: Scope): Promise<Entry>;
  /** All bytes of a small file of known size, as `read` would give them and with its errors, without a stream. */
  readWhole?(entry: Entry, scope: Scope): Promise<Buffer>;
  /** What is at `path`, or undefined where nothing is. Follows links that stay inside the root. */
  stat?(path: string, scope: Scope): Promise<Entry | undefined>;
  /** What has the name itself: of a link its own entry, with its target. Undefined where nothing has it. UNSAFE_PATH. */
  look?(path: string, scope: Scope): Promise<Entry | undefined>;
  /** Where a file or a directory is, links followed. NOT_FOUND, UNSAFE_PATH. Absent: it is on no disk of this machine. */
  place?(path: string, scope: Scope): Promise<Place>;
  /** Room in the file system that holds the root. */
  space?(scope: Scope): Promise<Space>;
  /** What a directory holds, one level deep, in no order. NOT_FOUND, DENIED. Present with `open`: a listener can share it. */
  list?(directory: string, scope: Scope): AsyncIterable<Entry>;
  /** Opens a file once, so that what is said of it and what is read are the same file. NOT_FOUND, DENIED, UNSAFE_PATH. */
  open?(path: string, scope: Scope): Promise<OpenFile>;
  /** Digests of a whole file that the far side states without a pass of ours; asked before the file is read. */
  stated?(entry: Entry): readonly StatedDigest[];
  /** The far side's own digest of a file, in lower-case hex. */
  digest?(entry: Entry, algorithm: DigestAlgorithm, scope: Scope): Promise<string>;
  close(): Promise<void>;
}

/** A file held open. `entry` was read from the open descriptor. */
export interface OpenFile {
  readonly entry: Entry;
  /** What it is now, by its descriptor. */
  look?(): Entry;
  /** Exactly the bytes of `range`; TRUNCATED where the file became shorter. Closing the file ends it. */
  read(range: ByteRange): Readable;
  /** Fills `target` with the bytes from `start` on, and says how many there were: 0 at the end of the file. */
  readAt?(target: Uint8Array, start: number): Promise<number>;
  /**
   * All bytes of a small file, at once where they are in memory; nobody may change them. TRUNCATED, and SOURCE_CHANGED
   * where the file is no longer what `entry` says.
   */
  readWhole?(): Buffer | Promise<Buffer>;
  /** Absolute and without links: where the open file is, whatever its name leads to by now. Undefined: nobody can tell. */
  place?(): string | undefined;
  /** Frees the descriptor. May be called twice. */
  close(): Promise<void>;
}

export interface SinkCapabilities {
  /** `write` can start anywhere, not only where the last one ended. */
  readonly offsets: boolean;
  /** A name appears whole or not at all. */
  readonly atomic: boolean;
  /** A draft outlives the process that wrote it. */
  readonly resume: boolean;
  /** Several writes may be under way at once, in one file and in several. Else one call ends before the next is made. */
  readonly parallel: boolean;
  /** Mode and mtime can be kept. */
  readonly metadata: boolean;
  /** `commit` can be told to leave alone what has the name by then. */
  readonly exclusive?: boolean;
  /** What was written cannot be taken back: once a draft was to take bytes, the file is not tried again. */
  readonly once?: boolean;
  /**
   * `stat` cannot tell what is there. The far side itself sees whether the target is a directory, and then gives the root
   * its `name` in it. A first path other than `''` says that the target must be a directory.
   */
  readonly blind?: boolean;
  /** What `put` takes is compared by its SHA-256 at the far side, and `put` gives that. */
  readonly provesWhole?: boolean;
}

/** How a copy ended, for the far side. */
export interface Conclusion {
  /** Files that arrived, with those that were there already. */
  readonly files: number;
  readonly bytes: number;
  readonly failures: number;
}

/** Where bytes go. Paths are below its root; `''` is the root itself. */
export interface Sink {
  /** For messages; holds no secret. */
  readonly label: string;
  /** Names the place so that no other place has the same: what a resume looks for. */
  readonly identity: string;
  readonly capabilities: SinkCapabilities;
  /** Absent: the engine's own numbers do. */
  readonly parallelism?: Parallelism;
  /** What is at `path`, links followed, or undefined where nothing is. */
  stat(path: string, scope: Scope): Promise<Entry | undefined>;
  /**
   * Makes a directory or a symlink. A directory that is there already is left as it is. EXISTS where another kind of
   * thing has the name, UNSAFE_PATH where the name would leave the root, NO_SPACE, DENIED.
   */
  create(entry: Entry, scope: Scope): Promise<void>;
  /** Sets mode and mtime of a directory, after all that is in it was written. Absent: the sink keeps neither. */
  finish?(directory: Entry, scope: Scope): Promise<void>;
  /**
   * Starts a file, or finds the draft of the same version that an earlier run left. `entry.mode` is the mode of a new
   * file, as far as the far side's umask allows; `entry.mtimeMs` says that mode and time will be set exactly by `commit`. UNSAFE_PATH, NO_SPACE, DENIED, EXISTS.
   */
  draft(entry: Entry, scope: Scope): Promise<Draft>;
  /**
   * Makes a small file of all its bytes: what `draft`, `write` and `commit` would do in turn, with their errors, and whole
   * or not at all as well. `exact`: mode and time are set exactly, else `entry.mode` is that of a new file. Resolves with
   * the SHA-256 in lower-case hex where the sink proves what it takes (`provesWhole`).
   */
  put?(entry: Entry, bytes: Buffer, exact: boolean, scope: Scope): Promise<string | undefined>;
  /**
   * Removes, beside `path`, the drafts that runs of copies left which can end them no more (`draft-name.ts`).
   * Absent: no draft outlives its run, unless its version lets it be found.
   */
  sweep?(path: string, runs: readonly string[], scope: Scope): Promise<void>;
  /**
   * Opens a file to be changed anywhere in it, as a client of a file server wants it. NOT_FOUND, EXISTS, DENIED, NO_SPACE,
   * UNSAFE_PATH. Present with `change`, `rename` and `remove`: a listener can let others write here.
   */
  edit?(path: string, how: EditOptions, scope: Scope): Promise<EditableFile>;
  /** Changes what `path` leads to, or a link itself where `follow` is false. NOT_FOUND, DENIED, UNSAFE_PATH, UNSUPPORTED. */
  change?(path: string, change: Change, follow: boolean, scope: Scope): Promise<void>;
  /** Gives a thing another name; links are not followed. EXISTS where `to` is taken and not to be replaced, NOT_FOUND, DENIED. */
  rename?(from: string, to: string, replace: boolean, scope: Scope): Promise<void>;
  /**
   * Removes a file or a link, a directory that is empty, or as a `tree` one with all that is in it, no link followed.
   * NOT_FOUND, DENIED, EXISTS where something is in a directory.
   */
  remove?(path: string, kind: 'file' | 'directory' | 'tree', scope: Scope): Promise<void>;
  /** The digest of a file that is there, in lower-case hex. NOT_FOUND, DENIED, UNSAFE_PATH. */
  digest?(path: string, algorithm: DigestAlgorithm, scope: Scope): Promise<string>;
  /** Says to the far side that no more comes, so that it may end too. */
  conclude?(conclusion: Conclusion, scope: Scope): Promise<void>;
  close(): Promise<void>;
}

/** A file on its way in. Ended by exactly one of `commit`, `suspend` and `discard`. */
export interface Draft {
  /** At most what the far side may hold of this version; the engine's journal says which of it was acknowledged. */
  readonly held: readonly ByteRange[];
  /** A pipe or a device: bytes only from the first to the last, by one stream. Absent: as the sink's capabilities say. */
  readonly inOrder?: true;
  /**
   * The target is there already, as long as the entry, and is not to be replaced: it may be the very file. It is compared by
   * `digest` and never written; `commit` leaves it as it is.
   */
  readonly there?: true;
  /**
   * Takes bytes from `start` on. 'close' without an error means that the far side holds them. The stream of a sink that
   * can resume emits 'held' with the number of further bytes, in order, that the far side acknowledged; or that are on
   * their way, where it tells no more before the end: what the next draft says to be `held` counts then.
   */
  write(start: number, scope: Scope): Promise<Writable>;
  /** Digest of what the far side holds, from what it keeps and not from what was sent. */
  digest?(algorithm: DigestAlgorithm, scope: Scope): Promise<Digest>;
  /** In place of `digest`, where the far side tells nothing before the end: `commit` is CORRUPT where the file has another. */
  expect?(algorithm: DigestAlgorithm, hex: string): Promise<void>;
  /**
   * Gives the file its name, whole: `entry.size`, where stated, is its exact length (else TRUNCATED), and mode and mtime
   * are set exactly where the entry states them; where it states no mode, the mode of a file that was there stays.
   * Durable when it resolves, as far as the far side can promise it. `replace` false, where the sink is `exclusive`: EXISTS
   * where anything has the name, whoever was faster. Where it fails it is ended by `discard`.
   */
  commit(entry: Entry, scope: Scope, replace?: boolean): Promise<void>;
  /** Stops and keeps what is held for a resume. Without a version there is nothing to resume, and it discards. */
  suspend(): Promise<void>;
  /** Stops and removes what was written. */
  discard(): Promise<void>;
  /** After `suspend`, the path on its machine of what is kept; absent where nothing is, or that has none of its own. */
  readonly keptAs?: string | undefined;
}

/** Asks the person for a secret or a decision. Absent where nobody can answer. */
export interface Prompt {
  /** A line that is not shown while typed, or undefined where the person gave up. */
  secret(question: string, scope: Scope): Promise<string | undefined>;
  /** A line that is shown while typed. */
  line(question: string, scope: Scope): Promise<string | undefined>;
}

/** What every transport understands when it opens a location. Each adds its own by extending it. */
export interface OpenOptions {
  readonly prompt?: Prompt;
  /**
   * One line for the person: a banner, a new host key, a fall-back. Printable already. `about`: the error, known to others
   * too, that it tells in other words.
   */
  readonly onNotice?: (line: string, about?: Error) => void;
  /** Links in a tree: copy what they point at (scp's way, the default), copy the link, or leave them out. */
  readonly links?: 'follow' | 'keep' | 'skip';
  /**
   * Write into a file that is there instead of replacing it, so that its hard links and its owner stay. It is not whole
   * until the end, and not resumed. A sink does so by itself, and says so, where its directory takes no new file.
   */
  readonly inPlace?: boolean;
  /**
   * Of a sink: others name what is written, and links may be put in the way meanwhile. Each file is made in the very
   * directory that was looked at; what is neither a file nor missing is not written to.
   */
  readonly guarded?: boolean;
  /** Of a sink: how large the largest file is that is known to come, so that what it needs can be opened at once. */
  readonly largestFile?: () => Promise<number>;
}

/** One way to move bytes. Registered by scheme in `registry.ts`. */
export interface Transport {
  readonly scheme: string;
  readonly aliases: readonly string[];
  /** One line for `--help`. */
  readonly summary: string;
  readonly defaultPort?: number;
  openSource?(location: Location, options: OpenOptions, scope: Scope): Promise<Source>;
  openSink?(location: Location, options: OpenOptions, scope: Scope): Promise<Sink>;
  /**
   * The sources that a pattern in a location's path stands for, in byte order; the location itself where nothing matches.
   * Absent: the transport has no patterns.
   */
  expand?(location: Location, options: OpenOptions, scope: Scope): Promise<readonly Location[]>;
  /** Resolves when it accepts; rejects with EXISTS where the port is taken, DENIED where it may not be used. */
  listen?(options: ListenOptions, scope: Scope): Promise<Listener>;
}
