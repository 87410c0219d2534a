/** The packets that the listener answers with (draft-ietf-secsh-filexfer-02, section 7). */
import { type ErrorCode, toXferError, type XferError } from '../../../errors.js';
import { bulkBuffer } from '../../../streams/buffer-pool.js';
import { type Attributes, attributeBytes } from '../sftp/attributes.js';
import { PACKET, PacketWriter, STATUS } from '../sftp/codec.js';

export interface Listed {
  readonly name: Buffer;
  readonly longName: Buffer;
  readonly attributes: Attributes;
}

export function statusPacket(id: number, status: number, text: string): Buffer {
  const message = Buffer.from(text);
  return new PacketWriter(PACKET.STATUS, id, 12 + message.length).uint32(status).string(message).string(Buffer.alloc(0))
    .bytes;
}

export function okPacket(id: number): Buffer {
  return statusPacket(id, STATUS.OK, 'Success');
}

export function endPacket(id: number): Buffer {
  return statusPacket(id, STATUS.EOF, 'End of file');
}

export function handlePacket(id: number, handle: Buffer): Buffer {
  return new PacketWriter(PACKET.HANDLE, id, 4 + handle.length).string(handle).bytes;
}

export function attributesPacket(id: number, attributes: Attributes): Buffer {
  const bytes = attributeBytes(attributes);
  return new PacketWriter(PACKET.ATTRS, id, bytes.length).raw(bytes).bytes;
}

export function namePacket(id: number, items: readonly Listed[]): Buffer {
  const rows = items.map((item) => ({ ...item, bytes: attributeBytes(item.attributes) }));
  const size = rows.reduce(
    (sum, { name, longName, bytes }) => sum + 8 + name.length + longName.length + bytes.length,
    4,
  );
  const writer = new PacketWriter(PACKET.NAME, id, size).uint32(rows.length);
  for (const { name, longName, bytes } of rows) writer.string(name).string(longName).raw(bytes);
  return writer.bytes;
}

/** One path, as REALPATH and READLINK answer. */
export function pathPacket(id: number, path: Buffer): Buffer {
  return namePacket(id, [{ name: path, longName: path, attributes: {} }]);
}

/** Numbers of 64 bits, as the answers of statvfs@openssh.com and limits@openssh.com hold. */
export function numbersPacket(id: number, numbers: readonly number[]): Buffer {
  const writer = new PacketWriter(PACKET.EXTENDED_REPLY, id, numbers.length * 8);
  for (const number of numbers) writer.uint64(number);
  return writer.bytes;
}

const DATA_HEAD_BYTES = 13;

/** Room for a DATA answer whose bytes are read straight into it. */
export class DataPacket {
  readonly room: Buffer;
  readonly #bytes: Buffer;

  constructor(id: number, length: number) {
    this.#bytes = bulkBuffer(DATA_HEAD_BYTES + length);
    this.#bytes[4] = PACKET.DATA;
    this.#bytes.writeUInt32BE(id, 5);
    this.room = this.#bytes.subarray(DATA_HEAD_BYTES);
  }

  /** The packet with the first `length` bytes of the room. */
  filled(length: number): Buffer {
    this.#bytes.writeUInt32BE(DATA_HEAD_BYTES - 4 + length, 0);
    this.#bytes.writeUInt32BE(length, 9);
    return this.#bytes.subarray(0, DATA_HEAD_BYTES + length);
  }
}

/** Words of our own, since a reason may name a path of this machine. */
const WORDS: Partial<Record<ErrorCode, readonly [number, string]>> = {
  NOT_FOUND: [STATUS.NO_SUCH_FILE, 'no such file or directory'],
  DENIED: [STATUS.PERMISSION_DENIED, 'permission denied'],
  UNSAFE_PATH: [STATUS.PERMISSION_DENIED, 'not a name in what is shared'],
  EXISTS: [STATUS.FAILURE, 'already exists'],
  NO_SPACE: [STATUS.FAILURE, 'no space left on device'],
  UNSUPPORTED: [STATUS.OP_UNSUPPORTED, 'not supported'],
  TRUNCATED: [STATUS.FAILURE, 'the file became shorter'],
};

const TOLD = ['directory not empty', 'is a directory', 'too many open files', 'name too long'];

/** What a client is told of a failure: never a path, and nothing of this machine. */
export function failureOf(error: unknown): { readonly status: number; readonly text: string } {
  const known: XferError = toXferError(error, 'serve');
  const [status, text] = WORDS[known.code] ?? [STATUS.FAILURE, 'failure'];
  return { status, text: TOLD.find((words) => known.message.endsWith(words)) ?? text };
}

export function failurePacket(id: number, error: unknown): Buffer {
  const { status, text } = failureOf(error);
  return statusPacket(id, status, text);
}
