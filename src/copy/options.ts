/** What a copy may be told, and its defaults. */
import type { DigestAlgorithm, Entry, Scope, Source, StatedDigest } from '../transport.js';
import type { CopyEvent } from './events.js';
import type { Limiter } from './limiter.js';
import type { RetryPolicy } from './retry.js';

export interface CopyOptions {
  readonly signal?: AbortSignal;
  /** What it throws stops the copy as an abort does, and is what `copy` rejects with; it is told nothing more then. */
  readonly onEvent?: (event: CopyEvent) => void;
  /** The target must be a directory, as with several sources. */
  readonly intoDirectory?: boolean;
  /** Where that directory is missing, it is made. */
  readonly makeDirectory?: boolean;
  /** Copy directories with all that is in them. */
  readonly recursive?: boolean;
  /** Keep mode and time of change exactly; else a new file gets the source's mode as the far side's umask allows. */
  readonly preserve?: boolean;
  /**
   * What to do where the target has the name: replace it (the default), leave it, replace it only if it is older, or only if
   * it is shorter and so may be a part of it.
   */
  readonly overwrite?: 'always' | 'never' | 'newer' | 'shorter';
  /** Says what would be copied, by `skip` events and the result's counts, and changes nothing. */
  readonly dryRun?: boolean;
  /** Glob patterns; what matches by its base name, or by its path below the root where it holds a `/`, is left out. */
  readonly exclude?: readonly string[];
  /** Glob patterns in the same form: what matches is copied though `exclude` says otherwise, unless a directory above is left out. */
  readonly include?: readonly string[];
  readonly limitBytesPerSecond?: number;
  /** Shared with other copies, in place of a limit of its own. */
  readonly limiter?: Limiter;
  /** Reads and writes under way at once on one large file. Default: what the ends say pays, else 4. */
  readonly lanes?: number;
  /** Files under way at once. Default: what the ends say pays, else 64. */
  readonly filesInFlight?: number;
  /** Size of the pieces that lanes take, in bytes; files up to this size are never resumed. Default 8 MiB. */
  readonly blockBytes?: number;
  /** Proof beyond the length, which is always checked. */
  readonly verify?: 'size' | Extract<DigestAlgorithm, 'sha256'>;
  /** Digests that a file must have, beside those that its source states. CORRUPT, and nothing arrives, where it has not. */
  readonly expected?: (source: Source, entry: Entry, scope: Scope) => Promise<readonly StatedDigest[]>;
  readonly retry?: Partial<RetryPolicy>;
  /** Where the journals for resuming after a kill are kept. Absent: a copy is resumed only within its own run. */
  readonly journalDirectory?: string;
}

export const DEFAULT_LANES = 4;
export const DEFAULT_FILES_IN_FLIGHT = 64;
export const DEFAULT_BLOCK_BYTES = 8 << 20;
/** Of all files under way: enough for a long, fat line, and little enough for memory. */
export const MOST_BYTES_IN_FLIGHT = 64 << 20;
