/** CRC-32s of an archive's files, by row, as far as they are known. */

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
 * it. Bounded in rows, at five bytes each; the one that was not asked for longest goes first.
 */
export class RecentChecksums {
  readonly #mostRows: number;
  readonly #kept = new Map<string, Checksums>();
  #rows = 0;

  constructor(mostRows: number) {
    this.#mostRows = mostRows;
  }

  /** Those of an archive whose `version` says that its bytes are the same. */
  of(version: string, rows: number): Checksums {
    const found = this.#kept.get(version) ?? new Checksums(rows);
    if (!this.#kept.delete(version)) this.#rows += rows;
    this.#kept.set(version, found);
    for (const [oldest, { rows: freed }] of this.#kept) {
      if (this.#rows <= this.#mostRows) break;
      this.#kept.delete(oldest);
      this.#rows -= freed;
    }
    return found;
  }
}
