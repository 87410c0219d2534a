import type { Server } from 'node:net';
import { toXferError } from '../errors.js';

/**
 * Settles when every server of a listener has closed, and `last` is done; rejects where one ended by a fault. `stop` is
 * called when the signal is aborted, soon where it was, and when it is over. Nobody has to listen to the answer.
 */
export function serversClosed(
  servers: readonly Server[],
  signal: AbortSignal,
  stop: () => void,
  last: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  const closed = Promise.all(servers.map(untilClosed))
    .then(last)
    .then(() => undefined)
    .finally(() => {
      signal.removeEventListener('abort', stop);
      stop();
    });
  closed.catch(() => undefined);
  // Not before the caller has the answer, which `stop` may wait for.
  if (signal.aborted) queueMicrotask(stop);
  else signal.addEventListener('abort', stop, { once: true });
  return closed;
}

function untilClosed(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('close', resolve);
    server.on('error', (error) => reject(toXferError(error, 'serve')));
  });
}
