/** A request, its response, and the bytes between a stream and the connection. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { XferError } from '../../../errors.js';
import type { OpenFile } from '../../../transport.js';
import type { Span } from './file/ranges.js';
import type { Tally } from './log/access-log.js';
import { giveBack, type SendBuffer, takeSendBuffer } from './send-buffers.js';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly tally: Tally;
  /** The name that the client has logged in with. */
  readonly user?: string;
}

export type ReadableAt = Required<Pick<OpenFile, 'readAt'>>;

/**
 * Calls `gone` once when the client has gone, or at once where it has. The function that comes back ends the watch.
 * A response that waits behind another one on its connection is not told; its request is, unless its body was read to the
 * end, after which only the connection is left to ask.
 */
export function watchClient({ request, response }: Exchange, gone: () => void): () => void {
  const { socket } = request;
  const askConnection = (): void => {
    if (socket.destroyed) gone();
    else socket.once('close', gone);
  };
  if (response.destroyed) gone();
  else if (request.destroyed) askConnection();
  else request.once('close', askConnection);
  return () => {
    request.off('close', askConnection);
    socket.off('close', gone);
  };
}

/**
 * Sends all that `body` holds and leaves the response open. Rejects where either ended early; both are destroyed then.
 * DISCONNECTED where the client had gone.
 */
export async function sendStream(exchange: Exchange, body: Readable): Promise<void> {
  const { response, tally } = exchange;
  const unwatch = watchClient(exchange, () => {
    body.destroy(new XferError('DISCONNECTED', 'send: the client has gone'));
  });
  body.on('data', (chunk: Buffer) => {
    tally.bytes += chunk.length;
  });
  try {
    await pipeline(body, response, { end: false });
  } finally {
    unwatch();
  }
}

/** Ends the response with `bytes`, in one piece with its head where nothing was sent yet. */
export function sendLast({ response, tally }: Exchange, bytes: Uint8Array): void {
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
  for (let at = start; at < end; ) {
    const buffer = takeSendBuffer();
    try {
      if (!buffer.ample) await sending;
      const length = await file.readAt(buffer.bytes.subarray(0, Math.min(buffer.bytes.length, end - at)), at);
      if (length === 0) throw new XferError('TRUNCATED', 'send file: it became shorter');
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

/** Resolves when the connection has taken the first `length` bytes of the buffer, which is given back in any case. */
function sendPiece(exchange: Exchange, buffer: SendBuffer, length: number): Promise<void> {
  const { response, tally } = exchange;
  return new Promise((resolve, reject) => {
    let out = true;
    let unwatch = (): void => undefined;
    const done = (taken: boolean): void => {
      if (!out) return;
      out = false;
      unwatch();
      giveBack(buffer);
      if (taken) resolve();
      else reject(new XferError('DISCONNECTED', 'send: the client has gone'));
    };
    unwatch = watchClient(exchange, () => done(false));
    if (!out) return;
    tally.bytes += length;
    response.write(buffer.bytes.subarray(0, length), (error) => done(!error));
  });
}
