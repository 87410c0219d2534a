/** One sealed connection: frames out, frames in, and how it ended. */
import type { TLSSocket } from 'node:tls';
import { onAbort } from '../../../concurrency/on-abort.js';
import { throwIfAborted, toXferError, XferError } from '../../../errors.js';
import type { Scope } from '../../../transport.js';
import { type Silence, watchSilence } from '../silence.js';
import {
  FRAME,
  type FrameKind,
  FrameReader,
  type FrameTaker,
  frameHeader,
  longestBody,
  MOST_CHUNK_BYTES,
} from './frame.js';
import { brokenLine, HANDSHAKE_TIMEOUT_MS, type Secured } from './handshake.js';
import { decodeFailure, decodeHello, encodeFailure, type Hello } from './messages.js';

/** So that the other end, and what is between, knows that this one is there. */
const PING_MS = 10_000;
/** Silence of an end that pings. */
const DEAD_MS = 45_000;
/** For the other end to read the last words, and to close too. */
const FAREWELL_MS = 5000;

export interface LaneTaker extends FrameTaker {
  /** Called once, when nothing more will come: the error that it ended by. */
  readonly onGone: (error: XferError) => void;
  /** The system took all that was sent, after more than a little had waited for it. */
  readonly onDrain?: () => void;
}

/** Paused until it is started. */
export class Lane {
  readonly label: string;
  /** The time that a message takes there and back, as far as it is known. */
  roundTripMs: number;
  /** Resolves once the socket is freed. */
  readonly closed: Promise<void>;
  readonly #socket: TLSSocket;
  readonly #ping: Silence;
  readonly #heard: Silence;
  readonly #reader: FrameReader;
  #taker: LaneTaker | undefined;
  #failure: XferError | undefined;
  #corked = false;
  #held = false;
  #leaving: NodeJS.Timeout | undefined;

  constructor({ socket, roundTripMs }: Secured, label: string) {
    this.label = label;
    this.roundTripMs = roundTripMs;
    this.#socket = socket;
    this.#reader = new FrameReader({
      onFrame: (kind, id, body) => this.#taker?.onFrame(kind, id, body),
      onBytes: (id, bytes) => this.#taker?.onBytes(id, bytes),
    });
    socket.setNoDelay(true);
    socket.pause();
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('drain', () => this.#taker?.onDrain?.());
    socket.on('error', (error) => this.#fail(brokenLine(error, label)));
    socket.on('end', () => this.#fail(this.#closedEarly()));
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#fail(this.#closedEarly());
        clearTimeout(this.#leaving);
        resolve();
      });
    });
    this.#ping = watchSilence(PING_MS, () => {
      this.send(FRAME.ping, 0);
      this.#ping.heard();
    });
    this.#heard = watchSilence(DEAD_MS, () => this.#silent());
  }

  get failure(): XferError | undefined {
    return this.#failure;
  }

  /** Bytes that the system has not taken yet. */
  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  start(taker: LaneTaker): void {
    this.#taker = taker;
    if (this.#failure) taker.onGone(this.#failure);
    else {
      this.#held = true;
      this.resume();
    }
  }

  /**
   * The other end's hello, which is the first thing that it says; the lane is paused then. Rejects with its refusal, with
   * PROTOCOL for anything else, UNSUPPORTED for another version, TIMED_OUT after ten seconds, and as the connection ends; it
   * is told why, and the lane is gone then.
   */
  async first({ signal }: Scope): Promise<Hello> {
    const late = () =>
      this.cut(
        new XferError('TIMED_OUT', `connection ${this.label}: said nothing for ${HANDSHAKE_TIMEOUT_MS / 1000} s`),
      );
    const timer = setTimeout(late, HANDSHAKE_TIMEOUT_MS);
    const free = onAbort(signal, () => this.cut());
    try {
      const hello = await new Promise<Hello>((resolve, reject) => this.start(firstTaker(this, resolve, reject)));
      throwIfAborted(signal);
      return hello;
    } catch (error) {
      throwIfAborted(signal);
      throw error;
    } finally {
      clearTimeout(timer);
      free();
    }
  }

  /** Takes no more frames until `resume`. */
  pause(): void {
    this.#held = true;
    this.#reader.stop();
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#held || this.#failure) return;
    this.#held = false;
    this.#heard.heard();
    this.#reader.go();
    this.#socket.resume();
  }

  /** Sends a frame; where the connection is gone, nothing. Small frames of one turn go out together. */
  send(kind: FrameKind, id: number, ...parts: Uint8Array[]): void {
    if (this.#failure) return;
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (length > longestBody(kind)) {
      throw new XferError('UNSAFE_PATH', `send to ${this.label}: its name, link and version are too long together`);
    }
    this.#cork();
    this.#socket.write(frameHeader(kind, id, length));
    for (const part of parts) if (part.length > 0) this.#socket.write(part);
    this.#ping.heard();
  }

  /** Sends bytes of a file. `sent` is called when the system has them, or with the error. */
  sendBytes(id: number, bytes: Buffer, sent: (error?: Error | null) => void): void {
    if (this.#failure || bytes.length === 0) {
      sent(this.#failure);
      return;
    }
    for (let at = 0; at < bytes.length; at += MOST_CHUNK_BYTES) {
      const part = bytes.subarray(at, at + MOST_CHUNK_BYTES);
      const isLast = at + part.length >= bytes.length;
      this.#socket.write(frameHeader(FRAME.bytes, id, part.length));
      this.#socket.write(part, isLast ? (error) => sent(error ? (this.#failure ?? error) : null) : undefined);
    }
    this.#ping.heard();
  }

  /** Sends what is left, and ends; where the other end does not close too, it is cut. */
  finish(): void {
    if (this.#failure) return;
    this.#socket.end();
    this.resume();
    this.#leave();
  }

  /** Tells the other end why this one ends, and frees the connection once it had the time to read that. */
  refuse(error: XferError): void {
    if (this.#failure) return;
    this.send(FRAME.failed, 0, encodeFailure(error));
    this.#socket.end();
    this.#leave();
    this.#settle(error);
    // What comes meanwhile is dropped: left unread, it would make the system reset the connection, and the words with it.
    this.#socket.resume();
  }

  /** Frees the connection. */
  cut(error = new XferError('DISCONNECTED', `connection ${this.label}: ended`)): void {
    this.#fail(error);
  }

  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }

  #take(bytes: Buffer): void {
    if (this.#failure) return;
    this.#heard.heard();
    try {
      const taken = this.#reader.take(bytes);
      if (taken < bytes.length && !this.#failure) this.#socket.unshift(bytes.subarray(taken));
    } catch (error) {
      this.refuse(toXferError(error, `connection ${this.label}`));
    }
  }

  #silent(): void {
    // Silent because we do not read.
    if (this.#held) this.#heard.heard();
    else this.#fail(new XferError('TIMED_OUT', `connection ${this.label}: nothing came for ${DEAD_MS / 1000} s`));
  }

  #closedEarly(): XferError {
    return new XferError('DISCONNECTED', `connection ${this.label}: closed by the other end`);
  }

  #leave(): void {
    this.#leaving ??= setTimeout(() => this.cut(), FAREWELL_MS);
  }

  #fail(error: XferError): void {
    this.#socket.destroy();
    this.#settle(error);
  }

  #settle(error: XferError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#ping.stop();
    this.#heard.stop();
    this.#reader.stop();
    this.#taker?.onGone(error);
  }
}

function firstTaker(lane: Lane, onHello: (hello: Hello) => void, onGone: (error: XferError) => void): LaneTaker {
  const unexpected = (): never => {
    throw new XferError('PROTOCOL', `connection ${lane.label}: it does not say who it is`);
  };
  return {
    onFrame: (kind, _id, body) => {
      if (kind === FRAME.ping) return;
      if (kind === FRAME.failed) lane.cut(decodeFailure(body));
      else if (kind !== FRAME.hello) unexpected();
      else {
        onHello(decodeHello(body));
        lane.pause();
      }
    },
    onBytes: unexpected,
    onGone,
  };
}
