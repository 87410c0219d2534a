/**
 * How far into its memory a large buffer begins. What is allocated begins a few bytes into a page; a file's bytes begin with
 * one. Processors of AMD (Zen) take four times as long to copy to an address that is just above the other's modulo 4096.
 */
const AWAY_FROM_PAGE_BYTES = 2032;
/** What is smaller lies anywhere in the heap. */
const OWN_PAGES_BYTES = 128 << 10;

/** A buffer of its own memory, whose bytes are whatever they were, that a file is read into fast. */
export function bulkBuffer(bytes: number): Buffer {
  const from = bytes < OWN_PAGES_BYTES ? 0 : AWAY_FROM_PAGE_BYTES;
  return Buffer.allocUnsafeSlow(from + bytes).subarray(from);
}

/**
 * Buffers of one size that are used again. One of this size that is new has each of its pages cleared and mapped first, which
 * takes longer than all that is done with its bytes.
 */
export class BufferPool {
  readonly #bufferBytes: number;
  readonly #mostKept: number;
  readonly #free: Buffer[] = [];
  readonly #lent = new WeakSet<ArrayBufferLike>();

  constructor(bufferBytes: number, mostKept: number) {
    this.#bufferBytes = bufferBytes;
    this.#mostKept = mostKept;
  }

  /** A buffer whose bytes are whatever they were. Who does not give it back leaves it to the garbage collector. */
  take(): Buffer {
    const buffer = this.#free.pop() ?? bulkBuffer(this.#bufferBytes);
    this.#lent.add(buffer.buffer);
    return buffer;
  }

  /** Takes back the buffer that a view shows a part of; nobody may look at it any more. What is not lent is left alone. */
  give(view: Uint8Array): void {
    const { buffer } = view;
    if (!this.#lent.delete(buffer) || this.#free.length >= this.#mostKept) return;
    this.#free.push(Buffer.from(buffer, buffer.byteLength - this.#bufferBytes));
  }
}

/** A stream whose chunks may be given back, to be filled again. */
export interface Recycling {
  /** The chunk was written, or else used up: nobody looks at its bytes any more. */
  recycle(chunk: Buffer): void;
}

/** How to give a stream's chunks back, where it takes them. */
export function recyclerOf(stream: object): ((chunk: Buffer) => void) | undefined {
  const { recycle } = stream as Partial<Recycling>;
  return typeof recycle === 'function' ? recycle.bind(stream) : undefined;
}
