/** CRC-32s of an archive's files, by row, as far as they are known. */
import { Recent } from '../../../../recent.js';

export class Checksums {
  readonly #values: Uint32Array;
  readonly #known: Uint8Array;

  constructor(rows: number) {
    this.#values = new Uint32Array(rows);
    this.#known = new Uint8Array(rows);
  }

  get rows(): number {
    return this.#known.length;
  }

  get(row: number): number | undefined {
    return this.#known[row] === 1 ? this.#values[row] : undefined;
  }

  set(row: number, crc: number): void {
    this.#values[row] = crc;
    this.#known[row] = 1;
  }
}

/**
 * What was computed for archives of late, so that who resumes one does not have all of its files read again for the end of
 * it. Bounded in rows, at five bytes each.
 */
export class RecentChecksums {
  readonly #kept: Recent<string, Checksums>;

  constructor(mostRows: number) {
    this.#kept = new Recent({
      most: Number.POSITIVE_INFINITY,
      mostWeight: mostRows,
      weightOf: (checksums) => checksums.rows,
    });
  }

  /** Those of an archive whose `version` says that its bytes are the same. */
  of(version: string, rows: number): Checksums {
    const known = this.#kept.get(version);
    if (known) return known;
    const found = new Checksums(rows);
    this.#kept.set(version, found);
    return found;
  }
}
