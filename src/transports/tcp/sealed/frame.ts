/** Frames: what the two ends of a sealed connection say to each other (FRAMES.md). */
import { XferError } from '../../../errors.js';

/** Kinds of frames, by the byte that stands for each. */
export const FRAME = {
  hello: 0x01,
  ping: 0x02,
  offer: 0x10,
  stat: 0x11,
  create: 0x12,
  finish: 0x13,
  put: 0x14,
  draft: 0x15,
  write: 0x16,
  bytes: 0x17,
  end: 0x18,
  abort: 0x19,
  digest: 0x1a,
  commit: 0x1b,
  suspend: 0x1c,
  discard: 0x1d,
  lanes: 0x1e,
  bye: 0x1f,
  done: 0x80,
  failed: 0x81,
  held: 0x82,
} as const;

export type FrameKind = (typeof FRAME)[keyof typeof FRAME];

/** Length of the body (4), kind (1), number of the request (4); all big-endian. */
export const HEADER_BYTES = 9;
/** Of a file's bytes in one frame. */
export const MOST_CHUNK_BYTES = 1 << 20;
/** Of a whole small file with its entry. */
export const MOST_PUT_BYTES = (64 << 10) + (16 << 10);
/** Of anything else. */
export const MOST_BODY_BYTES = 64 << 10;

const KINDS: ReadonlySet<number> = new Set(Object.values(FRAME));

/** The longest body of a frame of this kind. */
export function longestBody(kind: number): number {
  if (kind === FRAME.bytes) return MOST_CHUNK_BYTES;
  return kind === FRAME.put ? MOST_PUT_BYTES : MOST_BODY_BYTES;
}

export function frameHeader(kind: FrameKind, id: number, bodyBytes: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32BE(bodyBytes, 0);
  header.writeUInt8(kind, 4);
  header.writeUInt32BE(id, 5);
  return header;
}

/** What a reader finds. The bytes are the reader's until the call returns, except those of a file, which are the taker's. */
export interface FrameTaker {
  /** A frame that is whole. */
  readonly onFrame: (kind: FrameKind, id: number, body: Buffer) => void;
  /** The next piece of a `bytes` frame; never empty. */
  readonly onBytes: (id: number, bytes: Buffer) => void;
}

/** Cuts what comes into frames. Holds at most one body, and that only once its length was found to be allowed. */
export class FrameReader {
  readonly #taker: FrameTaker;
  readonly #header = Buffer.allocUnsafe(HEADER_BYTES);
  #headerBytes = 0;
  #kind: FrameKind = FRAME.ping;
  #id = 0;
  /** Of the body, still to come. */
  #missing = 0;
  #body: Buffer | undefined;
  #filled = 0;
  #stopped = false;

  constructor(taker: FrameTaker) {
    this.#taker = taker;
  }

  /** Between two frames: where a connection may end. */
  get atBoundary(): boolean {
    return this.#headerBytes === 0;
  }

  /** Gives no more frames, not even those of the piece that is being taken, until `go`. */
  stop(): void {
    this.#stopped = true;
  }

  go(): void {
    this.#stopped = false;
  }

  /**
   * Takes what came, and says how much of it: less only where it was stopped. PROTOCOL for a kind or a length that is not
   * allowed, after which it must not be used again.
   */
  take(piece: Buffer): number {
    let at = 0;
    while (at < piece.length && !this.#stopped) {
      if (this.#headerBytes < HEADER_BYTES) at = this.#takeHeader(piece, at);
      else if (this.#kind === FRAME.bytes) at = this.#passBytes(piece, at);
      else at = this.#gather(piece, at);
    }
    return at;
  }

  #takeHeader(piece: Buffer, at: number): number {
    const length = Math.min(HEADER_BYTES - this.#headerBytes, piece.length - at);
    piece.copy(this.#header, this.#headerBytes, at, at + length);
    this.#headerBytes += length;
    if (this.#headerBytes === HEADER_BYTES) this.#begin();
    return at + length;
  }

  #begin(): void {
    const length = this.#header.readUInt32BE(0);
    const kind = this.#header.readUInt8(4);
    if (!KINDS.has(kind)) throw new XferError('PROTOCOL', `frame of kind ${kind}: there is no such kind`);
    if (length > longestBody(kind)) {
      throw new XferError(
        'PROTOCOL',
        `frame of kind ${kind}: ${length} bytes long, and ${longestBody(kind)} is the most`,
      );
    }
    this.#kind = kind as FrameKind;
    this.#id = this.#header.readUInt32BE(5);
    this.#missing = length;
    this.#filled = 0;
    this.#body = undefined;
    if (length === 0) this.#deliver(Buffer.alloc(0));
  }

  #passBytes(piece: Buffer, at: number): number {
    const length = Math.min(this.#missing, piece.length - at);
    this.#missing -= length;
    if (this.#missing === 0) this.#headerBytes = 0;
    this.#taker.onBytes(this.#id, piece.subarray(at, at + length));
    return at + length;
  }

  #gather(piece: Buffer, at: number): number {
    const length = Math.min(this.#missing, piece.length - at);
    this.#missing -= length;
    if (this.#missing === 0 && this.#body === undefined) {
      this.#deliver(piece.subarray(at, at + length));
      return at + length;
    }
    this.#body ??= Buffer.allocUnsafe(length + this.#missing);
    piece.copy(this.#body, this.#filled, at, at + length);
    this.#filled += length;
    if (this.#missing === 0) this.#deliver(this.#body);
    return at + length;
  }

  #deliver(body: Buffer): void {
    this.#headerBytes = 0;
    this.#body = undefined;
    if (this.#kind !== FRAME.bytes) this.#taker.onFrame(this.#kind, this.#id, body);
  }
}
