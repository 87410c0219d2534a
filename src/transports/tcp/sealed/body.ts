/** The parts of a frame's body: numbers, texts and byte strings, each read within bounds. */
import { XferError } from '../../../errors.js';
import { bytesFromName, nameFromBytes } from '../../../names.js';

/** Of a path, a link's target or a version. */
const MOST_TEXT_BYTES = 4096;

const FIRST_BYTES = 256;

/** Gathers a body. Numbers are big-endian. */
export class BodyWriter {
  #body = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  u8(value: number): this {
    const at = this.#take(1);
    this.#body.writeUInt8(value, at);
    return this;
  }

  u16(value: number): this {
    const at = this.#take(2);
    this.#body.writeUInt16BE(value, at);
    return this;
  }

  u32(value: number): this {
    const at = this.#take(4);
    this.#body.writeUInt32BE(value, at);
    return this;
  }

  /** A whole number below 2^53, in eight bytes. */
  u64(value: number): this {
    const at = this.#take(8);
    this.#body.writeBigUInt64BE(BigInt(value), at);
    return this;
  }

  /** A double (IEEE 754). */
  f64(value: number): this {
    const at = this.#take(8);
    this.#body.writeDoubleBE(value, at);
    return this;
  }

  /** UNSAFE_PATH where a name is longer than the other end would take. */
  text(value: string): this {
    const bytes = bytesFromName(value);
    if (bytes.length > MOST_TEXT_BYTES) {
      throw new XferError('UNSAFE_PATH', `name ${value.slice(0, 80)}…: longer than ${MOST_TEXT_BYTES} bytes`);
    }
    return this.u16(bytes.length).raw(bytes);
  }

  raw(bytes: Uint8Array): this {
    const at = this.#take(bytes.length);
    this.#body.set(bytes, at);
    return this;
  }

  /** All of it; nothing is written any more. */
  bytes(): Buffer {
    return this.#body.subarray(0, this.#length);
  }

  /** Where so many bytes go. */
  #take(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#body.length) {
      const longer = Buffer.allocUnsafe(Math.max(this.#length, 2 * this.#body.length));
      this.#body.copy(longer, 0, 0, at);
      this.#body = longer;
    }
    return at;
  }
}

/** Reads a body. PROTOCOL wherever it is shorter or longer than its parts say. */
export class BodyReader {
  readonly #body: Buffer;
  #at = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  u8(): number {
    return this.#take(1).readUInt8(0);
  }

  u16(): number {
    return this.#take(2).readUInt16BE(0);
  }

  u32(): number {
    return this.#take(4).readUInt32BE(0);
  }

  u64(): number {
    const value = this.#take(8).readBigUInt64BE(0);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw wrong(`${value} is too large a number`);
    return Number(value);
  }

  f64(): number {
    const value = this.#take(8).readDoubleBE(0);
    if (!Number.isFinite(value)) throw wrong(`${value} is not a number to use`);
    return value;
  }

  text(): string {
    const length = this.u16();
    if (length > MOST_TEXT_BYTES) throw wrong(`a text of ${length} bytes is too long`);
    return nameFromBytes(this.#take(length));
  }

  raw(length: number): Buffer {
    return Buffer.from(this.#take(length));
  }

  /** All that is left; the memory is that of the body. */
  rest(): Buffer {
    return this.#take(this.#body.length - this.#at);
  }

  /** What was read is all there is. */
  end(): void {
    if (this.#at !== this.#body.length) throw wrong(`${this.#body.length - this.#at} bytes are left over`);
  }

  #take(length: number): Buffer {
    if (this.#at + length > this.#body.length) throw wrong('it is cut short');
    this.#at += length;
    return this.#body.subarray(this.#at - length, this.#at);
  }
}

function wrong(reason: string): XferError {
  return new XferError('PROTOCOL', `frame: ${reason}`);
}
