/** Answers, checked for their type before anything is read from them. */
import type { XferError } from '../../../errors.js';
import { type Attributes, readAttributes } from './attributes.js';
import type { Reply } from './channel.js';
import { broken, PACKET, type PacketReader, STATUS } from './codec.js';
import { statusError } from './status.js';

export interface DirectoryItem {
  /** As the server sent it: unchecked. */
  readonly name: Buffer;
  readonly attributes: Attributes;
}

export function expect(reply: Reply, type: number, what: string): PacketReader {
  if (reply.type === type) return reply.reader;
  if (reply.type === PACKET.STATUS)
    throw readStatus(reply.reader, what) ?? broken(`${what}: answered "done" without it`);
  throw broken(`${what}: an answer of type ${reply.type}`);
}

export function expectOk(reply: Reply, what: string): void {
  if (reply.type !== PACKET.STATUS) throw broken(`${what}: an answer of type ${reply.type}`);
  const error = readStatus(reply.reader, what);
  if (error) throw error;
}

/** Old servers leave the message out. */
function readStatus(reader: PacketReader, what: string): XferError | undefined {
  const status = reader.uint32();
  if (status === STATUS.OK) return undefined;
  return statusError(what, status, reader.left >= 4 ? reader.text() : '');
}

export function throwUnless(expected: number, reply: Reply, what: string): undefined {
  const status = reply.reader.uint32();
  if (status === expected) return undefined;
  if (status === STATUS.OK) throw broken(`${what}: answered "done" without it`);
  throw statusError(what, status, reply.reader.left >= 4 ? reply.reader.text() : '');
}

export function readNames(reader: PacketReader): DirectoryItem[] {
  const count = reader.uint32();
  if (count * 12 > reader.left) throw broken('it claims more names than its packet holds');
  return Array.from({ length: count }, () => {
    const name = Buffer.from(reader.string());
    reader.string();
    return { name, attributes: readAttributes(reader) };
  });
}

export function oneName(reply: Reply, what: string): Buffer {
  const name = readNames(expect(reply, PACKET.NAME, what))[0]?.name;
  if (!name || name.length === 0 || name.includes(0)) throw broken(`${what}: an answer without a path`);
  return name;
}
