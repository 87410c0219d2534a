/** One request -> one response: in what order a request is looked at. */
import type { Exchange } from './exchange.js';
import { answerOptions, closing, refuse, refuseError } from './refuse.js';
import { requestFault } from './request-fault.js';
import { answerShared } from './shared-path.js';
import type { Sharing } from './sharing.js';
import { answerHealth, answerMetrics, type Status } from './status/answer-status.js';
import { isEncrypted, redirectToTls } from './tls/redirect.js';
import { answerUpload, methodsWith } from './upload/answer.js';

const METHODS = 'GET, HEAD, OPTIONS';

/**
 * Answers a request for what is shared. Never rejects: what fails becomes a status, or, after the head of the response,
 * the end of the connection. Every file that it opened is closed when it resolves.
 */
export async function respond(exchange: Exchange, sharing: Sharing, status?: Status): Promise<void> {
  try {
    await answer(exchange, sharing, status);
  } catch (error) {
    refuseError(exchange.request, exchange.response, error);
  }
}

async function answer(exchange: Exchange, sharing: Sharing, status: Status | undefined): Promise<void> {
  const { request, response, tally } = exchange;
  const { headers } = request;
  // Of a body that came with its head Node looks at the beginning first, and answers itself where that is malformed.
  if (closing(headers).Connection !== undefined) await undefined;
  const fault = requestFault(request);
  if (fault !== undefined) return refuse(request, response, fault, { Connection: 'close' });
  if (sharing.encrypted && !isEncrypted(request)) return answerPlain(exchange, sharing);
  // It tells nothing, so it comes before any question of who asks.
  if (status && answerHealth(exchange)) return;
  const checked = sharing.gate.check(request);
  const verdict = checked instanceof Promise ? await checked : checked;
  // What is sent may be a page with links to elsewhere, and the token is in its URL.
  if (sharing.gate.prefix.secret) response.setHeader('Referrer-Policy', 'no-referrer');
  if ('status' in verdict) {
    return refuse(request, response, verdict.status, { ...verdict.fields, ...closing(headers) }, verdict.advice);
  }
  request.url = verdict.target;
  if (verdict.user !== undefined) tally.user = verdict.user;
  return answerAdmitted(exchange, sharing, status);
}

/** Answers what came in the clear where TLS is spoken. A name that anybody can give must send nobody elsewhere. */
function answerPlain({ request, response }: Exchange, { gate }: Sharing): void {
  const refused = gate.refusesHost(request);
  if (refused) refuse(request, response, refused.status, { Connection: 'close' }, refused.advice);
  else redirectToTls(request, response);
}

async function answerAdmitted(exchange: Exchange, sharing: Sharing, status: Status | undefined): Promise<void> {
  const { request, response } = exchange;
  const { method, headers } = request;
  const script = sharing.cgi?.targetOf(exchange, sharing);
  if (script) return sharing.cgi?.answer(exchange, sharing, script);
  if (sharing.uploads && (await answerUpload(exchange, sharing, sharing.uploads))) return;
  if (method === 'OPTIONS') return answerOptions(request, response, METHODS);
  if (method !== 'GET' && method !== 'HEAD') {
    const allowed = sharing.uploads ? methodsWith(sharing.uploads) : METHODS;
    return refuse(request, response, 405, { Allow: allowed, Connection: 'close' });
  }
  if (closing(headers).Connection) response.shouldKeepAlive = false;
  if (status && answerMetrics(exchange, status)) return;
  return answerShared(exchange, sharing);
}
