/** One request -> one response: in what order a request is looked at. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange } from './exchange.js';
import type { Tally } from './log/access-log.js';
import { refuse, refuseError } from './refuse.js';
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
    const { downloads } = sharing.gate.lifetime;
    await answer({ request, response, tally, ...(downloads ? { downloads } : {}) }, sharing);
  } catch (error) {
    refuseError(request, response, error);
  }
}

async function answer(exchange: Exchange, sharing: Sharing): Promise<void> {
  const { request, response, tally } = exchange;
  const { method, headers } = request;
  const verdict = await sharing.gate.check(request);
  // What is sent may be a page with links to elsewhere, and the token is in its URL.
  if (sharing.gate.prefix.secret) response.setHeader('Referrer-Policy', 'no-referrer');
  if ('status' in verdict) {
    return refuse(request, response, verdict.status, { ...verdict.fields, ...closing(headers) }, verdict.advice);
  }
  request.url = verdict.target;
  if (verdict.user !== undefined) tally.user = verdict.user;
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

/** A body that nobody asked for is not read: the connection ends after the answer. */
function closing(headers: IncomingMessage['headers']): { Connection?: 'close' } {
  const length = headers['content-length'];
  const body = headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0);
  return body ? { Connection: 'close' } : {};
}
