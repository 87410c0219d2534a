/** Words for a person: they are shown, and nothing is made of them. */
import { XferError } from '../../../../errors.js';
import { type BodyReader, BodyWriter } from '../body.js';
import { FRAME, type FrameKind } from '../frame.js';
import { type Offered, writeEntry } from '../messages.js';
import { checkPut, readPut } from './put-body.js';
import type { ReceiveEvents } from './receive-events.js';

export class OfferedText {
  readonly #offered: Offered;
  readonly #events: Pick<ReceiveEvents, 'onText'>;
  #isShown = false;

  constructor(offered: Offered, events: Pick<ReceiveEvents, 'onText'>) {
    this.#offered = offered;
    this.#events = events;
  }

  /** The body of the answer, or undefined for an empty one. PROTOCOL for what asks for more than to show the words, CORRUPT. */
  answer(kind: FrameKind, body: BodyReader): Buffer | undefined {
    if (kind === FRAME.stat) return this.#stat(body);
    if (kind === FRAME.put) return this.#put(body);
    throw new XferError('PROTOCOL', `frame of kind ${kind}: words were offered, and nothing else`);
  }

  /** The target is a directory in which there is nothing. */
  #stat(body: BodyReader): Buffer {
    const path = body.text();
    body.end();
    if (path !== '') return new BodyWriter().u8(0).bytes();
    return writeEntry(new BodyWriter().u8(1), { path, kind: 'directory' }).bytes();
  }

  #put(body: BodyReader): undefined {
    const put = readPut(body);
    const { path, kind, size } = put.entry;
    const { name, size: offeredBytes } = this.#offered;
    if (path !== name || kind !== 'file' || size !== offeredBytes) {
      throw new XferError('PROTOCOL', `put ${path}: it is not the words that were offered`);
    }
    checkPut(put);
    // It comes again where the answer was lost.
    if (!this.#isShown) this.#events.onText?.(put.bytes);
    this.#isShown = true;
  }
}
