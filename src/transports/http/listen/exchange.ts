/** A request, its response, and the bytes between a stream and the connection. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Slots } from '../../../concurrency/slots.js';
import { XferError } from '../../../errors.js';
import type { OpenFile } from '../../../transport.js';
import type { Downloads } from './access/downloads.js';
import type { Span } from './file/ranges.js';
import { type Pace, paced } from './limit/paced.js';
import { giveBack, type SendBuffer, takeSendBuffer } from './send-buffers.js';
import type { Tally } from './status/transfers.js';
import { clientGone, watchClient } from './watch-client.js';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly tally: Tally;
  /** Absent: as fast as it goes. */
  readonly pace?: Pace | undefined;
  /** Told of each file and archive before it is sent, where their number is limited. */
  readonly downloads?: Downloads | undefined;
}

/**
 * Pieces that are read at once, for all connections together: in a crowd each has its turn, and none of the turns of the
 * event loop, which accept a connection each, is a long one.
 */
const READS_AT_ONCE = 8;

const reading = new Slots(READS_AT_ONCE);

export type ReadableAt = Required<Pick<OpenFile, 'readAt'>>;

/**
 * Sends all that `body` holds and leaves the response open. Rejects where either ended early; both are destroyed then.
 * DISCONNECTED where the client had gone.
 */
export async function sendStream(exchange: Exchange, body: Readable): Promise<void> {
  const { request, response, tally, pace } = exchange;
  const unwatch = watchClient(request, response, (error) => body.destroy(error));
  const awake = keepAwake(exchange);
  const bytes = pace ? Readable.from(paced(body, pace), { objectMode: false }) : body;
  bytes.on('data', (chunk: Buffer) => {
    tally.bytes += chunk.length;
  });
  // `pipeline` tells of an error, but listens to nothing where the client has gone before.
  for (const stream of [body, bytes]) stream.on('error', () => undefined);
  try {
    await pipeline(bytes, response, { end: false });
  } finally {
    clearInterval(awake);
    unwatch();
  }
}

/** Where the client has all that there was, it waits for more: that is no idle connection, however long it takes. */
function keepAwake({ request, response }: Exchange): NodeJS.Timeout | undefined {
  const { timeout } = request.socket;
  if (!timeout) return undefined;
  return setInterval(() => {
    if (response.writableLength === 0) request.socket.setTimeout(timeout);
  }, timeout / 3);
}

/**
 * Ends the response with `bytes`, in one piece with its head where nothing was sent yet and there is no pace. For a HEAD it
 * has none of them.
 */
export async function sendLast({ request, response, tally, pace }: Exchange, bytes: Uint8Array): Promise<void> {
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  if (pace) {
    for await (const piece of paced([bytes], pace)) {
      tally.bytes += piece.length;
      response.write(piece);
    }
    response.end();
    return;
  }
  tally.bytes += bytes.length;
  response.end(bytes);
}

/**
 * Sends exactly the bytes of a range and leaves the response open. One piece is read while the one before it is on its way,
 * and a buffer is used again once the connection has taken it. TRUNCATED where the file ends before, DISCONNECTED where
 * the client had gone.
 */
export async function sendRange(exchange: Exchange, file: ReadableAt, { start, end }: Span): Promise<void> {
  let sending: Promise<void> | undefined;
  const { pace } = exchange;
  for (let at = start; at < end; ) {
    const wanted = Math.min(end - at, pace?.limit.pieceBytes ?? Number.POSITIVE_INFINITY);
    // Before a buffer is taken: one that waits for its turn would be kept from others.
    if (pace) await pace.limit.take(pace.client, wanted, pace.gone);
    const buffer = takeSendBuffer();
    try {
      if (!buffer.ample) await sending;
      if (!reading.tryTake()) await reading.take();
      const length = await fill(file, buffer.bytes.subarray(0, Math.min(buffer.bytes.length, wanted)), at);
      await sending;
      at += length;
      sending = sendPiece(exchange, buffer, length);
    } catch (error) {
      giveBack(buffer);
      throw error;
    }
    sending.catch(() => {});
  }
  await sending;
}

/** Fills a buffer in one of the turns. TRUNCATED where nothing is there. */
async function fill(file: ReadableAt, bytes: Buffer, at: number): Promise<number> {
  try {
    const length = await file.readAt(bytes, at);
    if (length > 0) return length;
    throw new XferError('TRUNCATED', 'send file: it became shorter');
  } finally {
    reading.give();
  }
}

/** Resolves when the connection has taken the first `length` bytes of the buffer, which is given back in any case. */
function sendPiece(exchange: Exchange, buffer: SendBuffer, length: number): Promise<void> {
  const { request, response, tally } = exchange;
  return new Promise((resolve, reject) => {
    let out = true;
    let unwatch = (): void => undefined;
    const done = (error?: XferError): void => {
      if (!out) return;
      out = false;
      unwatch();
      giveBack(buffer);
      if (error) reject(error);
      else resolve();
    };
    unwatch = watchClient(request, response, done);
    if (!out) return;
    tally.bytes += length;
    response.write(buffer.bytes.subarray(0, length), (error) => done(error ? clientGone() : undefined));
  });
}
