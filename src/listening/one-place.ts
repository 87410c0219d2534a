/** What is shared and what is changed by clients are one place. */
import { XferError } from '../errors.js';
import type { Sink, Source } from '../transport.js';

/** USAGE where they are two: what was put would not be what is shown, and would be checked against it. */
export function checkOnePlace(share: Source, receive: Sink | undefined): void {
  if (receive === undefined || place(share) === place(receive)) return;
  throw new XferError('USAGE', `serve ${share.label}: what is put would go to another place, ${receive.label}`, {
    hint: 'open the source and the sink at the same directory',
  });
}

function place({ identity }: Source | Sink): string {
  return identity.replace(/\/+$/, '');
}
