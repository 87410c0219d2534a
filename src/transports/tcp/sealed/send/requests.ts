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
  /** The far side holds so many further bytes of a stream. Absent: it has no reason to say so. */
  readonly onHeld?: (bytes: number) => void;
}

export class Requests {
  readonly lane: Lane;
  readonly #asked = new Map<number, Asker>();
  #lastId = 0;

  /** Starts the lane. `onGone` is called once, when the connection has ended, before each request on it fails. */
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

  /** Sends a request, and gives its number, which is never 0. */
  begin(kind: FrameKind, parts: readonly Uint8Array[], asker: Asker): number {
    this.#lastId = (this.#lastId % 0xffff_ffff) + 1;
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

  /** Answers to what was forgotten, or was never asked, are passed over. */
  #take(kind: FrameKind, id: number, body: Buffer): void {
    if (kind === FRAME.ping) return;
    const asker = this.#asked.get(id);
    if (kind === FRAME.held) asker?.onHeld?.(new BodyReader(body).u64());
    else if (kind !== FRAME.done && kind !== FRAME.failed) this.#unexpected(kind);
    else if (id === 0) this.#ended(kind, body);
    else if (asker) {
      this.#asked.delete(id);
      if (kind === FRAME.failed) asker.onFailed(decodeFailure(body));
      else asker.onDone(Buffer.from(body));
    }
  }

  /** The receiver ends the connection, and says why. */
  #ended(kind: FrameKind, body: Buffer): void {
    if (kind !== FRAME.failed) this.#unexpected(kind);
    this.lane.cut(decodeFailure(body));
  }

  #unexpected(kind: FrameKind): never {
    throw new XferError(
      'PROTOCOL',
      `connection ${this.lane.label}: a receiver does not send such frames (kind ${kind})`,
    );
  }
}
