/** A request, its response, and the bytes between a stream and the connection. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { XferError } from '../../../errors.js';
import type { Downloads } from './access/downloads.js';
import type { Tally } from './log/access-log.js';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly tally: Tally;
  /** Told of each file and archive before it is sent, where their number is limited. */
  readonly downloads?: Downloads;
}

/**
 * Sends all that `body` holds and leaves the response open. Rejects where either ended early; both are destroyed then.
 * DISCONNECTED where the client had gone.
 */
export async function sendStream({ request, response, tally }: Exchange, body: Readable): Promise<void> {
  // A response that waits behind another one on its connection is not told when that ends; its request is.
  const cut = (): void => void body.destroy(new XferError('DISCONNECTED', 'send: the client has gone'));
  if (request.destroyed || response.destroyed) cut();
  request.once('close', cut);
  body.on('data', (chunk: Buffer) => {
    tally.bytes += chunk.length;
  });
  try {
    await pipeline(body, response, { end: false });
  } finally {
    request.removeListener('close', cut);
  }
}

/**
 * Ends the response with all that `body` holds, in one piece with its head: for bodies that are small, where a pipeline
 * costs more than the bytes. Rejects as `sendStream` does, before anything was sent; TRUNCATED where `body` does not hold
 * exactly `length` bytes.
 */
export async function sendSmall({ request, response, tally }: Exchange, body: Readable, length: number): Promise<void> {
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
