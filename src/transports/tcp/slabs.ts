/** Memory for what one socket receives. */
import { bulkBuffer } from '../../streams/buffer-pool.js';

const SLAB_BYTES = 1 << 20;
/** Less is no longer read into: a read is worth its system call. */
const SMALLEST_READ_BYTES = 256 << 10;
/** As many as are under way between a fast line and a fast disk. */
const MOST_KEPT = 4;

interface Slab {
  readonly bytes: Buffer;
  used: number;
  /** Bytes that were taken and not given back. */
  lent: number;
}

/**
 * Slabs that are filled piece by piece, and again once all that was taken of one was given back: new memory has each of its
 * pages cleared and mapped first, which takes longer than to receive into it. What is not given back is left to its taker.
 */
export class Slabs {
  readonly #free: Slab[] = [];
  readonly #lent = new WeakMap<ArrayBufferLike, Slab>();
  #current: Slab | undefined;

  /** Where the next read may put its bytes. */
  room(): Buffer {
    const { bytes, used } = this.#slab();
    return bytes.subarray(used);
  }

  /** The first `length` bytes of that room, which are the taker's own from then on. */
  take(length: number): Buffer {
    const slab = this.#current ?? this.#slab();
    const taken = slab.bytes.subarray(slab.used, slab.used + length);
    slab.used += length;
    slab.lent += length;
    return taken;
  }

  /** Takes back bytes, in whatever pieces, that nobody looks at any more. What is not of a slab is left alone. */
  give({ buffer, length }: Uint8Array): void {
    const slab = this.#lent.get(buffer);
    if (!slab) return;
    slab.lent -= length;
    if (slab.lent === 0 && slab !== this.#current) this.#keep(slab);
  }

  #slab(): Slab {
    const full = this.#current;
    if (full?.lent === 0) full.used = 0;
    if (full && SLAB_BYTES - full.used >= SMALLEST_READ_BYTES) return full;
    this.#current = this.#free.pop() ?? makeSlab();
    this.#lent.set(this.#current.bytes.buffer, this.#current);
    return this.#current;
  }

  #keep(slab: Slab): void {
    slab.used = 0;
    if (this.#free.length < MOST_KEPT) this.#free.push(slab);
  }
}

function makeSlab(): Slab {
  return { bytes: bulkBuffer(SLAB_BYTES), used: 0, lent: 0 };
}
