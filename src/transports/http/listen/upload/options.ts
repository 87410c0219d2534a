/** What may be uploaded, and what becomes of it. */

export interface UploadOptions {
  /** Nothing is listed or given away: files can be put there, and that is all. */
  readonly only?: boolean;
  /** A file may take the place of one that is there. */
  readonly overwrite?: boolean;
  /** What is there may be renamed and removed. */
  readonly manage?: boolean;
  /** Most bytes of one file. */
  readonly mostFileBytes?: number;
  /** Most bytes of all that is in the shared folder, what is on its way in included. */
  readonly quotaBytes?: number;
  /** How long an upload that was broken off may go on; 24 hours by default. What is left of it is removed then. */
  readonly keepPartsMs?: number;
  /**
   * Directory on this machine for what is to be known of uploads after the end of this process. Absent: none goes on after
   * that, and what a killed process left is not found.
   */
  readonly recordsDirectory?: string;
  /** The listener ends after so many files were uploaded whole. */
  readonly mostFiles?: number;
  /** Bodies that may be on their way in at once; 64 by default. */
  readonly mostAtOnce?: number;
}
