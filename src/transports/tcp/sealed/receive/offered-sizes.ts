/** What a person agreed to take: a file that was offered with its size becomes no longer, and nothing but a file. */
import { XferError } from '../../../../errors.js';
import type { Entry } from '../../../../transport.js';
import type { Offer, Offered } from '../messages.js';

export class OfferedSizes {
  readonly #offer: Offer;

  constructor(offer: Offer) {
    this.#offer = offer;
  }

  /**
   * SOURCE_CHANGED where something was offered as another kind, or as shorter. What was offered without a size, as standard
   * input and directories are, may have any.
   */
  check({ path, kind, size }: Entry): void {
    const offered = this.#offeredAs(path);
    if (offered.length === 0 || offered.some((each) => covers(each, { path, kind, size }))) return;
    const [{ kind: was, size: bytes }] = offered as [Offered, ...Offered[]];
    const sent = kind === 'file' ? `${size ?? 'an unknown number of'} bytes` : `a ${kind}`;
    const agreed = bytes === undefined ? `a ${was}` : `${bytes} bytes`;
    throw new XferError('SOURCE_CHANGED', `receive ${path}: ${sent}, where ${agreed} were offered and taken`, {
      hint: 'send it again, so that the receiver is asked for what it is by now',
    });
  }

  /** A thing that comes alone may have the name of the target. */
  #offeredAs(path: string): readonly Offered[] {
    const { things, count } = this.#offer;
    const [top] = path.split('/', 1);
    return count === 1 ? things : things.filter(({ name }) => name === top);
  }
}

function covers(offered: Offered, { path, kind, size }: Pick<Entry, 'path' | 'kind'> & { size: number | undefined }) {
  if (offered.kind === 'directory') return true;
  if (path.includes('/') || kind !== offered.kind) return false;
  return offered.size === undefined || (size !== undefined && size <= offered.size);
}
