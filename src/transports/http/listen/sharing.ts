/** What the parts of the listener know of what is shared. */
import { XferError } from '../../../errors.js';
import type { Scope, Source } from '../../../transport.js';
import type { Gate } from './access/gate.js';
import type { Archives } from './archive/archives.js';
import type { Cgi } from './cgi/cgi.js';
import type { ReprDigests } from './file/repr-digest.js';
import type { Site } from './site/site.js';
import type { TargetPolicy } from './target.js';
import type { Uploads } from './upload/uploads.js';

/** A source whose single files can be asked for. */
export type SharedSource = Source & Required<Pick<Source, 'stat' | 'list' | 'open'>>;

export interface Sharing extends TargetPolicy {
  readonly share: SharedSource;
  readonly scope: Scope;
  readonly gate: Gate;
  /** The share is a web site, and this answers for it. */
  readonly site?: Site;
  /** Programs in the share that answer requests; `share` is without them then. */
  readonly cgi?: Cgi;
  /** What others put into the share. */
  readonly uploads?: Uploads;
  readonly archives: Archives;
  readonly digests: ReprDigests;
  /** Nothing is given to whom it would not reach encrypted. */
  readonly encrypted?: boolean;
}

/** The source as one that can be shared. USAGE where there is none, UNSUPPORTED where it lacks `stat`, `list` or `open`. */
export function sharedSource(source: Source | undefined): SharedSource {
  if (source === undefined) throw new XferError('USAGE', 'serve: nothing to share is given');
  if (canBeShared(source)) return source;
  throw new XferError('UNSUPPORTED', `serve ${source.label}: its files cannot be opened one by one`, {
    hint: 'share a local directory, as in: xfer serve .',
  });
}

function canBeShared(source: Source): source is SharedSource {
  return source.stat !== undefined && source.list !== undefined && source.open !== undefined;
}
