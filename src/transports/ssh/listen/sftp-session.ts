/**
 * One sftp session: takes requests in the order in which they come, as the draft wants it for one file (section 2), and
 * lets only those overlap that change nothing. Answers leave in the same order: the draft does not ask for it, but PuTTY's
 * clients give up where they do not. Reads no further for a client that does not take its answers.
 */
import type { ServerChannel } from 'ssh2';
import { broken, PACKET, PacketReader, PacketSplitter } from '../sftp/codec.js';
import { failurePacket, okPacket } from './answers.js';
import { closeHandle, fileHandle, writePieces } from './file-requests.js';
import type { Folder } from './folder.js';
import { type Handle, Handles } from './handles.js';
import { type Line, Outbox } from './outbox.js';
import { answerRequest, EXTENSIONS, isShared, type SessionParts } from './session-requests.js';

export interface SftpSessionOptions {
  readonly channel: ServerChannel;
  readonly line: Line;
  readonly folder: Folder;
  readonly mostHandles: number;
  /** `lost`: the client went without closing it. */
  readonly onHandleClosed: (handle: Handle, lost: boolean) => void;
  /** Nothing is open, and nothing is left to be answered. */
  readonly onIdle: () => void;
  readonly onEnd: () => void;
}

interface Request {
  readonly type: number;
  readonly id: number;
  /** Its type, its id, and then its fields. */
  readonly packet: Buffer;
}

/** The place of an answer among those that are still to be sent. */
interface Turn {
  packets?: readonly Buffer[];
}

interface Write {
  readonly id: number;
  readonly handle: Buffer;
  readonly start: number;
  readonly piece: Buffer;
}

const FIELDS_AT = 5;
const MOST_AT_ONCE = 8;
const MOST_QUEUED = 1024;
const MOST_QUEUED_BYTES = 1 << 20;
/** Writes that follow each other are handed to the file as one, up to this size. */
const MOST_JOINED_BYTES = 2 << 20;

export class SftpSession {
  readonly #options: SftpSessionOptions;
  readonly #handles: Handles;
  readonly #parts: SessionParts;
  readonly #outbox: Outbox;
  readonly #splitter = new PacketSplitter((packet) => this.#receive(packet));
  readonly #turns: Turn[] = [];
  #queue: Request[] = [];
  #queuedBytes = 0;
  #running = 0;
  #alone = false;
  #greeted = false;
  #inputEnded = false;
  #ended = false;

  constructor(options: SftpSessionOptions) {
    this.#options = options;
    const { channel, line, folder, mostHandles, onHandleClosed } = options;
    this.#handles = new Handles(mostHandles);
    const onClosed = (handle: Handle) => onHandleClosed(handle, false);
    this.#parts = { folder, handles: this.#handles, mostHandles, onClosed };
    this.#outbox = new Outbox(channel, line, () => this.#pump());
    channel.on('data', (chunk: Buffer) => this.#take(chunk));
    channel.on('end', () => {
      this.#inputEnded = true;
      this.#pump();
    });
    channel.on('error', () => this.end());
    channel.on('close', () => this.end());
  }

  /** Whether something is open or being answered. */
  get busy(): boolean {
    const resting = this.#handles.size === 0 && this.#running === 0 && this.#queue.length === 0 && this.#outbox.empty;
    return !this.#ended && !resting;
  }

  /** Ends it at once; what has no name yet is removed. May be called twice. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#queue = [];
    this.#options.channel.destroy();
    if (this.#running === 0) void this.#release();
  }

  #take(chunk: Buffer): void {
    if (this.#ended) return;
    try {
      this.#splitter.push(chunk);
    } catch {
      this.end();
    }
    this.#pump();
  }

  #receive(packet: Buffer): void {
    const reader = new PacketReader(packet);
    const type = reader.byte();
    if (!this.#greeted) this.#greet(type, reader);
    else if (type === PACKET.INIT) throw broken('a second INIT');
    else {
      this.#queue.push({ type, id: reader.uint32(), packet });
      this.#queuedBytes += packet.length;
    }
  }

  /** The one version that is spoken is named whatever the client asked for, as OpenSSH's server does. */
  #greet(type: number, reader: PacketReader): void {
    if (type !== PACKET.INIT) throw broken('a request before INIT');
    reader.uint32();
    this.#greeted = true;
    const fields = Object.entries(EXTENSIONS)
      .flat()
      .map((text) => Buffer.from(text));
    const body = fields.flatMap((field) => [Buffer.from([0, 0, 0, field.length]), field]);
    const bytes = Buffer.concat([Buffer.from([0, 0, 0, 0, PACKET.VERSION, 0, 0, 0, 3]), ...body]);
    bytes.writeUInt32BE(bytes.length - 4);
    this.#outbox.send(bytes);
  }

  #pump(): void {
    while (!this.#ended && !this.#outbox.full) {
      const [next] = this.#queue;
      const shared = next !== undefined && this.#isShared(next);
      if (!next || this.#alone || (shared ? this.#turns.length >= MOST_AT_ONCE : this.#running > 0)) break;
      this.#alone = !shared;
      this.#start(next.type === PACKET.WRITE ? this.#write() : this.#answer(this.#shift()));
    }
    if (this.#ended) return;
    const tooMany = this.#queue.length > MOST_QUEUED || this.#queuedBytes > MOST_QUEUED_BYTES;
    if (tooMany) this.#options.channel.pause();
    else if (this.#options.channel.isPaused()) this.#options.channel.resume();
    if (this.#inputEnded && this.#running === 0 && this.#queue.length === 0) this.#finish();
    else if (!this.busy) this.#options.onIdle();
  }

  /** What is cut short is done alone, and then ends the session. */
  #isShared({ type, packet }: Request): boolean {
    try {
      return isShared(this.#handles, type, new PacketReader(packet, FIELDS_AT));
    } catch {
      return false;
    }
  }

  #shift(): Request {
    const request = this.#queue.shift() as Request;
    this.#queuedBytes -= request.packet.length;
    return request;
  }

  /** A rejection means that the client does not keep to the protocol. */
  #start(work: Promise<readonly Buffer[]>): void {
    this.#running += 1;
    const turn: Turn = {};
    this.#turns.push(turn);
    const settle = () => {
      this.#running -= 1;
      this.#alone = false;
      if (this.#ended && this.#running === 0) void this.#release();
      this.#pump();
    };
    const deliver = (packets: readonly Buffer[]) => {
      turn.packets = packets;
      this.#sendInOrder();
      settle();
    };
    work.then(deliver, () => {
      this.end();
      settle();
    });
  }

  #sendInOrder(): void {
    for (let [turn] = this.#turns; turn?.packets && !this.#ended; [turn] = this.#turns) {
      for (const packet of turn.packets) this.#outbox.send(packet);
      this.#turns.shift();
    }
  }

  async #answer({ type, id, packet }: Request): Promise<readonly Buffer[]> {
    return [await answerRequest(this.#parts, type, id, new PacketReader(packet, FIELDS_AT))];
  }

  async #write(): Promise<readonly Buffer[]> {
    const writes = this.#shiftWrites();
    const [first] = writes as [Write, ...Write[]];
    const pieces = writes.map(({ piece }) => piece);
    let failure: unknown;
    try {
      await writePieces(fileHandle(this.#handles.find(first.handle), 'write'), pieces, first.start);
    } catch (error) {
      failure = error ?? new Error('unknown');
    }
    return writes.map(({ id }) => (failure === undefined ? okPacket(id) : failurePacket(id, failure)));
  }

  /** The first write that waits, and those after it that go on where it ends. */
  #shiftWrites(): Write[] {
    const found = [writeOf(this.#shift())];
    let size = (found[0] as Write).piece.length;
    for (;;) {
      const [next] = this.#queue;
      const last = found.at(-1) as Write;
      if (next?.type !== PACKET.WRITE || size > MOST_JOINED_BYTES) return found;
      const write = writeOf(next);
      if (!write.handle.equals(last.handle) || write.start !== last.start + last.piece.length) return found;
      this.#shift();
      found.push(write);
      size += write.piece.length;
    }
  }

  /** The client asks nothing more: the session ends as a program that did its work. */
  #finish(): void {
    this.#ended = true;
    this.#outbox.flush();
    this.#options.channel.exit(0);
    this.#options.channel.end();
    void this.#release();
  }

  async #release(): Promise<void> {
    for (const handle of this.#handles.takeAll()) {
      // Nobody is left to be told.
      await closeHandle(handle, true).catch(() => undefined);
      this.#options.onHandleClosed(handle, true);
    }
    this.#options.onEnd();
  }
}

function writeOf({ id, packet }: Request): Write {
  const reader = new PacketReader(packet, FIELDS_AT);
  return { id, handle: reader.string(), start: reader.limit(), piece: reader.string() };
}
