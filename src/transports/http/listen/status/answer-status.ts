/** `/healthz` and `/metrics`: what is asked of the server itself, and not of what it shares. */
import type { Exchange } from '../exchange.js';
import { CONTENT_TYPE } from './exposition.js';
import type { Metrics } from './metrics.js';
import type { Transfers } from './transfers.js';

export interface Status {
  readonly metrics: Metrics;
  readonly transfers: Transfers;
}

/** Answers a GET or a HEAD of `/healthz`; false for any other request. It tells nothing, so that nobody has to log in for it. */
export function answerHealth(exchange: Exchange): boolean {
  if (!asksFor(exchange, '/healthz')) return false;
  sendText(exchange, 'text/plain; charset=utf-8', 'ok\n');
  return true;
}

/** Answers a GET or a HEAD of `/metrics`; false for any other request. */
export function answerMetrics(exchange: Exchange, { metrics, transfers }: Status): boolean {
  if (!asksFor(exchange, '/metrics')) return false;
  sendText(exchange, CONTENT_TYPE, metrics.format(transfers));
  return true;
}

function asksFor({ request: { method, url } }: Exchange, path: string): boolean {
  return (method === 'GET' || method === 'HEAD') && url?.split('?', 1)[0] === path;
}

function sendText({ request, response, tally }: Exchange, contentType: string, text: string): void {
  const body = Buffer.from(text);
  response.writeHead(200, {
    'Content-Type': contentType,
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  if (request.method !== 'HEAD') tally.bytes += body.length;
  response.end(request.method === 'HEAD' ? undefined : body);
}
