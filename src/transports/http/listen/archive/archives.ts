/** What all archives of one listener share: room for so many at once, and checksums. */
import { XferError } from '../../../../errors.js';
import { ClientPlaces } from '../../../../listening/client-places.js';
import { RecentChecksums } from './checksums.js';

/** Rows of all archives under way together, at about 80 bytes each. */
const MOST_ROWS = 1_000_000;
/** As many as one download in pieces may have connections. */
const MOST_UNDER_WAY = 32;
/** Each keeps a core busy. */
const MOST_COMPRESSED = 2;

export interface ArchiveLimits {
  /** Files and folders in all archives together; 1,000,000 by default. */
  readonly rows: number;
  /** Archives; 32 by default. */
  readonly underWay: number;
  /** Of those, the ones that are compressed; 2 by default. */
  readonly compressed: number;
}

/** The room that one archive has. */
export interface ArchiveRoom {
  /** Takes a row. NO_SPACE where those of all archives under way are too many. */
  takeRow(): void;
  /** It has as many rows as all may have together. */
  readonly full: boolean;
  /** Gives all back. */
  leave(): void;
}

export class Archives {
  readonly checksums: RecentChecksums;
  readonly #limits: ArchiveLimits;
  readonly #underWay: ClientPlaces;
  readonly #compressed: ClientPlaces;
  #rows = 0;

  constructor(limits: Partial<ArchiveLimits> = {}) {
    this.#limits = { rows: MOST_ROWS, underWay: MOST_UNDER_WAY, compressed: MOST_COMPRESSED, ...limits };
    this.#underWay = new ClientPlaces(this.#limits.underWay);
    this.#compressed = new ClientPlaces(this.#limits.compressed);
    this.checksums = new RecentChecksums(this.#limits.rows);
  }

  /** Undefined where as many are under way as there may be at once, or as one client at this address may have. */
  enter(compresses: boolean, address: string | undefined): ArchiveRoom | undefined {
    const mostRows = this.#limits.rows;
    const leave = this.#underWay.take(address);
    const leaveCompressed = compresses ? this.#compressed.take(address) : undefined;
    if (!leave || (compresses && !leaveCompressed)) {
      leave?.();
      return undefined;
    }
    let rows = 0;
    return {
      takeRow: () => {
        if (this.#rows >= mostRows) throw new XferError('NO_SPACE', 'archive: too many files and folders');
        rows += 1;
        this.#rows += 1;
      },
      get full() {
        return rows >= mostRows;
      },
      leave: () => {
        leave();
        leaveCompressed?.();
        this.#rows -= rows;
      },
    };
  }
}
