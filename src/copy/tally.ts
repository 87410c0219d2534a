/** What a copy has done so far, and what it says of that at its end. */
import { XferError } from '../errors.js';
import { NOT_A_FILE } from '../other-kind.js';
import type { CopyFailure, CopyResult } from './events.js';
import { weaker } from './proof.js';
import { ALREADY_WHOLE, EXCLUDED } from './skip-reasons.js';
import type { TransferResult } from './transfer.js';

/** A source that fails without end, as a hostile server's may, ends the copy. */
const MOST_FAILURES = 50_000;

export class Tally {
  readonly #startedAtMs = performance.now();
  readonly #failures: CopyFailure[] = [];
  readonly #digests = new Map<string, string>();
  readonly #statedBy = new Set<string>();
  readonly #count = {
    files: 0,
    directories: 0,
    symlinks: 0,
    skipped: 0,
    excluded: 0,
    alreadyWhole: 0,
    bytes: 0,
    resumedBytes: 0,
  };
  #otherKinds = 0;
  #verified: CopyResult['verified'] = 'sha512';
  #readBack = false;

  /** A file arrived. */
  file(name: string, result: TransferResult): void {
    this.#count.files += 1;
    this.#count.bytes += result.bytes;
    this.#count.resumedBytes += result.resumedBytes;
    this.#readBack ||= result.readBack === true;
    this.#verified = weaker(this.#verified, result.verified);
    if (result.statedBy !== undefined) this.#statedBy.add(result.statedBy);
    if (result.digest !== undefined) this.#digests.set(name, result.digest);
  }

  directory(): void {
    this.#count.directories += 1;
  }

  symlink(): void {
    this.#count.symlinks += 1;
  }

  skip(reason: string): void {
    this.#count.skipped += 1;
    if (reason === ALREADY_WHOLE) this.#count.alreadyWhole += 1;
    if (reason === EXCLUDED) this.#count.excluded += 1;
    if (reason === NOT_A_FILE) this.#otherKinds += 1;
  }

  fail(failure: CopyFailure): void {
    this.#failures.push(failure);
  }

  /** PARTIAL where so much failed, or is no file, that the source has no end. */
  checkHope(): void {
    const [first] = this.#failures;
    const reason = this.#otherKinds > MOST_FAILURES ? NOT_A_FILE : first?.error.message;
    if (Math.max(this.#otherKinds, this.#failures.length) <= MOST_FAILURES) return;
    throw new XferError('PARTIAL', `copy: stopped after ${MOST_FAILURES} failures, the first: ${reason}`);
  }

  /** Throws the first failure where there is nothing else to tell. */
  result(): CopyResult {
    const { files, directories, symlinks, skipped } = this.#count;
    const [first] = this.#failures;
    if (first && files + directories + symlinks + skipped === 0) throw this.#only(first);
    return {
      ...this.#count,
      failures: this.#failures,
      verified: files === 0 ? 'none' : this.#verified,
      elapsedMs: performance.now() - this.#startedAtMs,
      readBack: this.#readBack,
      ...(this.#statedBy.size > 0 ? { statedBy: [...this.#statedBy].join(', ') } : {}),
      digests: this.#digests,
    };
  }

  #only(first: CopyFailure): XferError {
    if (this.#failures.length === 1) return first.error;
    const { code, message, hint } = first.error;
    return new XferError(code, `${message} (and ${this.#failures.length - 1} more failed)`, {
      hint,
      cause: first.error,
    });
  }
}
