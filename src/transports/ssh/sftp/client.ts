/** The requests of SFTP version 3 (draft-ietf-secsh-filexfer-02) and OpenSSH's extensions (its PROTOCOL file, section 4). */
import type { Duplex } from 'node:stream';
import { Slots } from '../../../concurrency/slots.js';
import { XferError } from '../../../errors.js';
import { nameFromBytes } from '../../../names.js';
import type { Scope } from '../../../transport.js';
import { type Attributes, attributeBytes, readAttributes } from './attributes.js';
import { type Corkable, type Reply, SftpChannel } from './channel.js';
import { broken, PACKET, type PacketReader, type PacketWriter, packetBuffers, STATUS } from './codec.js';
import {
  CHANNEL_WINDOW_BYTES,
  type Limits,
  PLAIN_LIMITS,
  readLimits,
  type Tuning,
  tuned,
  windowBytes,
} from './limits.js';
import { type DirectoryItem, expect, expectOk, oneName, readNames, throwUnless } from './replies.js';

const MAX_EXTENSIONS = 256;

/**
 * One sftp session. Paths are bytes. Every call rejects with DISCONNECTED once the stream has ended, PROTOCOL where the
 * answer has the wrong form, and the error of its status else: NOT_FOUND, DENIED, EXISTS, NO_SPACE or UNSUPPORTED.
 */
export class SftpClient {
  readonly channel: SftpChannel;
  readonly extensions = new Map<string, string>();
  /** What may come before the line must hear from us. */
  readWindowBytes = CHANNEL_WINDOW_BYTES;
  /** Bytes that were read, and written and acknowledged. */
  bytesMoved = 0;
  #rttMs = 0;
  #tuning: Tuning = {};
  #limits = PLAIN_LIMITS;
  readonly #handles = new Slots(PLAIN_LIMITS.openHandles);
  #settled: Promise<void> = Promise.resolve();

  private constructor(stream: Duplex, socket?: Corkable) {
    const onLateHandle = (handle: Buffer) => void this.#askPath(PACKET.CLOSE, handle).catch(() => undefined);
    this.channel = new SftpChannel(stream, onLateHandle, socket);
  }

  /**
   * Agrees on version 3 and asks for the server's limits, whose answer `settled` waits for. PROTOCOL, UNSUPPORTED,
   * DISCONNECTED.
   */
  static async start(stream: Duplex, scope: Scope, socket?: Corkable): Promise<SftpClient> {
    const client = new SftpClient(stream, socket);
    try {
      await client.#timed(async () => client.#readVersion(await client.channel.greet(scope)));
      // The greeting's time has the start of the server's process in it.
      if (client.extensions.has('limits@openssh.com')) client.#settled = client.#timed(() => client.#askLimits(scope));
      client.#settled.catch(() => undefined);
    } catch (error) {
      client.end();
      throw error;
    }
    return client;
  }

  /** Resolves when limits and round trip are known; the errors of `start`. */
  get settled(): Promise<void> {
    return this.#settled;
  }

  /** Time of one question and its answer, in milliseconds. */
  get rttMs(): number {
    return this.#rttMs;
  }

  get limits(): Limits {
    return this.#limits;
  }

  /** Bytes of one file that are read, or written, ahead of the answers. */
  get windowBytes(): { readonly read: number; readonly write: number } {
    const { readBytes, writeBytes } = this.#limits;
    return { read: windowBytes(readBytes, this.#tuning), write: windowBytes(writeBytes, this.#tuning) };
  }

  /** Keeps to a person's numbers from now on. */
  tune(tuning: Tuning): void {
    this.#tuning = tuning;
    this.#limits = tuned(this.#limits, tuning);
  }

  /** Ends the session; what is pending is rejected. */
  end(): void {
    this.channel.fail(new XferError('DISCONNECTED', 'sftp session: it was closed'));
  }

  async #timed(ask: () => Promise<void>): Promise<void> {
    const startedAtMs = performance.now();
    await ask();
    this.#rttMs = performance.now() - startedAtMs;
  }

  #readVersion(reader: PacketReader): void {
    const version = reader.uint32();
    if (version < 3) throw new XferError('UNSUPPORTED', `sftp server: it speaks version ${version}, not 3`);
    for (let count = 0; reader.left > 0; count++) {
      if (count >= MAX_EXTENSIONS) throw broken('too many extensions');
      const name = reader.text();
      this.extensions.set(name, reader.text());
    }
  }

  async #askLimits(scope: Scope): Promise<void> {
    const reader = await this.extended('limits@openssh.com', [], 'limits of the server', scope);
    this.#limits = tuned(readLimits(reader), this.#tuning);
    this.#handles.resize(this.#limits.openHandles);
  }

  /** Opens a file; waits where the server's limit of open files is reached. */
  async open(
    path: Buffer,
    flags: number,
    attributes: Attributes,
    scope?: Scope,
    what = `open ${nameFromBytes(path)}`,
  ): Promise<Buffer> {
    const attrs = attributeBytes(attributes);
    return this.#handle(what, scope, () =>
      this.#ask(PACKET.OPEN, 8 + path.length + attrs.length, (w) => w.string(path).uint32(flags).raw(attrs), scope),
    );
  }

  async openDirectory(path: Buffer, scope: Scope): Promise<Buffer> {
    return this.#handle(`list ${nameFromBytes(path)}`, scope, () => this.#askPath(PACKET.OPENDIR, path, scope));
  }

  async #handle(what: string, scope: Scope | undefined, ask: () => Promise<Reply>): Promise<Buffer> {
    if (!this.#handles.tryTake()) await this.#handles.take(scope);
    try {
      const reader = expect(await ask(), PACKET.HANDLE, what);
      return Buffer.from(reader.string());
    } catch (error) {
      this.#handles.give();
      throw error;
    }
  }

  /** Closes a handle. Never given up half way, so that the server keeps no file open. */
  async close(handle: Buffer): Promise<void> {
    try {
      expectOk(await this.#askPath(PACKET.CLOSE, handle), 'close');
    } finally {
      this.#handles.give();
    }
  }

  /** Bytes from `offset`, at most `length`; undefined at the end of the file. PROTOCOL where more come. */
  async read(handle: Buffer, offset: number, length: number, what: string): Promise<Buffer | undefined> {
    const asked = this.#ask(PACKET.READ, 16 + handle.length, (w) => w.string(handle).uint64(offset).uint32(length));
    const reply = await asked;
    if (reply.type === PACKET.STATUS) return throwUnless(STATUS.EOF, reply, what);
    const bytes = expect(reply, PACKET.DATA, what).string();
    if (bytes.length > length) throw broken(`it sent ${bytes.length} bytes where ${length} were asked for`);
    this.bytesMoved += bytes.length;
    return bytes;
  }

  /** Bytes that `read` gave are used up. */
  recycle(bytes: Buffer): void {
    packetBuffers.give(bytes);
  }

  /** Resolves when the server has the bytes; they are copied before the call returns. */
  async write(handle: Buffer, offset: number, bytes: Uint8Array, what: string): Promise<void> {
    const { length } = bytes;
    const body = 16 + handle.length + length;
    expectOk(await this.#ask(PACKET.WRITE, body, (w) => w.string(handle).uint64(offset).string(bytes)), what);
    this.bytesMoved += length;
  }

  async stat(path: Buffer, scope: Scope): Promise<Attributes> {
    const reply = await this.#askPath(PACKET.STAT, path, scope);
    return readAttributes(expect(reply, PACKET.ATTRS, `stat ${nameFromBytes(path)}`));
  }

  async lstat(path: Buffer, scope: Scope): Promise<Attributes> {
    const reply = await this.#askPath(PACKET.LSTAT, path, scope);
    return readAttributes(expect(reply, PACKET.ATTRS, `stat ${nameFromBytes(path)}`));
  }

  /** What is at a path, itself or what its links lead to; undefined where nothing is. */
  async find(how: 'stat' | 'lstat', path: Buffer, scope?: Scope): Promise<Attributes | undefined> {
    const reply = await this.#askPath(how === 'stat' ? PACKET.STAT : PACKET.LSTAT, path, scope);
    const what = `stat ${nameFromBytes(path)}`;
    if (reply.type !== PACKET.STATUS) return readAttributes(expect(reply, PACKET.ATTRS, what));
    return throwUnless(STATUS.NO_SUCH_FILE, reply, what);
  }

  async fstat(handle: Buffer, what: string, scope?: Scope): Promise<Attributes> {
    return readAttributes(expect(await this.#askPath(PACKET.FSTAT, handle, scope), PACKET.ATTRS, what));
  }

  async setstat(path: Buffer, attributes: Attributes, scope: Scope): Promise<void> {
    const reply = await this.#askAttributes(PACKET.SETSTAT, path, attributes, scope);
    expectOk(reply, `set attributes of ${nameFromBytes(path)}`);
  }

  async fsetstat(handle: Buffer, attributes: Attributes, what: string, scope?: Scope): Promise<void> {
    expectOk(await this.#askAttributes(PACKET.FSETSTAT, handle, attributes, scope), what);
  }

  /** The next part of an open directory; undefined at its end. */
  async readDirectory(handle: Buffer, what: string, scope: Scope): Promise<DirectoryItem[] | undefined> {
    const reply = await this.#askPath(PACKET.READDIR, handle, scope);
    if (reply.type === PACKET.STATUS) return throwUnless(STATUS.EOF, reply, what);
    return readNames(expect(reply, PACKET.NAME, what));
  }

  async mkdir(path: Buffer, attributes: Attributes, scope: Scope): Promise<void> {
    const reply = await this.#askAttributes(PACKET.MKDIR, path, attributes, scope);
    expectOk(reply, `create directory ${nameFromBytes(path)}`);
  }

  async rmdir(path: Buffer, scope: Scope): Promise<void> {
    expectOk(await this.#askPath(PACKET.RMDIR, path, scope), `remove ${nameFromBytes(path)}`);
  }

  async remove(path: Buffer, scope?: Scope): Promise<void> {
    expectOk(await this.#askPath(PACKET.REMOVE, path, scope), `remove ${nameFromBytes(path)}`);
  }

  /** Version 3's rename, which fails where the new name is taken. */
  async rename(from: Buffer, to: Buffer, scope: Scope): Promise<void> {
    const reply = await this.#ask(PACKET.RENAME, 8 + from.length + to.length, (w) => w.string(from).string(to), scope);
    expectOk(reply, `rename to ${nameFromBytes(to)}`);
  }

  /** rename(2), which replaces what has the new name: posix-rename@openssh.com. */
  async posixRename(from: Buffer, to: Buffer, scope: Scope): Promise<void> {
    const reply = await this.#askExtended('posix-rename@openssh.com', [from, to], scope);
    expectOk(reply, `rename to ${nameFromBytes(to)}`);
  }

  async fsync(handle: Buffer, what: string): Promise<void> {
    expectOk(await this.#askExtended('fsync@openssh.com', [handle]), what);
  }

  /** OpenSSH takes the target first, against the draft (its PROTOCOL file, section 4.1), and the others followed it. */
  async symlink(target: Buffer, link: Buffer, scope: Scope): Promise<void> {
    const body = 8 + target.length + link.length;
    const reply = await this.#ask(PACKET.SYMLINK, body, (w) => w.string(target).string(link), scope);
    expectOk(reply, `create link ${nameFromBytes(link)}`);
  }

  async readlink(path: Buffer, scope: Scope): Promise<Buffer> {
    return oneName(await this.#askPath(PACKET.READLINK, path, scope), `read link ${nameFromBytes(path)}`);
  }

  async realpath(path: Buffer, scope: Scope): Promise<Buffer> {
    return oneName(await this.#askPath(PACKET.REALPATH, path, scope), `look up ${nameFromBytes(path)}`);
  }

  /** `~` and `~user` made whole: expand-path@openssh.com. UNSUPPORTED where the server lacks it. */
  async expandPath(path: Buffer, scope: Scope): Promise<Buffer> {
    const what = `look up ${nameFromBytes(path)}`;
    if (!this.extensions.has('expand-path@openssh.com')) {
      throw new XferError('UNSUPPORTED', `${what}: the server cannot tell another user's directory`, {
        hint: 'name the directory by its full path',
      });
    }
    return oneName(await this.#askExtended('expand-path@openssh.com', [path], scope), what);
  }

  /** Whether the file system that holds a path is known to have no room for so many bytes, or for a file. */
  async isFull(path: Buffer, bytes: number): Promise<boolean> {
    if (!this.extensions.has('statvfs@openssh.com')) return false;
    const reader = await this.extended('statvfs@openssh.com', [path], 'free space');
    const numbers = Array.from({ length: 8 }, () => reader.limit());
    const [, blockBytes = 0, , , blocks = 0, files = 0, , freeFiles = 0] = numbers;
    return blocks * blockBytes < Math.max(1, bytes) || (files > 0 && freeFiles === 0);
  }

  /** An extension's own answer. */
  async extended(name: string, fields: readonly Buffer[], what: string, scope?: Scope): Promise<PacketReader> {
    return expect(await this.#askExtended(name, fields, scope), PACKET.EXTENDED_REPLY, what);
  }

  #askExtended(name: string, fields: readonly Buffer[], scope?: Scope): Promise<Reply> {
    const strings = [Buffer.from(name), ...fields];
    const body = strings.reduce((sum, each) => sum + 4 + each.length, 0);
    const fill = (writer: PacketWriter) => {
      for (const each of strings) writer.string(each);
    };
    return this.#ask(PACKET.EXTENDED, body, fill, scope);
  }

  #askAttributes(type: number, path: Buffer, attributes: Attributes, scope?: Scope): Promise<Reply> {
    const attrs = attributeBytes(attributes);
    return this.#ask(type, 4 + path.length + attrs.length, (w) => w.string(path).raw(attrs), scope);
  }

  #askPath(type: number, path: Buffer, scope?: Scope): Promise<Reply> {
    return this.#ask(type, 4 + path.length, (w) => w.string(path), scope);
  }

  #ask(type: number, bodyBytes: number, fill: (writer: PacketWriter) => unknown, scope?: Scope): Promise<Reply> {
    const packet = this.channel.packet(type, bodyBytes);
    fill(packet.writer);
    return this.channel.request(packet, scope);
  }
}
