/** What can be asked of the HTTP listener, besides what every listener takes. */

import type { MdnsOptions } from '../../../mdns/options.js';
import type { ListenOptions } from '../../../transport.js';
import type { AccessOptions } from './access/options.js';
import type { ArchiveLimits } from './archive/archives.js';
import type { CgiOptions } from './cgi/options.js';
import type { AccessRecord } from './log/access-log.js';
import type { SiteOptions } from './site/options.js';
import type { TlsRenewal } from './tls/renewal.js';
import type { TlsIdentity } from './tls/tls-identity.js';
import type { UploadOptions } from './upload/options.js';

export interface HttpListenOptions extends ListenOptions, AccessOptions, SiteOptions {
  /** Shares names that start with a dot too. */
  readonly hidden?: boolean;
  /** Sends at most so many bytes a second, to all clients together. Those who wait take turns. */
  readonly limitBytesPerSecond?: number;
  /** Sends at most so many bytes a second to each client, however many connections it has. */
  readonly limitClientBytesPerSecond?: number;
  /**
   * Answers `/healthz` with `ok`, and `/metrics` in the text format of Prometheus. Files of these names in the root cannot
   * be asked for then.
   */
  readonly metrics?: boolean;
  /** Announces it in the local network by multicast DNS, until it is closed. What fails there is a notice. */
  readonly mdns?: MdnsOptions;
  /**
   * Runs the programs in some directories of the share, which answer requests for them. Only this machine can ask then,
   * unless `hosts` says otherwise.
   */
  readonly cgi?: CgiOptions;
  /** What may be put into `receive`, which must be the directory of `share`. */
  readonly upload?: UploadOptions;
  /** Told of each request when its response has ended, in whatever way. */
  readonly onRequest?: (record: AccessRecord) => void;
  /** Serves HTTPS, and answers plain HTTP on the same port with a redirect to it. */
  readonly tls?: TlsIdentity;
  /** Where the certificate of `tls` may change meanwhile; what goes wrong with that is told to `onNotice`. */
  readonly tlsRenewal?: TlsRenewal;
  /** How long a client may take to send the head of a request; 10 s by default. */
  readonly headersTimeoutMs?: number;
  /** A connection on which nothing moved for so long is cut; 60 s by default. */
  readonly idleTimeoutMs?: number;
  /** How much of folders that are downloaded as archives may be under way at once. */
  readonly archives?: Partial<ArchiveLimits>;
}
