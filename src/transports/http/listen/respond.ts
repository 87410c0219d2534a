/** One request -> one response: in what order a request is looked at. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange } from './exchange.js';
import type { Tally } from './log/access-log.js';
import { closing, refuse, refuseError } from './refuse.js';
import { answerShared } from './shared-path.js';
import type { Sharing } from './sharing.js';

const METHODS = 'GET, HEAD, OPTIONS';

/**
 * Answers a request for what is shared. Never rejects: what fails becomes a status, or, after the head of the response,
 * the end of the connection. Every file that it opened is closed when it resolves.
 */
export async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  sharing: Sharing,
  tally: Tally,
): Promise<void> {
  try {
    await answer({ request, response, tally }, sharing);
  } catch (error) {
    refuseError(request, response, error);
  }
}

async function answer(exchange: Exchange, sharing: Sharing): Promise<void> {
  const { request, response } = exchange;
  const { method, headers } = request;
  const script = sharing.cgi?.targetOf(exchange, sharing);
  if (script) return sharing.cgi?.answer(exchange, sharing, script);
  if (method === 'OPTIONS') {
    response.writeHead(204, { Allow: METHODS, ...closing(headers) }).end();
    return;
  }
  if (method !== 'GET' && method !== 'HEAD') {
    return refuse(request, response, 405, { Allow: METHODS, Connection: 'close' });
  }
  if (closing(headers).Connection) response.shouldKeepAlive = false;
  return answerShared(exchange, sharing);
}
