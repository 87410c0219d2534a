/** The body of a request as a stream that ends without taking the connection with it, and does not wait for ever. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { contentLength } from '../../validator.js';
import type { Exchange } from '../exchange.js';
import { expectsContinue } from '../request-fault.js';
import { clientGone } from '../watch-client.js';
import { refusals } from './refusal.js';
import { giveBack, readStraight, type StraightReads } from './straight-reads.js';

/** Bytes that each period of waiting has to bring: a client that sends one now and then would hold its place for ever. */
const LEAST_BYTES = 1024;

/** Pieces, of up to 64 KiB each, that wait for the disk. Each is handed on as it came: bytes would be joined by a copy. */
const MOST_PIECES = 16;

/** A longer rest of a body is worth a connection of its own. */
const STRAIGHT_FROM_BYTES = 8 << 20;

const asked = new WeakSet<IncomingMessage>();

/** Whether the client holds its body back until somebody wants it (RFC 9110, 10.1.1). */
function holdsBack(request: IncomingMessage): boolean {
  return !asked.has(request) && expectsContinue(request);
}

/** Asks for a body that is held back. To be called once nothing speaks against it any more. */
function askFor(request: IncomingMessage, response: ServerResponse): void {
  if (holdsBack(request)) response.writeContinue();
  asked.add(request);
}

/**
 * Fails with a Refusal (408) where less than 1 KiB came in `idleMs` while it waited, and with DISCONNECTED where the client
 * has gone before the end. Destroying it leaves the request, whose rest may be read by others.
 */
export class UploadBody extends Readable {
  readonly #request: IncomingMessage;
  readonly #exchange: Exchange;
  readonly #idleMs: number;
  readonly #straight: StraightReads | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sinceTimer = 0;
  #cameAll = false;

  constructor(exchange: Exchange, idleMs: number) {
    super({ objectMode: true, highWaterMark: MOST_PIECES });
    const { request, response, tally } = exchange;
    this.#exchange = exchange;
    this.#request = request;
    this.#idleMs = idleMs;
    const length = contentLength(request.headers);
    if (length !== undefined) tally.totalBytes = length;
    askFor(request, response);
    // Its client may go before its draft is there, and nobody reads it then.
    this.on('error', () => undefined);
    request.on('close', this.#gone).on('error', this.#gone);
    this.#straight = this.#readsStraight(length);
    if (this.#straight) return;
    request.pause().on('data', this.#take).on('end', this.#end);
    this.#cameAll = request.readableEnded;
    if (this.#cameAll) process.nextTick(this.#end);
    else if (request.destroyed) process.nextTick(this.#gone);
  }

  /** Undefined where the body is short, or its length not known, or Node has no way to do so. */
  #readsStraight(length: number | undefined): StraightReads | undefined {
    const request = this.#request;
    const left = (length ?? 0) - request.readableLength;
    if (left < STRAIGHT_FROM_BYTES || request.complete || request.destroyed) return undefined;
    const early = request.read() as Buffer | null;
    const reads = readStraight(request, left, this.#take, this.#end);
    if (reads) this.#exchange.response.shouldKeepAlive = false;
    if (early) this.#take(early);
    return reads;
  }

  /** Its bytes were written. */
  recycle(chunk: Buffer): void {
    giveBack(chunk);
  }

  override _read(): void {
    (this.#straight ?? this.#request).resume();
    this.#timer ??= setInterval(() => this.#look(), this.#idleMs);
  }

  #look(): void {
    if (this.#sinceTimer < LEAST_BYTES) this.destroy(refusals.stalled());
    this.#sinceTimer = 0;
  }

  readonly #take = (chunk: Buffer): void => {
    const { tally } = this.#exchange;
    this.#sinceTimer += chunk.length;
    tally.received = (tally.received ?? 0) + chunk.length;
    if (this.destroyed) giveBack(chunk);
    if (this.destroyed || this.push(chunk)) return;
    (this.#straight ?? this.#request).pause();
    this.#rest();
  };

  readonly #end = (): void => {
    this.#cameAll = true;
    this.#rest();
    if (!this.destroyed) this.push(null);
  };

  /** A request that is whole gives nothing any more, too, where its connection broke before all of it was read. */
  readonly #gone = (): void => {
    if (!this.#cameAll) this.destroy(clientGone());
  };

  /** Time does not count while nobody reads. */
  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#sinceTimer = 0;
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#rest();
    this.#request.off('data', this.#take).off('end', this.#end).off('close', this.#gone).off('error', this.#gone);
    // A request without one fails the process where its connection breaks.
    this.#request.on('error', () => undefined);
    if (!this.#request.complete && !this.#straight) this.#request.pause();
    // What still comes is read and forgotten, for a while: who refuses the rest wants to be heard.
    if (!this.#request.complete) this.#straight?.resume();
    done(error);
  }
}
