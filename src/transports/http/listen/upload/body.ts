/** The body of a request as a stream that ends without taking the connection with it, and does not wait for ever. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { contentLength } from '../../validator.js';
import type { Exchange } from '../exchange.js';
import { clientGone } from '../watch-client.js';
import { refusals } from './refusal.js';

/** Bytes that each period of waiting has to bring: a client that sends one now and then would hold its place for ever. */
const LEAST_BYTES = 1024;

/** Pieces, of up to 64 KiB each, that wait for the disk. Each is handed on as it came: bytes would be joined by a copy. */
const MOST_PIECES = 16;

const asked = new WeakSet<IncomingMessage>();

/** Whether the client holds its body back until somebody wants it (RFC 9110, 10.1.1). */
export function holdsBack(request: IncomingMessage): boolean {
  return !asked.has(request) && /^100-continue$/i.test(request.headers.expect ?? '');
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
  #timer: NodeJS.Timeout | undefined;
  #sinceTimer = 0;

  constructor(exchange: Exchange, idleMs: number) {
    super({ objectMode: true, highWaterMark: MOST_PIECES });
    this.#exchange = exchange;
    this.#request = exchange.request;
    this.#idleMs = idleMs;
    const length = contentLength(exchange.request.headers);
    if (length !== undefined) exchange.tally.totalBytes = length;
    askFor(exchange.request, exchange.response);
    this.#request.pause();
    this.#request.on('data', this.#take).on('end', this.#end).on('close', this.#gone).on('error', this.#gone);
    if (this.#request.readableEnded) process.nextTick(this.#end);
    else if (this.#request.destroyed) process.nextTick(this.#gone);
  }

  override _read(): void {
    this.#request.resume();
    this.#timer ??= setInterval(() => this.#look(), this.#idleMs);
  }

  #look(): void {
    if (this.#sinceTimer < LEAST_BYTES) this.destroy(refusals.stalled());
    this.#sinceTimer = 0;
  }

  readonly #take = (chunk: Buffer): void => {
    this.#sinceTimer += chunk.length;
    this.#exchange.tally.received = (this.#exchange.tally.received ?? 0) + chunk.length;
    if (this.push(chunk)) return;
    this.#request.pause();
    this.#rest();
  };

  readonly #end = (): void => {
    this.#rest();
    this.push(null);
  };

  readonly #gone = (): void => {
    if (!this.readableEnded && !this.#request.complete) this.destroy(clientGone());
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
    if (!this.#request.complete) this.#request.pause();
    done(error);
  }
}
