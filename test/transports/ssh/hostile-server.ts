/** An sftp server in memory, over a pair of streams, that lies where a test wants it to. */
import { Duplex } from 'node:stream';
import { nameFromBytes } from '#xfer/names.js';
import { type Attributes, attributeBytes, readAttributes } from '#xfer/transports/ssh/sftp/attributes.js';
import { SftpClient } from '#xfer/transports/ssh/sftp/client.js';
import { OPEN, PACKET, PacketReader, PacketSplitter, STATUS } from '#xfer/transports/ssh/sftp/codec.js';

export interface StoredFile {
  bytes: Buffer;
  mode: number;
  mtime: number;
}

/** One request as it came; `reader` stands after the id. */
export interface Request {
  readonly type: number;
  readonly id: number;
  readonly reader: PacketReader;
}

/** True where the lie answered the request by itself. */
export type Lie = (request: Request, server: HostileServer) => boolean | undefined;

export class HostileServer {
  readonly files = new Map<string, StoredFile>();
  readonly directories = new Map<string, { name: string; attributes: Attributes }[]>();
  /** Every request's type, in order. */
  readonly seen: number[] = [];
  readonly open = new Map<string, string>();
  extensions: Record<string, string> = { 'posix-rename@openssh.com': '1' };
  lie: Lie | undefined;
  /** The two ends; what is written to one is read from the other. */
  readonly near: Duplex;
  readonly #far: Duplex;
  readonly #listed = new Set<string>();
  #handles = 0;

  constructor() {
    const read = () => undefined;
    const near: Duplex = new Duplex({
      read,
      write: (chunk, _encoding, done) => {
        // What was written may be filled again once `done` is called.
        far.push(Buffer.from(chunk));
        done();
      },
      destroy: (error, done) => {
        far.push(null);
        done(error);
      },
    });
    const far: Duplex = new Duplex({
      read,
      write: (chunk, _encoding, done) => {
        if (!near.destroyed) near.push(chunk);
        done();
      },
    });
    this.near = near;
    this.#far = far;
    const splitter = new PacketSplitter((packet) => this.#receive(packet));
    far.on('data', (chunk: Buffer) => splitter.push(chunk));
  }

  connect(signal: AbortSignal = new AbortController().signal): Promise<SftpClient> {
    return SftpClient.start(this.near, { signal });
  }

  /** Bytes as they are, whatever they mean. */
  raw(bytes: Buffer): undefined {
    this.#far.write(bytes);
  }

  hangUp(): undefined {
    this.near.push(null);
  }

  reply(type: number, id: number, ...fields: (number | Buffer | string)[]): undefined {
    const parts = fields.map((field) => {
      if (typeof field === 'number') return uint32(field);
      return typeof field === 'string' ? string(Buffer.from(field)) : field;
    });
    const body = Buffer.concat([Buffer.of(type), uint32(id), ...parts]);
    this.raw(Buffer.concat([uint32(body.length), body]));
  }

  status(id: number, code: number, message = ''): undefined {
    this.reply(PACKET.STATUS, id, code, message, 'en');
  }

  #receive(packet: Buffer): undefined {
    const reader = new PacketReader(packet);
    const type = reader.byte();
    if (type === PACKET.INIT) {
      const pairs = Object.entries(this.extensions).flatMap((pair) => pair.map((text) => string(Buffer.from(text))));
      const body = Buffer.concat([Buffer.of(PACKET.VERSION), uint32(3), ...pairs]);
      this.seen.push(type);
      if (!this.lie?.({ type, id: 0, reader }, this)) this.raw(Buffer.concat([uint32(body.length), body]));
      return;
    }
    const id = reader.uint32();
    this.seen.push(type);
    if (this.lie?.({ type, id, reader: new PacketReader(packet, 5) }, this)) return;
    this.answer({ type, id, reader });
  }

  /** What an honest server does. */
  answer({ type, id, reader }: Request): undefined {
    if (type === PACKET.EXTENDED) return this.#extended(id, reader);
    const first = nameFromBytes(reader.string());
    switch (type) {
      case PACKET.OPEN:
        return this.#open(id, first, reader.uint32());
      case PACKET.OPENDIR:
        return this.#handle(id, first, this.directories.has(first));
      case PACKET.CLOSE:
        return this.status(id, this.open.delete(first) ? STATUS.OK : STATUS.FAILURE);
      case PACKET.READ:
        return this.#read(id, first, reader);
      case PACKET.WRITE:
        return this.#write(id, first, reader);
      case PACKET.READDIR:
        return this.#list(id, first);
      case PACKET.STAT:
      case PACKET.LSTAT:
        return this.#attributes(id, first);
      case PACKET.FSTAT:
        return this.#attributes(id, this.open.get(first) ?? '');
      case PACKET.FSETSTAT:
        return this.#set(id, this.open.get(first) ?? '', readAttributes(reader));
      case PACKET.SETSTAT:
        return this.#set(id, first, readAttributes(reader));
      case PACKET.REMOVE:
        return this.status(id, this.files.delete(first) ? STATUS.OK : STATUS.NO_SUCH_FILE);
      case PACKET.RENAME:
        return this.#rename(id, first, nameFromBytes(reader.string()), false);
      case PACKET.MKDIR:
        return this.#makeDirectory(id, first);
      case PACKET.REALPATH:
        return this.reply(PACKET.NAME, id, 1, first === '.' ? '/home/me' : first, '', 0);
      default:
        return this.status(id, STATUS.OP_UNSUPPORTED);
    }
  }

  #extended(id: number, reader: PacketReader): undefined {
    if (reader.text() !== 'posix-rename@openssh.com') return this.status(id, STATUS.OP_UNSUPPORTED);
    return this.#rename(id, reader.text(), reader.text(), true);
  }

  #rename(id: number, from: string, to: string, replace: boolean): undefined {
    const file = this.files.get(from);
    if (!file) return this.status(id, STATUS.NO_SUCH_FILE);
    if (this.files.has(to) && !replace) return this.status(id, STATUS.FAILURE, 'Failure');
    this.files.delete(from);
    this.files.set(to, file);
    this.status(id, STATUS.OK);
  }

  #open(id: number, path: string, flags: number): undefined {
    const there = this.files.has(path);
    if (there && flags & OPEN.EXCL) return this.status(id, STATUS.FAILURE, 'Failure');
    if (!there && !(flags & OPEN.CREAT)) return this.status(id, STATUS.NO_SUCH_FILE);
    if (!there) this.files.set(path, { bytes: Buffer.alloc(0), mode: 0o100644, mtime: 1 });
    this.#handle(id, path, true);
  }

  #makeDirectory(id: number, path: string): undefined {
    if (this.directories.has(path)) return this.status(id, STATUS.FAILURE);
    this.directories.set(path, []);
    return this.status(id, STATUS.OK);
  }

  #handle(id: number, path: string, there: boolean): undefined {
    if (!there) return this.status(id, STATUS.NO_SUCH_FILE);
    const handle = `h${this.#handles++}`;
    this.open.set(handle, path);
    this.reply(PACKET.HANDLE, id, handle);
  }

  #read(id: number, handle: string, reader: PacketReader): undefined {
    const start = reader.uint64();
    const bytes = this.files.get(this.open.get(handle) ?? '')?.bytes.subarray(start, start + reader.uint32());
    if (!bytes) return this.status(id, STATUS.FAILURE);
    if (bytes.length === 0) return this.status(id, STATUS.EOF);
    this.reply(PACKET.DATA, id, string(bytes));
  }

  #write(id: number, handle: string, reader: PacketReader): undefined {
    const file = this.files.get(this.open.get(handle) ?? '');
    if (!file) return this.status(id, STATUS.FAILURE);
    const start = reader.uint64();
    const bytes = reader.string();
    const grown = Buffer.alloc(Math.max(file.bytes.length, start + bytes.length));
    file.bytes.copy(grown);
    bytes.copy(grown, start);
    file.bytes = grown;
    this.status(id, STATUS.OK);
  }

  #list(id: number, handle: string): undefined {
    const items = this.directories.get(this.open.get(handle) ?? '') ?? [];
    if (this.#listed.has(handle)) return this.status(id, STATUS.EOF);
    this.#listed.add(handle);
    const fields = items.flatMap(({ name, attributes }) => [name, '', attributeBytes(attributes)]);
    this.reply(PACKET.NAME, id, items.length, ...fields);
  }

  #attributes(id: number, path: string): undefined {
    const file = this.files.get(path);
    if (this.directories.has(path)) return this.reply(PACKET.ATTRS, id, attributeBytes({ permissions: 0o40755 }));
    if (!file) return this.status(id, STATUS.NO_SUCH_FILE);
    const times = { atime: file.mtime, mtime: file.mtime };
    this.reply(PACKET.ATTRS, id, attributeBytes({ size: file.bytes.length, permissions: file.mode, times }));
  }

  #set(id: number, path: string, attributes: Attributes): undefined {
    const file = this.files.get(path);
    if (!file) return this.status(id, this.directories.has(path) ? STATUS.OK : STATUS.NO_SUCH_FILE);
    if (attributes.permissions !== undefined) file.mode = 0o100000 | attributes.permissions;
    if (attributes.times) file.mtime = attributes.times.mtime;
    if (attributes.size !== undefined) file.bytes = file.bytes.subarray(0, attributes.size);
    this.status(id, STATUS.OK);
  }
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function string(value: Buffer): Buffer {
  return Buffer.concat([uint32(value.length), value]);
}
