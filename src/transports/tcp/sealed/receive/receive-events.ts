/** What a receiver tells of, and is asked. */
import type { XferError } from '../../../../errors.js';
import type { Scope } from '../../../../transport.js';
import type { Offer } from '../messages.js';

export interface ReceiveEvents {
  /** Says whether what is offered is taken; may ask a person. */
  readonly onOffer: (offer: Offer, scope: Scope) => Promise<boolean>;
  readonly onStart?: (path: string, size: number | undefined, heldBytes: number) => void;
  /** So many further bytes are held of a file. */
  readonly onBytes?: (path: string, bytes: number) => void;
  readonly onFile?: (path: string, bytes: number, digest: string | undefined) => void;
  /** Words for a person, in place of files. */
  readonly onText?: (text: Buffer) => void;
  readonly onMade?: (path: string, kind: 'directory' | 'symlink') => void;
  /** Something could not be taken. The sender knows. */
  readonly onFailed?: (path: string, error: XferError) => void;
  /** The offer was not taken, and the sender, which ends then, was told why. */
  readonly onRefused?: (error: XferError) => void;
  /** The last connection was lost; the sender may come back. */
  readonly onLost?: (error: XferError) => void;
  readonly onFarewell?: (farewell: Farewell) => void;
}

/** How a sender says its copy went. */
export interface Farewell {
  readonly files: number;
  readonly bytes: number;
  readonly failures: number;
}
