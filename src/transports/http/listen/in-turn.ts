/** Requests that a client sends without waiting for answers (pipelining, RFC 9112, 9.3.2), one after another. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection that wait. Who pipelines at all sends ten. */
const MOST_WAITING = 128;

interface Line {
  busy: boolean;
  readonly waiting: (() => void)[];
}

const lines = new WeakMap<Socket, Line>();

/**
 * Calls `answer` once the responses before this one on its connection have ended: Node hands over all requests that have
 * come, and a file for each of thousands would be opened for a client that reads none. Does not call it where the connection
 * has ended by then. A connection with more than 128 requests that wait is cut.
 */
export function inTurn({ socket }: IncomingMessage, response: ServerResponse, answer: () => void): void {
  const line = lines.get(socket) ?? { busy: false, waiting: [] };
  lines.set(socket, line);
  const begin = (): void => {
    response.on('close', () => next(socket, line));
    answer();
  };
  if (!line.busy) {
    line.busy = true;
    begin();
  } else if (line.waiting.length < MOST_WAITING) line.waiting.push(begin);
  else socket.destroy();
}

function next(socket: Socket, line: Line): void {
  const begin = socket.destroyed ? undefined : line.waiting.shift();
  if (begin) begin();
  else line.busy = false;
}
