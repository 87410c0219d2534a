/** Answers to those who upload. */
import { STATUS_CODES } from 'node:http';
import type { Exchange } from '../exchange.js';
import { refuse } from '../refuse.js';
import type { Refusal } from './refusal.js';

/** Answers that all went well; `text` is what a person at a terminal reads. */
export function answerDone(
  { request, response, tally }: Exchange,
  status: number,
  fields: Record<string, string> = {},
  text = '',
): void {
  if (status === 204) {
    response.writeHead(204, { 'Cache-Control': 'no-store', ...fields }).end();
    return;
  }
  const body = Buffer.from(text === '' ? `${status} ${STATUS_CODES[status]}\n` : text);
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...fields,
  });
  const bare = request.method === 'HEAD';
  if (!bare) tally.bytes += body.length;
  response.end(bare ? undefined : body);
}

/** Answers with the reason. */
export function answerRefusal({ request, response }: Exchange, refusal: Refusal, fields: Record<string, string> = {}) {
  if (response.headersSent || response.destroyed) response.destroy();
  else refuse(request, response, refusal.status, { ...refusal.fields, ...fields }, refusal.reason);
}
