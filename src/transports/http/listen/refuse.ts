/** Answers that hold no file: errors, redirects, options. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { type ErrorCode, XferError } from '../../../errors.js';

/** The status for each code that a source rejects with; 500 for the rest. */
const STATUS_BY_CODE: Partial<Record<ErrorCode, number>> = {
  NOT_FOUND: 404,
  UNSAFE_PATH: 404,
  EXISTS: 404,
  DENIED: 403,
  NO_SPACE: 503,
  UNREACHABLE: 503,
  DISCONNECTED: 503,
  TIMED_OUT: 503,
};

/**
 * Answers with a status, its name as text, advice, and further fields. Says nothing of the path or the cause, but what
 * `advice`, which is one of our own and in ASCII, says.
 */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  fields: Record<string, string> = {},
  advice = '',
): void {
  const body = `${status} ${STATUS_CODES[status] ?? 'Error'}\n${advice === '' ? '' : `${advice}\n`}`;
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': body.length,
    'Cache-Control': 'no-cache',
    'X-Content-Type-Options': 'nosniff',
    ...fields,
  });
  endAfterBody(request, response, request.method === 'HEAD' ? '' : body);
}

/** How long a client that still sends may take to read its answer, before the connection is cut under it. */
const LINGER_MS = 2000;

/**
 * Ends the response, and before that, where the client still sends its body, reads on for a while: a connection that is
 * closed over unread bytes is reset, and the answer with it is lost.
 */
export function endAfterBody(request: IncomingMessage, response: ServerResponse, body: string | Buffer): void {
  const { headers } = request;
  const stillComes = !request.complete && !request.destroyed && closing(headers).Connection !== undefined;
  if (!stillComes || headers.expect !== undefined) {
    response.end(body);
    return;
  }
  response.write(body);
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => {
    clearTimeout(timer);
    request.off('end', end).off('close', end);
    response.end();
  };
  timer = setTimeout(end, LINGER_MS);
  request.on('end', end).on('close', end).resume();
}

/** Answers OPTIONS: what may be asked for with which methods. */
export function answerOptions({ headers }: IncomingMessage, response: ServerResponse, methods: string): void {
  response.writeHead(204, { Allow: methods, ...closing(headers) }).end();
}

/** The status that answers what a source rejected with. */
export function statusOf(error: unknown): number {
  return (error instanceof XferError ? STATUS_BY_CODE[error.code] : undefined) ?? 500;
}

/** Answers an error, or cuts the connection where a response has begun, so that it never looks whole. */
export function refuseError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  refuse(request, response, statusOf(error));
}

/** A body that nobody asked for is not read: the connection ends after the answer. */
export function closing(headers: IncomingMessage['headers']): { Connection?: 'close' } {
  const length = headers['content-length'];
  const body = headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0);
  return body ? { Connection: 'close' } : {};
}
