/**
 * The rest of a long body, read from its connection straight into memory that is used again. Node's parser copies each
 * 64 KiB into new memory, and to make and clear that takes as long as all else that is done with the bytes.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { BufferPool } from '../../../../streams/buffer-pool.js';

const BUFFER_BYTES = 512 << 10;

/** What is left of a buffer is not read into where it is less. */
const LEAST_BYTES = 64 << 10;

const pool = new BufferPool(BUFFER_BYTES, 16);

/** How many chunks of a buffer are out, and whether more will be. */
interface Lent {
  out: number;
  used: boolean;
}

const lent = new WeakMap<ArrayBufferLike, Lent>();

/** Gives back a chunk that was taken. Any other is left alone. */
export function giveBack(chunk: Buffer): void {
  const count = lent.get(chunk.buffer);
  if (!count) return;
  count.out -= 1;
  if (count.used && count.out === 0) pool.give(chunk);
}

export interface StraightReads {
  resume(): void;
  pause(): void;
}

interface Handle {
  reading: boolean;
  readStart(): void;
  readStop(): void;
  useUserBuffer(buffer: Uint8Array): void;
}

const METHODS = ['readStart', 'readStop', 'useUserBuffer'] as const;
const FIELDS = ['kBuffer', 'kBufferCb', 'kBufferGen'] as const;

/**
 * Gives the next `bytes` bytes of the connection to `take`, each chunk its taker's own until it is given back, and calls
 * `ended` after the last. From then on nothing can be asked over the connection any more, so that the response has to end
 * it. It needs private fields of Node's: undefined where they are not what Node 20 to 24 have, and for TLS, and then nothing
 * was changed.
 */
export function readStraight(
  request: IncomingMessage,
  bytes: number,
  take: (chunk: Buffer) => void,
  ended: () => void,
): StraightReads | undefined {
  const { socket } = request;
  const handle = handleOf(socket);
  const fields = FIELDS.map((name) => symbolOf(socket, name));
  if (!handle || fields.includes(undefined) || 'encrypted' in socket || socket.readableLength > 0) return undefined;
  detachParser(socket);
  let left = bytes;
  const memory = new Memory();
  const receive = (length: number): boolean => {
    const wanted = Math.min(length, left);
    left -= wanted;
    const chunk = memory.use(length).subarray(0, wanted);
    if (wanted > 0) take(chunk);
    if (wanted > 0 && left === 0) {
      request.complete = true;
      request.push(null);
      ended();
    }
    // What follows the body is never looked at.
    return handle.reading && left > 0;
  };
  const [buffer, callback, next] = fields as [symbol, symbol, symbol];
  Reflect.set(socket, buffer, memory.next());
  Reflect.set(socket, callback, receive);
  Reflect.set(socket, next, () => memory.next());
  handle.useUserBuffer(Reflect.get(socket, buffer) as Uint8Array);
  return {
    resume: () => {
      if (handle.reading || left === 0 || socket.destroyed) return;
      handle.reading = true;
      handle.readStart();
    },
    pause: () => {
      if (!handle.reading || socket.destroyed) return;
      handle.reading = false;
      handle.readStop();
    },
  };
}

/** Where the next bytes go: chunk after chunk into one buffer, and then into another one. */
class Memory {
  #buffer = pool.take();
  #start = 0;
  #count = this.#lend();

  next(): Buffer {
    return this.#buffer.subarray(this.#start);
  }

  use(length: number): Buffer {
    const chunk = this.#buffer.subarray(this.#start, this.#start + length);
    this.#start += length;
    this.#count.out += 1;
    if (this.#buffer.length - this.#start >= LEAST_BYTES) return chunk;
    this.#count.used = true;
    this.#buffer = pool.take();
    this.#start = 0;
    this.#count = this.#lend();
    return chunk;
  }

  #lend(): Lent {
    const count = { out: 0, used: false };
    lent.set(this.#buffer.buffer, count);
    return count;
  }
}

/** The parser, and the server that watches it, let go of the connection. */
function detachParser(socket: Socket): void {
  const ignore = (): void => undefined;
  // Whoever listens to the bytes themselves makes the parser hand them over.
  socket.on('data', ignore);
  socket.removeAllListeners('data').removeAllListeners('end');
  // Before the end of the body; after it the response ends the connection.
  socket.on('end', () => {
    if (!socket.writableEnded) socket.destroy();
  });
}

function handleOf(socket: Socket): Handle | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null || typeof Reflect.get(handle, 'reading') !== 'boolean')
    return undefined;
  return METHODS.every((method) => typeof Reflect.get(handle, method) === 'function') ? (handle as Handle) : undefined;
}

function symbolOf(socket: Socket, name: string): symbol | undefined {
  return Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === name);
}
