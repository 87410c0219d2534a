/** The buffers that file bytes are read into on their way to connections. */
import { BufferPool } from '../../../streams/buffer-pool.js';

const LARGE_BYTES = 512 << 10;
const SMALL_BYTES = 64 << 10;

/** Large buffers that are out at once; a thousand slow clients must not hold one each. */
const MOST_LARGE = 32;

const large = new BufferPool(LARGE_BYTES, 16);
const small = new BufferPool(SMALL_BYTES, 512);
let largeOut = 0;

/** Lent until `giveBack`, which each of them must come to. */
export interface SendBuffer {
  readonly bytes: Buffer;
  /** There is room for another one, to be filled while this one is sent. */
  readonly ample: boolean;
}

export function takeSendBuffer(): SendBuffer {
  if (largeOut >= MOST_LARGE) return { bytes: small.take(), ample: false };
  largeOut += 1;
  return { bytes: large.take(), ample: true };
}

export function giveBack({ bytes, ample }: SendBuffer): void {
  if (ample) largeOut -= 1;
  (ample ? large : small).give(bytes);
}
