/** Connections on which nothing is under way: what ends them when a listener takes no more. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Watches a server. What comes back ends the connections that are idle; once the server takes no more, each other one is
 * ended when its response is.
 */
export function watchIdle(server: Server): () => void {
  // Those that never asked for anything, as browsers keep them ready: Node does not count them as idle.
  const fresh = new Map<string, Socket>();
  server.on('connection', (socket: Socket) => {
    const place = placeOf(socket);
    fresh.set(place, socket);
    socket.once('close', () => fresh.delete(place));
  });
  const asked = ({ socket }: IncomingMessage, response: ServerResponse): void => {
    if (fresh.size > 0) fresh.delete(placeOf(socket));
    response.once('close', () => {
      if (!server.listening) setImmediate(() => server.closeIdleConnections());
    });
  };
  server.on('request', asked);
  server.on('checkContinue', asked);
  return () => {
    for (const socket of fresh.values()) socket.destroy();
    server.closeIdleConnections();
  };
}

/** The same for a socket and for the one of TLS that is laid over it. */
function placeOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
