/** A request, its response, and the bytes between a stream and the connection. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { XferError } from '../../../errors.js';
import { type Pace, paced } from './limit/paced.js';
import type { Tally } from './status/transfers.js';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly tally: Tally;
  /** Absent: as fast as it goes. */
  readonly pace?: Pace | undefined;
}

/**
 * Sends all that `body` holds and leaves the response open. Rejects where either ended early; both are destroyed then.
 * DISCONNECTED where the client had gone.
 */
export async function sendStream({ request, response, tally, pace }: Exchange, body: Readable): Promise<void> {
  const gone = new AbortController();
  // A response that waits behind another one on its connection is not told when that ends; its request is.
  const cut = (): void => {
    const error = new XferError('DISCONNECTED', 'send: the client has gone');
    body.destroy(error);
    gone.abort(error);
  };
  if (request.destroyed || response.destroyed) cut();
  request.once('close', cut);
  const count = (bytes: number): void => {
    tally.bytes += bytes;
  };
  try {
    if (pace) {
      const pieces = (chunks: AsyncIterable<Buffer>) => paced(chunks, pace, count, gone.signal);
      await pipeline(body, pieces, response, { end: false });
    } else {
      body.on('data', (chunk: Buffer) => count(chunk.length));
      await pipeline(body, response, { end: false });
    }
  } finally {
    request.removeListener('close', cut);
  }
}

/** As `sendStream`; TRUNCATED where `body` does not hold exactly `length` bytes, which have been announced. */
export async function sendExactly(exchange: Exchange, body: Readable, length: number): Promise<void> {
  const before = exchange.tally.bytes;
  await sendStream(exchange, body);
  if (exchange.tally.bytes - before !== length) throw new XferError('TRUNCATED', 'send file: it became shorter');
}

/**
 * Ends the response with all that `body` holds, in one piece with its head: for bodies that are small, where a pipeline
 * costs more than the bytes. Rejects as `sendExactly` does; before anything was sent, where there is no pace.
 */
export async function sendSmall(exchange: Exchange, body: Readable, length: number): Promise<void> {
  const { request, response, tally, pace } = exchange;
  if (pace) {
    await sendExactly(exchange, body, length);
    response.end();
    return;
  }
  const pieces = await readAll(request, body);
  const bytes = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  if (bytes.length !== length) throw new XferError('TRUNCATED', 'send file: it became shorter');
  tally.bytes += bytes.length;
  response.end(bytes);
}

function readAll(request: IncomingMessage, body: Readable): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const cut = (): void => void body.destroy(new XferError('DISCONNECTED', 'send: the client has gone'));
    if (request.destroyed) cut();
    request.once('close', cut);
    body.on('data', (chunk: Buffer) => pieces.push(chunk));
    body.once('end', () => {
      request.removeListener('close', cut);
      resolve(pieces);
    });
    body.once('error', reject);
    body.once('close', () => {
      request.removeListener('close', cut);
      reject(new XferError('TRUNCATED', 'send file: its stream ended early'));
    });
  });
}
