/** One TCP connection: what it receives, how it ended, and the two ways to end it. */
import type { Socket } from 'node:net';
import { toXferError, XferError } from '../../errors.js';
import { fastSocket, rewrapAccepted, type TakeBytes } from './onread.js';
import { MAGIC, PLAIN_ONLY, SEALED_ONLY, sayLast } from './sealed/magic.js';
import { Slabs } from './slabs.js';

/** Takes what a connection receives. After `onEnd` or `onFail` nothing more comes. */
export interface WireReader {
  readonly onBytes: TakeBytes;
  /** The other end will send no more: its FIN came. */
  readonly onEnd: () => void;
  readonly onFail: (error: XferError) => void;
}

type MakeSocket = (take: TakeBytes, slabs: Slabs) => Socket;

const KEEP_ALIVE_MS = 60_000;
/** More than what a sealed end says to one that is not. */
const START_BYTES = SEALED_ONLY.length + 1;

/**
 * A connection, paused until it is given a reader. Both directions end on their own (half-open is allowed). It fails with
 * PROTOCOL where the other end is a sealed one, which takes nothing from this one, and whose bytes are no file's.
 */
export class Wire {
  readonly socket: Socket;
  readonly label: string;
  /** Undefined for a unix socket, whose end is never a reset. */
  readonly peerPort: number | undefined;
  /** Resolves once the socket is freed. */
  readonly closed: Promise<void>;
  /** The other end's FIN came. */
  peerEnded = false;
  failure: XferError | undefined;
  #reader: WireReader | undefined;
  /** Of what came. */
  #start = Buffer.alloc(0);
  #paused = true;
  readonly #slabs = new Slabs();

  private constructor(label: string, peerPort: number | undefined, makeSocket: MakeSocket) {
    this.label = label;
    this.peerPort = peerPort;
    this.socket = makeSocket((bytes) => this.#take(bytes), this.#slabs);
    this.socket.setNoDelay(true);
    this.socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.socket.on('error', (error) => this.#fail(toXferError(error, `connection ${label}`)));
    this.socket.on('end', () => this.#end());
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        if (!this.peerEnded) this.#fail(new XferError('DISCONNECTED', `connection ${label}: closed`));
        resolve();
      });
    });
  }

  /** A connection that `socket.connect()` is still to be called on. */
  static unconnected(label: string, peerPort: number | undefined): Wire {
    return new Wire(label, peerPort, fastSocket);
  }

  /** A connection that a server accepted with `pauseOnConnect`; `rewrap` false leaves Node's own socket in place. */
  static accepted(label: string, socket: Socket, isUnix = false, rewrap = true): Wire {
    const peerPort = isUnix ? undefined : (socket.remotePort ?? 0);
    const make: MakeSocket = (take, slabs) =>
      (rewrap ? rewrapAccepted(socket, take, slabs) : undefined) ?? plainSocket(socket, take);
    return new Wire(label, peerPort, make);
  }

  /** Starts to receive. */
  start(reader: WireReader): void {
    this.#reader = reader;
    if (this.failure) reader.onFail(this.failure);
    else this.resume();
  }

  /** It is read, and nothing came. */
  get isSilent(): boolean {
    return this.#reader !== undefined && this.#start.length === 0 && !this.peerEnded && !this.failure;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Receives again after `onBytes` said no. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }

  /** Takes back what `onBytes` was given, in whatever pieces, so that it is filled again: nobody looks at it any more. */
  recycle(bytes: Uint8Array): void {
    this.#slabs.give(bytes);
  }

  /**
   * Whether the kernel still knows the other end, which it forgets when a reset comes (getpeername(2): ENOTCONN). True
   * where it cannot be told. Means nothing once both ends have sent their FIN.
   */
  get connected(): boolean {
    // Node keeps the first yes.
    Reflect.deleteProperty(this.socket, '_peername');
    return this.peerPort === undefined || this.socket.remoteAddress !== undefined;
  }

  /** Whether the connection was reset, whatever the socket said. Then the wire fails, and `onFail` is called. */
  failIfReset(): boolean {
    // libuv turns a reset into an end of file when bytes were read just before it, so that only the kernel knows.
    if (this.socket.writableEnded || this.connected) return false;
    this.peerEnded = false;
    this.#fail(new XferError('DISCONNECTED', `connection ${this.label}: connection reset by the other end`));
    return true;
  }

  /** Sends FIN after all that was written; after it a reset may look like a clean end, so one that came fails the wire. */
  finish(): void {
    if (!this.failIfReset()) this.socket.end();
  }

  /** Frees the socket. The other end sees a reset, never a clean end, unless FIN went out already or it is a unix socket. */
  cut(): void {
    // A reset during shutdown is refused by libuv, which would leave the handle open.
    const noReset = this.peerPort === undefined || this.socket.connecting || this.socket.writableEnded;
    if (noReset) this.socket.destroy();
    else if (!this.socket.destroyed) this.socket.resetAndDestroy();
  }

  #take(bytes: Buffer): boolean {
    if (this.failure) {
      this.recycle(bytes);
      return true;
    }
    if (this.#start.length < START_BYTES) {
      this.#start = Buffer.concat([this.#start, bytes.subarray(0, START_BYTES - this.#start.length)]);
      if (this.#start.subarray(0, MAGIC.length).equals(MAGIC)) {
        this.#refuseSealed();
        return true;
      }
    }
    const more = this.#reader?.onBytes(bytes) ?? false;
    this.#paused = !more;
    return more;
  }

  /** Tells a sealed end so; the reader hears of it once that has arrived. */
  #refuseSealed(): void {
    const error = this.#notSealed();
    this.failure = error;
    sayLast(this.socket, PLAIN_ONLY);
    this.socket.once('close', () => this.#reader?.onFail(error));
  }

  #notSealed(): XferError {
    const reason = 'the other end is sealed, and this one is not, so nothing was taken';
    const hint = 'add --sealed, with the key that is shown there; or start the other end without a key';
    return new XferError('PROTOCOL', `connection ${this.label}: ${reason}`, { hint });
  }

  #end(): void {
    if (this.failure) return;
    if (this.#start.equals(Buffer.from(SEALED_ONLY))) {
      this.cut();
      this.#fail(this.#notSealed());
      return;
    }
    this.peerEnded = true;
    this.#reader?.onEnd();
  }

  #fail(error: XferError): void {
    if (this.failure) return;
    this.failure = error;
    this.socket.destroy();
    this.#reader?.onFail(error);
  }
}

/** Gives the bytes of Node's own socket to `take`. */
function plainSocket(socket: Socket, take: TakeBytes): Socket {
  socket.pause();
  socket.on('data', (bytes: Buffer) => {
    if (!take(bytes)) socket.pause();
  });
  return socket.pause();
}
