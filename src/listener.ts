/** What a listener is given, and what it is to whoever started it. Types only, as in `transport.ts`. */
import type { OpenOptions, Sink, Source } from './transport.js';

/** What a listener gives away or takes in. */
export interface ListenOptions extends OpenOptions {
  /**
   * Addresses to bind, and paths of unix sockets (what holds a `/`, or follows `unix:`) and names of named pipes; the
   * transport's own default where absent.
   */
  readonly hosts?: readonly string[];
  /** Descriptors of sockets that this process was started with, as by systemd, to be used in place of `hosts` and `port`. */
  readonly descriptors?: readonly number[];
  /** 0 takes a free port. */
  readonly port: number;
  readonly share?: Source;
  /**
   * Where what clients put goes: for HTTP and SFTP the directory of `share`, else it is USAGE. Opened with `guarded`, as
   * clients may put links in the way.
   */
  readonly receive?: Sink;
  /** What a person types to listen so, up to the port: for the hints. The transport has one of its own where absent. */
  readonly example?: string;
}

/** One thing on its way to or from a client of a listener; it counts on while it is looked at. */
export interface Transfer {
  /** Address of the client. */
  readonly client: string;
  /** Below the root. Text from outside. */
  readonly path: string;
  /** Handed to the connection so far, or taken from it. */
  readonly bytes: number;
  /** It comes from the client. */
  readonly incoming?: boolean;
  readonly totalBytes?: number | undefined;
  /** By the clock of `performance.now()`. */
  readonly startMs: number;
}

export interface Listener {
  /** The first address; where it has none, `host` is the path of its unix socket and `port` is 0. */
  readonly address: { readonly host: string; readonly port: number };
  /** Unix sockets and named pipes on which it listens; `fd:3` for one that was handed down and tells no path. */
  readonly sockets: readonly string[];
  /** Every URL that a person on this or another machine can type. */
  readonly urls: readonly string[];
  /** Settles when the listener has ended; rejects where it ended by a fault. */
  readonly closed: Promise<void>;
  /** What is under way now, the oldest first. Absent: it is not known. */
  transfers?(): readonly Transfer[];
  /** Stops accepting, lets transfers under way end for `graceMs` (0 by default), then cuts them. */
  close(options?: { graceMs?: number }): Promise<void>;
}
