/** The wire format of SFTP version 3 (draft-ietf-secsh-filexfer-02): packets, fields, and nothing that waits. */
import { XferError } from '../../../errors.js';
import { nameFromBytes } from '../../../names.js';
import { BufferPool } from '../../../streams/buffer-pool.js';

/** Packet types (section 3). */
export const PACKET = {
  INIT: 1,
  VERSION: 2,
  OPEN: 3,
  CLOSE: 4,
  READ: 5,
  WRITE: 6,
  LSTAT: 7,
  FSTAT: 8,
  SETSTAT: 9,
  FSETSTAT: 10,
  OPENDIR: 11,
  READDIR: 12,
  REMOVE: 13,
  MKDIR: 14,
  RMDIR: 15,
  REALPATH: 16,
  STAT: 17,
  RENAME: 18,
  READLINK: 19,
  SYMLINK: 20,
  STATUS: 101,
  HANDLE: 102,
  DATA: 103,
  NAME: 104,
  ATTRS: 105,
  EXTENDED: 200,
  EXTENDED_REPLY: 201,
} as const;

/** Bits of an OPEN (section 6.3). */
export const OPEN = { READ: 1, WRITE: 2, APPEND: 4, CREAT: 8, TRUNC: 16, EXCL: 32 } as const;

/** Codes of a STATUS (section 7). */
export const STATUS = { OK: 0, EOF: 1, NO_SUCH_FILE: 2, PERMISSION_DENIED: 3, FAILURE: 4, OP_UNSUPPORTED: 8 } as const;

/** Longest packet that is taken: 256 KiB, as OpenSSH sends at most, and room for what surrounds the bytes. */
export const MAX_PACKET_BYTES = 256 * 1024 + 1024;

/** Of packets that carry a file's bytes: smaller ones are cheap to make anew. */
export const packetBuffers = new BufferPool(MAX_PACKET_BYTES, 64);
const POOLED_BYTES = 64 * 1024;

function bufferOf(bytes: number): Buffer {
  const pooled = bytes >= POOLED_BYTES && bytes <= MAX_PACKET_BYTES;
  return pooled ? packetBuffers.take().subarray(0, bytes) : Buffer.allocUnsafe(bytes);
}

/** Builds one packet of a known body size. */
export class PacketWriter {
  readonly #bytes: Buffer;
  #at = 9;

  /** `bodyBytes` is what follows the request id. */
  constructor(type: number, id: number, bodyBytes: number) {
    this.#bytes = bufferOf(9 + bodyBytes);
    this.#bytes.writeUInt32BE(5 + bodyBytes, 0);
    this.#bytes[4] = type;
    this.#bytes.writeUInt32BE(id, 5);
  }

  uint32(value: number): this {
    this.#at = this.#bytes.writeUInt32BE(value, this.#at);
    return this;
  }

  uint64(value: number): this {
    this.uint32(Math.floor(value / 2 ** 32));
    return this.uint32(value % 2 ** 32);
  }

  /** A string: its length, then its bytes. */
  string(value: Uint8Array): this {
    this.uint32(value.length);
    return this.raw(value);
  }

  raw(value: Uint8Array): this {
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }
}

/** Reads the fields of one packet. Every read is checked against the packet's end: PROTOCOL where it would pass it. */
export class PacketReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    return this.#take(1)[0] as number;
  }

  uint32(): number {
    return this.#take(4).readUInt32BE(0);
  }

  /** PROTOCOL where the number is larger than a file can be (2^53 - 1). */
  uint64(): number {
    const value = this.uint32() * 2 ** 32 + this.uint32();
    if (!Number.isSafeInteger(value)) throw broken('a number is too large');
    return value;
  }

  /** A number that may be larger than a file can be, or stand for "no limit": such ones become `Infinity`. */
  limit(): number {
    const value = this.uint32() * 2 ** 32 + this.uint32();
    return Number.isSafeInteger(value) ? value : Number.POSITIVE_INFINITY;
  }

  string(): Buffer {
    return this.#take(this.uint32());
  }

  text(): string {
    return nameFromBytes(this.string());
  }

  #take(count: number): Buffer {
    if (count > this.left) throw broken('a packet is shorter than its fields');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }
}

/** The error of a server that does not keep to the format. */
export function broken(reason: string): XferError {
  return new XferError('PROTOCOL', `sftp server: ${reason}`);
}

/** Cuts a byte stream into packets; never holds more than one packet. */
export class PacketSplitter {
  readonly #onPacket: (packet: Buffer) => void;
  readonly #header = Buffer.alloc(4);
  #headerBytes = 0;
  #body: Buffer | undefined;
  #bodyBytes = 0;

  /** `onPacket` gets a packet without its length field. */
  constructor(onPacket: (packet: Buffer) => void) {
    this.#onPacket = onPacket;
  }

  /** PROTOCOL where a length is not one that a packet can have. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) at = this.#body ? this.#fillBody(this.#body, chunk, at) : this.#fillHeader(chunk, at);
  }

  #fillHeader(chunk: Buffer, at: number): number {
    const taken = chunk.copy(this.#header, this.#headerBytes, at, at + 4 - this.#headerBytes);
    this.#headerBytes += taken;
    if (this.#headerBytes < 4) return at + taken;
    this.#headerBytes = 0;
    const length = this.#header.readUInt32BE(0);
    if (length < 1 || length > MAX_PACKET_BYTES) throw this.#badLength(length);
    const start = at + taken;
    if (chunk.length - start >= length) {
      this.#onPacket(chunk.subarray(start, start + length));
      return start + length;
    }
    this.#body = bufferOf(length);
    this.#bodyBytes = 0;
    return start;
  }

  #fillBody(body: Buffer, chunk: Buffer, at: number): number {
    const taken = chunk.copy(body, this.#bodyBytes, at, at + body.length - this.#bodyBytes);
    this.#bodyBytes += taken;
    if (this.#bodyBytes === body.length) {
      this.#body = undefined;
      this.#onPacket(body);
    }
    return at + taken;
  }

  /** A login script that prints is the usual reason: its first four letters are then read as a length. */
  #badLength(length: number): XferError {
    const letters = this.#header.toString('latin1');
    if (!/^[\x20-\x7e\r\n\t]{4}$/.test(letters)) return broken(`a packet claims ${length} bytes`);
    return new XferError('PROTOCOL', `sftp server: its answer starts with the text "${letters}", not with a packet`, {
      hint: "something in the login's start-up files prints; let it print only where the shell is interactive",
    });
  }
}
