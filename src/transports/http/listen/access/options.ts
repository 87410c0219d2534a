/** Who may do what, and where the share stands below its host. */
import type { Account } from '../../../../listening/accounts.js';

export interface AccessOptions {
  /** Who may log in, by Basic authentication (RFC 7617); everybody may come in where absent. */
  readonly accounts?: readonly Account[];
  /** What needs a login where there are accounts: everything, by default, or what changes something alone. */
  readonly loginFor?: 'everything' | 'writes';
  /** First part of each path below the base path, without which nothing is there: 22 to 128 of A-Z, a-z, 0-9, - and _. */
  readonly token?: string;
  /** Path that stands before the share in each URL, as in `/files`, because a reverse proxy passes it on. */
  readonly basePath?: string;
  /** The listener ends after so many files were downloaded whole. */
  readonly maxDownloads?: number;
  /** The listener ends after this time. */
  readonly expiresMs?: number;
  /** Addresses and networks (`192.168.1.0/24`, `fd00::/8`) that may connect; all, where absent. */
  readonly allow?: readonly string[];
  /**
   * Names in the Host field that are answered to, besides addresses, localhost, this machine's name and `hosts`: `name`,
   * `*.name` for all below it, `*` for any. A page of another site could reach the share through any other name.
   */
  readonly allowHosts?: readonly string[];
}
