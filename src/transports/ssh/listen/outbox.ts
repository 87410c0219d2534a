/** What waits to be sent to a client, bounded by what the line takes. */
import type { Duplex } from 'node:stream';

/** The socket below the channel, which ssh2 fills without asking how much it holds. */
export interface Line {
  readonly writableLength: number;
  cork(): void;
  uncork(): void;
  once(event: 'drain', listener: () => void): unknown;
}

/** Bytes that wait in the channel and in the socket before nothing more is read for the client. */
const MOST_WAITING_BYTES = 1 << 20;

/** Answers that fit together are sent as one piece up to this size: one packet of the channel. */
const JOINED_BYTES = 32 * 1024;

export class Outbox {
  readonly #channel: Duplex;
  readonly #line: Line;
  readonly #onRoom: () => void;
  #queue: Buffer[] = [];
  #waitingBytes = 0;
  #drainAwaited = false;
  #flushing = false;

  /** `onRoom` is called whenever there may be room again. */
  constructor(channel: Duplex, line: Line, onRoom: () => void) {
    this.#channel = channel;
    this.#line = line;
    this.#onRoom = onRoom;
  }

  /** Whether as much waits as may. */
  get full(): boolean {
    if (this.#waitingBytes > MOST_WAITING_BYTES) return true;
    if (this.#line.writableLength <= MOST_WAITING_BYTES) return false;
    this.#awaitDrain();
    return true;
  }

  get empty(): boolean {
    return this.#waitingBytes === 0;
  }

  send(packet: Buffer): void {
    this.#queue.push(packet);
    this.#waitingBytes += packet.length;
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.flush());
  }

  #awaitDrain(): void {
    if (this.#drainAwaited) return;
    this.#drainAwaited = true;
    this.#line.once('drain', () => {
      this.#drainAwaited = false;
      this.#onRoom();
    });
  }

  /** What was answered within one turn leaves together: with many requests in flight that saves system calls. */
  flush(): void {
    this.#flushing = false;
    const queue = this.#queue;
    this.#queue = [];
    this.#line.cork();
    let batch: Buffer[] = [];
    let size = 0;
    for (const packet of queue) {
      if (size > 0 && size + packet.length > JOINED_BYTES) {
        this.#write(batch, size);
        batch = [];
        size = 0;
      }
      batch.push(packet);
      size += packet.length;
    }
    if (size > 0) this.#write(batch, size);
    this.#line.uncork();
  }

  #write(batch: readonly Buffer[], size: number): void {
    const piece = batch.length === 1 ? (batch[0] as Buffer) : Buffer.concat(batch, size);
    this.#channel.write(piece, () => {
      this.#waitingBytes -= size;
      this.#onRoom();
    });
  }
}
