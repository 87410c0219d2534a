/** What can be asked of the HTTP listener, besides what every listener takes. */
import type { ListenOptions } from '../../../transport.js';
import type { CgiOptions } from './cgi/options.js';
import type { AccessRecord } from './log/access-log.js';
import type { SiteOptions } from './site/open-site.js';

export interface HttpListenOptions extends ListenOptions, SiteOptions {
  /** Shares names that start with a dot too. */
  readonly hidden?: boolean;
  /**
   * Runs the programs in some directories of the share, which answer requests for them. Only this machine can ask then,
   * unless `hosts` says otherwise.
   */
  readonly cgi?: CgiOptions;
  /** Told of each request when its response has ended, in whatever way. */
  readonly onRequest?: (record: AccessRecord) => void;
  /** How long a client may take to send the head of a request; 10 s by default. */
  readonly headersTimeoutMs?: number;
  /** A connection on which nothing moved for so long is cut; 60 s by default. */
  readonly idleTimeoutMs?: number;
}
