/** What becomes of the client of a response. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { XferError } from '../../../errors.js';

export function clientGone(): XferError {
  return new XferError('DISCONNECTED', 'send: the client has gone');
}

/**
 * Calls `gone` once, with DISCONNECTED, when the client has gone before its response had ended, or at once where it has.
 * The function that comes back ends the watch. A response that waits behind another one on its connection is not told; its
 * request is, unless its body was read to the end, after which only the connection is left to ask.
 */
export function watchClient(
  request: IncomingMessage,
  response: ServerResponse,
  gone: (error: XferError) => void,
): () => void {
  const { socket } = request;
  const tell = (): void => gone(clientGone());
  const askConnection = (): void => {
    if (socket.destroyed) tell();
    else if (!response.writableFinished) socket.once('close', tell);
  };
  if (response.destroyed) tell();
  else if (request.destroyed) askConnection();
  else request.once('close', askConnection);
  return () => {
    request.off('close', askConnection);
    socket.off('close', tell);
  };
}

/** Calls `ended` once, when the response has ended or its client has gone. */
export function whenEnded(request: IncomingMessage, response: ServerResponse, ended: () => void): void {
  // Told of its connection, as it waits behind no other.
  if (response.socket && !response.destroyed) {
    response.on('close', ended);
    return;
  }
  let told = false;
  const tell = (): void => {
    if (told) return;
    told = true;
    ended();
  };
  const unwatch = watchClient(request, response, tell);
  response.once('close', () => {
    unwatch();
    tell();
  });
}
