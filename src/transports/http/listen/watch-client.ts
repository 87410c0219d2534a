import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Calls `gone` once when the client has gone before its response had ended, or at once where it has. The function that
 * comes back ends the watch. A response that waits behind another one on its connection is not told; its request is,
 * unless its body was read to the end, after which only the connection is left to ask.
 */
export function watchClient(request: IncomingMessage, response: ServerResponse, gone: () => void): () => void {
  const { socket } = request;
  const askConnection = (): void => {
    if (socket.destroyed) gone();
    else if (!response.writableFinished) socket.once('close', gone);
  };
  if (response.destroyed) gone();
  else if (request.destroyed) askConnection();
  else request.once('close', askConnection);
  return () => {
    request.off('close', askConnection);
    socket.off('close', gone);
  };
}
