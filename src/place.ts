/** A file or a directory on a disk of this machine. */
export interface Place {
  /** Absolute, as this system writes it, without links. */
  readonly path: string;
  /**
   * What tells one directory from every other, for each from the root down to it, itself included where it is one: the
   * same under whatever name, in whatever case, the directory was reached.
   */
  readonly directories: readonly string[];
}
