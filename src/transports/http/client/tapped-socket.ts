/**
 * Plain connections whose bytes can be taken past the parser of Node's HTTP: it looks at each of a body's bytes, and gives
 * them away in small new pieces, which takes longer than all else that is done with them.
 */
import { Agent, type ClientRequestArgs } from 'node:http';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { BufferPool } from '../../../streams/buffer-pool.js';

const READ_BYTES = 256 << 10;
/** What is shorter is copied, so that a slow line does not fill memory with buffers that are nearly empty. */
const COPIED_BYTES = 64 << 10;
const MOST_SPARE = 24;

/** Takes bytes that are its own until it gives them to `recycle`. False: no more until the socket is resumed. */
export type TakeBytes = (bytes: Buffer) => boolean;

const pool = new BufferPool(READ_BYTES, MOST_SPARE);
const taps = new WeakMap<Socket, Tap>();

class Tap {
  #buffer = pool.take();
  take: TakeBytes | undefined;

  /** Where the next bytes are to be put. */
  get room(): Buffer {
    return this.#buffer;
  }

  /** So many bytes were put there. */
  filled(length: number, socket: Socket): boolean {
    const bytes = this.#buffer.subarray(0, length);
    if (this.take && length > COPIED_BYTES) {
      this.#buffer = pool.take();
      return this.take(bytes);
    }
    const copy = Buffer.from(bytes);
    if (this.take) return this.take(copy);
    socket.emit('data', copy);
    return true;
  }

  close(): void {
    pool.give(this.#buffer);
  }
}

/** Gives connections that `tapBody` can be asked of. */
export class TappedAgent extends Agent {
  override createConnection(options: ClientRequestArgs): Socket {
    const tap = new Tap();
    // Node's net docs, `socket.connect(options)`: `onread`.
    const onread = { buffer: () => tap.room, callback: (length: number) => tap.filled(length, socket) };
    const socket: Socket = connect({ ...options, onread } as NetConnectOpts);
    taps.set(socket, tap);
    return socket.once('close', () => tap.close());
  }
}

/**
 * From now on all that comes on the connection goes to `take`, and nothing to the parser, so that the connection brings no
 * further answer. False, and nothing was done, for a connection of another kind.
 */
export function tapBody(socket: Socket, take: TakeBytes): boolean {
  const tap = taps.get(socket);
  if (tap) tap.take = take;
  return tap !== undefined;
}

/** Gives back bytes that were taken, once nobody looks at them any more. */
export function recycle(bytes: Buffer): void {
  pool.give(bytes);
}
