/** What a sender asks on one connection, and the answers. */
import { XferError } from '../../../../errors.js';
import { BodyReader } from '../body.js';
import { FRAME, type FrameKind } from '../frame.js';
import type { Lane } from '../lane.js';
import { decodeFailure } from '../messages.js';

/** Who waits for the answer to one request. */
export interface Asker {
  readonly onDone: (body: Buffer) => void;
  readonly onFailed: (error: XferError) => void;
  /** The far side holds so many bytes of a stream. */
  readonly onHeld?: (bytes: number) => void;
}

export class Requests {
  readonly lane: Lane;
  readonly #asked = new Map<number, Asker>();
  #lastId = 0;

  /** Starts the lane. `onGone` is called once, when the connection has ended and each request on it has failed. */
  constructor(lane: Lane, onGone: (requests: Requests) => void) {
    this.lane = lane;
    lane.start({
      onFrame: (kind, id, body) => this.#take(kind, id, body),
      onBytes: () => this.#unexpected(FRAME.bytes),
      onGone: (error) => {
        const askers = [...this.#asked.values()];
        this.#asked.clear();
        onGone(this);
        for (const asker of askers) asker.onFailed(error);
      },
    });
  }

  /** Requests without an answer yet. */
  get count(): number {
    return this.#asked.size;
  }

  /** Sends a request, and gives its number. */
  begin(kind: FrameKind, parts: readonly Uint8Array[], asker: Asker): number {
    this.#lastId = (this.#lastId + 1) % 0x1_0000_0000;
    const id = this.#lastId;
    this.lane.send(kind, id, ...parts);
    if (this.lane.failure) asker.onFailed(this.lane.failure);
    else this.#asked.set(id, asker);
    return id;
  }

  /** Resolves with the body of the answer; rejects with the far side's error, or that of the connection. */
  ask(kind: FrameKind, ...parts: Uint8Array[]): Promise<Buffer> {
    return new Promise((onDone, onFailed) => void this.begin(kind, parts, { onDone, onFailed }));
  }

  /** No answer is waited for any more. */
  forget(id: number): void {
    this.#asked.delete(id);
  }

  #take(kind: FrameKind, id: number, body: Buffer): void {
    if (kind === FRAME.ping) return;
    const asker = this.#asked.get(id);
    if (kind === FRAME.held) asker?.onHeld?.(new BodyReader(body).u64());
    else if (kind !== FRAME.done && kind !== FRAME.failed) this.#unexpected(kind);
    else if (asker) {
      this.#asked.delete(id);
      if (kind === FRAME.failed) asker.onFailed(decodeFailure(body));
      else asker.onDone(Buffer.from(body));
    }
  }

  #unexpected(kind: FrameKind): never {
    throw new XferError('PROTOCOL', `connection ${this.lane.label}: a receiver does not send frames of kind ${kind}`);
  }
}
