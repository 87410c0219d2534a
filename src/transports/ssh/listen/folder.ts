/** What a listener shares, and what of it may be changed. */
import { XferError } from '../../../errors.js';
import { checkOnePlace } from '../../../listening/one-place.js';
import type { ListenOptions, Scope, Sink, Source } from '../../../transport.js';
import { Drafts } from './drafts.js';

export type SharedSource = Source & Required<Pick<Source, 'stat' | 'look' | 'list' | 'open'>>;
export type ReceivingSink = Sink & Required<Pick<Sink, 'edit' | 'change' | 'rename' | 'remove'>>;

export interface Folder {
  readonly share: SharedSource;
  /** Absent: nothing may be changed. */
  readonly receive?: ReceivingSink;
  /** Shared by all who are logged in. */
  readonly drafts: Drafts;
  readonly scope: Scope;
}

/**
 * USAGE where nothing is shared or what is received would go to another place, UNSUPPORTED where the source or the sink lacks
 * what a file server needs, NOT_FOUND where the root is not a directory.
 */
export async function openFolder({ share, receive }: ListenOptions, scope: Scope): Promise<Folder> {
  if (share === undefined) throw new XferError('USAGE', 'serve: nothing to share is given');
  if (!canBeShared(share)) {
    throw new XferError('UNSUPPORTED', `serve ${share.label}: its files cannot be opened one by one`, {
      hint: 'share a local directory, as in: xfer serve --sftp .',
    });
  }
  if (receive !== undefined && !canReceive(receive)) {
    throw new XferError('UNSUPPORTED', `serve ${receive.label}: its files cannot be changed in place`);
  }
  checkOnePlace(share, receive);
  const root = await share.stat('', scope);
  if (!root) throw new XferError('NOT_FOUND', `serve ${share.label}: no such directory`);
  if (root.kind !== 'directory') {
    throw new XferError('UNSUPPORTED', `serve ${share.label}: not a directory`, {
      hint: 'share the directory that it is in',
    });
  }
  return { share, drafts: new Drafts(), scope, ...(receive === undefined ? {} : { receive }) };
}

function canBeShared(source: Source): source is SharedSource {
  return [source.stat, source.look, source.list, source.open].every((method) => method !== undefined);
}

function canReceive(sink: Sink): sink is ReceivingSink {
  return [sink.edit, sink.change, sink.rename, sink.remove].every((method) => method !== undefined);
}

/** The sink. DENIED where nothing may be changed. */
export function changeable({ receive }: Folder): ReceivingSink {
  if (receive) return receive;
  throw new XferError('DENIED', 'serve: nothing may be changed here');
}
