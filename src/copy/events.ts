/** What a copy tells while it runs, and what it says at its end. Bytes are absolute and held by the far side. */
import type { XferError } from '../errors.js';

export type CopyEvent =
  | { readonly type: 'plan'; readonly files: number; readonly bytes: number; readonly complete: boolean }
  | { readonly type: 'start'; readonly path: string; readonly size?: number; readonly heldBytes: number }
  | { readonly type: 'progress'; readonly path: string; readonly bytes: number; readonly size?: number }
  | {
      readonly type: 'retry';
      readonly path: string;
      readonly attempt: number;
      readonly delayMs: number;
      readonly error: XferError;
    }
  | { readonly type: 'restart'; readonly path: string; readonly reason: string }
  | { readonly type: 'finish'; readonly path: string; readonly bytes: number; readonly digest?: string }
  /** The copy of a file ends unfinished; so many bytes are kept, and the same copy goes on with them. */
  | { readonly type: 'suspend'; readonly path: string; readonly heldBytes: number }
  | { readonly type: 'skip'; readonly path: string; readonly reason: string }
  | { readonly type: 'fail'; readonly path: string; readonly error: XferError }
  /** Unfinished files are left at the target, `path`; what was copied is whole. */
  | { readonly type: 'leftover'; readonly path: string; readonly error: XferError }
  | { readonly type: 'done'; readonly result: CopyResult };

export interface CopyFailure {
  readonly path: string;
  readonly error: XferError;
}

export interface CopyResult {
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  readonly skipped: number;
  /** Of those, what `exclude` names; of a directory that it names, what is in it as well. */
  readonly excluded: number;
  /** Of those, what has the size and the time of its source already, or the digest where a proof was asked for. */
  readonly alreadyWhole: number;
  /** Bytes of the files that arrived. */
  readonly bytes: number;
  /** Of those, bytes that an earlier run had left and that were not sent again. */
  readonly resumedBytes: number;
  readonly failures: readonly CopyFailure[];
  /** The weakest proof among the files that arrived: a digest, the announced length, or none. */
  readonly verified: 'sha512' | 'sha256' | 'size' | 'none';
  /** Who stated the digests that were compared, as in `SHA256SUMS`; absent where both ends were compared. */
  readonly statedBy?: string;
  /** For a digest: some copies were read back for it; else the far side computed it of each by itself. */
  readonly readBack: boolean;
  readonly elapsedMs: number;
  /** SHA-256 in lower-case hex of each file for which it was computed. */
  readonly digests: ReadonlyMap<string, string>;
}
