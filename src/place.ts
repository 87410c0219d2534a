/** A file or a directory on a disk of this machine. */
export interface Place {
  /** Absolute, as this system writes it, without links. */
  readonly path: string;
  /** The root that it is below, or is, written so too. */
  readonly root: string;
  /**
   * What tells one directory from every other, for each from the root down to it, itself included where it is one: the
   * same under whatever name, in whatever case, the directory was reached.
   */
  readonly directories: readonly string[];
}

/** Room in a file system, as statvfs(3) counts it. */
export interface Space {
  readonly blockBytes: number;
  readonly blocks: number;
  readonly freeBlocks: number;
  /** Of the free ones, what is there for everybody. */
  readonly availableBlocks: number;
  readonly files: number;
  readonly freeFiles: number;
}
