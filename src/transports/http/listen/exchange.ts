/** A request, its response, and the bytes between a stream and the connection. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { XferError } from '../../../errors.js';
import type { Tally } from './access-log.js';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly tally: Tally;
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
