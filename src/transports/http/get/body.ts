/** The body of an answer, held to what was promised and to what was asked for. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { XferError } from '../../../errors.js';
import { requestError } from '../client/request-error.js';
import { recycle, tapBody } from '../client/tapped-socket.js';

/** A shorter body is not worth the connection that it costs to take it past the parser. */
const DIRECT_BYTES = 4 << 20;

export interface BodyTerms {
  /** For messages. */
  readonly what: string;
  /** Bytes that the answer promised; PROTOCOL where more come. Absent where it did not say. */
  readonly promised?: number;
  /** Bytes that the reader asked for, from the body's first on; what follows them is not read. Absent: all. */
  readonly wanted?: number;
  /** The connection need not bring another answer. */
  readonly last?: boolean;
  readonly idleTimeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Bytes of one body. Fails with TRUNCATED where it ends before the promised or wanted length, PROTOCOL where it is longer
 * than promised, TIMED_OUT where nothing comes while the reader waits, DISCONNECTED, and with the reason of the signal.
 * Destroying it frees the connection.
 */
export class BodyStream extends Readable {
  readonly #response: IncomingMessage;
  readonly #terms: BodyTerms;
  readonly #abort = () => this.destroy(this.#terms.signal.reason);
  #timer: NodeJS.Timeout | undefined;
  #received = 0;
  #ended = false;
  /** The bytes come past the parser. */
  #direct = false;

  constructor(response: IncomingMessage, terms: BodyTerms) {
    super({ highWaterMark: 262_144 });
    this.#response = response;
    this.#terms = terms;
    terms.signal.addEventListener('abort', this.#abort, { once: true });
    response.on('end', () => this.#finish());
    response.on('error', (error) => this.#fail(error));
    response.on('close', () => this.#fail(undefined));
    if (response.errored || response.destroyed) process.nextTick(() => this.#fail(response.errored ?? undefined));
    if (terms.signal.aborted) process.nextTick(this.#abort);
  }

  override _read(): void {
    const response = this.#response;
    if (!this.#direct && response.listenerCount('data') === 0) this.#begin();
    if (this.#direct) response.socket.resume();
    else response.resume();
    if (!this.#ended) this.#watch();
  }

  /** A chunk may be filled again. */
  recycle(chunk: Buffer): void {
    if (this.#direct) recycle(chunk);
  }

  #begin(): void {
    const response = this.#response;
    const { promised = 0, last = false } = this.#terms;
    const isLong = last && promised - response.readableLength >= DIRECT_BYTES && !response.complete;
    const isPlain = response.headers['transfer-encoding'] === undefined && !response.destroyed;
    if (isLong && isPlain && tapBody(response.socket, (chunk) => this.#take(chunk))) {
      this.#direct = true;
      // What the parser saw of the body before.
      for (let chunk = response.read(); chunk !== null; chunk = response.read()) this.#take(chunk as Buffer);
    } else response.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    this.#terms.signal.removeEventListener('abort', this.#abort);
    if (!this.#ended) this.#response.destroy();
    done(error);
  }

  /** A slow reader is not a stalled sender: time counts only while the reader waits. */
  #watch(): void {
    const { idleTimeoutMs, what } = this.#terms;
    if (this.#timer) this.#timer.refresh();
    else {
      const late = () => this.destroy(new XferError('TIMED_OUT', `${what}: nothing came for ${idleTimeoutMs} ms`));
      this.#timer = setTimeout(late, idleTimeoutMs);
    }
  }

  /** Whether more may come at once. */
  #take(chunk: Buffer): boolean {
    const { promised, wanted, what } = this.#terms;
    if (this.destroyed || this.#ended) return false;
    const room = (wanted ?? Number.POSITIVE_INFINITY) - this.#received;
    this.#received += chunk.length;
    if (promised !== undefined && this.#received > promised) {
      this.destroy(new XferError('PROTOCOL', `${what}: more than the ${promised} bytes that were promised`));
      return false;
    }
    const more = this.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    const isCut = wanted !== undefined && this.#received >= wanted && (promised === undefined || promised > wanted);
    if (isCut || (this.#direct && this.#received === promised)) this.#cut();
    else if (more) this.#watch();
    else {
      if (!this.#direct) this.#response.pause();
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    return more;
  }

  /** The reader has what it wanted, and the connection brings nothing else. */
  #cut(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#response.destroy();
    this.push(null);
  }

  #finish(): void {
    if (this.#ended || this.destroyed) return;
    const expected = this.#terms.wanted ?? this.#terms.promised;
    if (expected !== undefined && this.#received < expected) {
      this.destroy(
        new XferError('TRUNCATED', `${this.#terms.what}: ended after ${this.#received} of ${expected} bytes`),
      );
      return;
    }
    this.#ended = true;
    clearTimeout(this.#timer);
    this.push(null);
  }

  #fail(error: Error | undefined): void {
    if (this.#ended || this.destroyed) return;
    const { promised, wanted, what } = this.#terms;
    const expected = wanted ?? promised;
    const cutOff = error === undefined || (error as NodeJS.ErrnoException).code === 'ECONNRESET';
    if (!cutOff) this.destroy(requestError(error, what));
    else if (expected === undefined) this.destroy(new XferError('DISCONNECTED', `${what}: the connection ended early`));
    else this.destroy(new XferError('TRUNCATED', `${what}: ended after ${this.#received} of ${expected} bytes`));
  }
}
