/** What waits to be sent to a client, bounded by what the line takes. */
import type { Duplex } from 'node:stream';
import { joinPackets } from '../sftp/join-packets.js';

/** The socket below the channel, which ssh2 fills without asking how much it holds. */
export interface Line {
  readonly writableLength: number;
  cork(): void;
  uncork(): void;
  once(event: 'drain', listener: () => void): unknown;
}

/** Bytes that wait in the channel and in the socket before nothing more is read for the client. */
const MOST_WAITING_BYTES = 1 << 20;

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
    for (const piece of joinPackets(queue)) this.#write(piece);
    this.#line.uncork();
  }

  #write(piece: Buffer): void {
    this.#channel.write(piece, () => {
      this.#waitingBytes -= piece.length;
      this.#onRoom();
    });
  }
}
