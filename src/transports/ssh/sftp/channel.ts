/** Requests and their answers over one duplex stream: ids, pipelining, back-pressure, and an end that nobody misses. */
import type { Duplex } from 'node:stream';
import { onAbort } from '../../../concurrency/on-abort.js';
import { XferError } from '../../../errors.js';
import type { Scope } from '../../../transport.js';
import { broken, PACKET, PacketReader, PacketSplitter, PacketWriter, packetBuffers } from './codec.js';
import { joinPackets } from './join-packets.js';

/** One answer; `reader` stands after the request id. */
export interface Reply {
  readonly type: number;
  readonly reader: PacketReader;
}

/** The socket below the stream: what is written while it is corked leaves in one system call. */
export interface Corkable {
  cork(): void;
  uncork(): void;
}

interface Pending {
  resolve(reply: Reply): void;
  reject(error: unknown): void;
}

/** Requests gather within one turn of the loop, but a turn that asks for thousands of files does not keep the first waiting. */
const MOST_QUEUED = 64;
export class SftpChannel {
  readonly #stream: Duplex;
  readonly #pending = new Map<number, Pending>();
  readonly #splitter = new PacketSplitter((packet) => this.#receive(packet));
  readonly #socket: Corkable | undefined;
  readonly #onLateHandle: (handle: Buffer) => void;
  #greeting: ((packet: PacketReader) => void) | undefined;
  #nextId = 0;
  #queue: Buffer[] = [];
  #flushing = false;
  #blocked = false;
  #waiting: (() => void)[] = [];
  #ended: XferError | undefined;

  /** `onLateHandle` gets a handle whose OPEN was given up before the answer came. */
  constructor(stream: Duplex, onLateHandle: (handle: Buffer) => void, socket?: Corkable) {
    this.#stream = stream;
    this.#socket = socket;
    this.#onLateHandle = onLateHandle;
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('drain', () => this.#unblock());
    stream.on('error', (error) => this.fail(error instanceof XferError ? error : lost(error)));
    stream.on('end', () => this.fail(lost()));
    stream.on('close', () => this.fail(lost()));
  }

  /** Why the channel is of no use any more, or undefined. */
  get ended(): XferError | undefined {
    return this.#ended;
  }

  /** Requests that wait for their answer. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Sends INIT and waits for VERSION. PROTOCOL, DISCONNECTED. */
  greet(scope: Scope): Promise<PacketReader> {
    return new Promise((resolve, reject) => {
      const { signal } = scope;
      if (signal.aborted) return reject(signal.reason);
      if (this.#ended) return reject(this.#ended);
      const free = onAbort(signal, () => this.fail(lost(), signal.reason));
      const settle = () => {
        free();
        this.#pending.delete(-1);
      };
      this.#pending.set(-1, {
        resolve: () => undefined,
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      this.#greeting = (packet) => {
        settle();
        resolve(packet);
      };
      this.#send(Buffer.from([0, 0, 0, 5, PACKET.INIT, 0, 0, 0, 3]));
    });
  }

  /** A packet with a fresh id, to be filled and given to `request`. `bodyBytes` is what follows the id. */
  packet(type: number, bodyBytes: number): { readonly id: number; readonly writer: PacketWriter } {
    const id = this.#nextId;
    this.#nextId = (id + 1) >>> 0;
    return { id, writer: new PacketWriter(type, id, bodyBytes) };
  }

  /** Sends a packet; resolves with its answer of any type. DISCONNECTED; the signal's reason, then the answer is dropped. */
  request(packet: { id: number; writer: PacketWriter }, scope?: Scope): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const signal = scope?.signal;
      if (signal?.aborted) return reject(signal.reason);
      if (this.#ended) return reject(this.#ended);
      if (signal) this.#pending.set(packet.id, this.#abortable(packet.id, signal, resolve, reject));
      else this.#pending.set(packet.id, { resolve, reject });
      this.#send(packet.writer.bytes);
    });
  }

  #abortable(
    id: number,
    signal: AbortSignal,
    resolve: (reply: Reply) => void,
    reject: (error: unknown) => void,
  ): Pending {
    const free = onAbort(signal, () => {
      this.#pending.set(id, { resolve: (reply) => this.#dropLate(reply), reject: () => undefined });
      reject(signal.reason);
    });
    return {
      resolve: (reply) => {
        free();
        resolve(reply);
      },
      reject: (error) => {
        free();
        reject(error);
      },
    };
  }

  #dropLate(reply: Reply): void {
    if (reply.type === PACKET.HANDLE) this.#onLateHandle(reply.reader.string());
  }

  /** Whether the stream asks to send no more for now; `whenWritable` says when that is over. */
  get blocked(): boolean {
    return this.#blocked && !this.#ended;
  }

  whenWritable(resume: () => void): void {
    this.#waiting.push(resume);
  }

  /** Ends the channel: all that is pending is rejected with `reason`, later requests with `error`. */
  fail(error: XferError, reason: unknown = error): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#queue = [];
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const each of pending) each.reject(reason);
    this.#stream.on('error', () => undefined);
    this.#stream.destroy();
    this.#unblock();
  }

  #send(bytes: Buffer): void {
    this.#queue.push(bytes);
    if (this.#queue.length >= MOST_QUEUED) this.#flush();
    if (this.#flushing || this.#queue.length === 0) return;
    this.#flushing = true;
    process.nextTick(() => this.#flush());
  }

  /** What was asked within one turn leaves together: with many files in flight that saves system calls. */
  #flush(): void {
    this.#flushing = false;
    const queue = this.#queue;
    this.#queue = [];
    this.#socket?.cork();
    for (const piece of joinPackets(queue)) {
      // Once it was taken its bytes were copied, encrypted or given to the system.
      const taken = (error?: Error | null) => void (error || packetBuffers.give(piece));
      if (!this.#stream.write(piece, taken)) this.#blocked = true;
    }
    this.#socket?.uncork();
  }

  #unblock(): void {
    this.#blocked = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  #take(chunk: Buffer): void {
    if (this.#ended) return;
    try {
      this.#splitter.push(chunk);
    } catch (error) {
      this.fail(error instanceof XferError ? error : broken(String(error)));
    }
  }

  #receive(packet: Buffer): void {
    if (this.#ended) return;
    const reader = new PacketReader(packet);
    const type = reader.byte();
    if (type === PACKET.VERSION && this.#greeting) {
      const greeting = this.#greeting;
      this.#greeting = undefined;
      greeting(reader);
      return;
    }
    const id = reader.uint32();
    const pending = this.#pending.get(id);
    if (!pending) throw broken('it answered what was not asked');
    this.#pending.delete(id);
    pending.resolve({ type, reader });
  }
}

function lost(cause?: unknown): XferError {
  return new XferError('DISCONNECTED', 'sftp server: the connection ended', cause === undefined ? {} : { cause });
}
