/** What the status of an answer means (RFC 9110 15, RFC 4918 11) for someone who puts something there. */
import { type ErrorCode, XferError } from '../../../errors.js';
import { describeUrl } from '../client/describe-url.js';
import { loginHint, retryAfterMs } from '../client/status.js';
import { TUS } from '../upload-protocol.js';
import type { Answered } from './body-request.js';

interface Row {
  readonly code: ErrorCode;
  readonly means?: string;
  readonly hint?: string;
}

const METHOD: Row = {
  code: 'UNSUPPORTED',
  means: 'it takes no files there',
  hint: 'is it the right address? a server of xfer takes files where it was started with --upload',
};

const ROWS: Record<number, Row> = {
  400: { code: 'PROTOCOL' },
  401: { code: 'DENIED', means: 'a login is wanted, or the one that was given is wrong' },
  403: { code: 'DENIED', means: 'it may not be put there' },
  404: {
    code: 'NOT_FOUND',
    means: 'no such folder there',
    hint: 'make the folder first, or put into the one above it',
  },
  405: METHOD,
  407: { code: 'DENIED', means: 'the proxy wants a login' },
  408: { code: 'TIMED_OUT' },
  409: { code: 'NOT_FOUND', means: 'the folder that it would lie in is not there', hint: 'make the folder first' },
  410: { code: 'NOT_FOUND' },
  411: {
    code: 'UNSUPPORTED',
    means: 'it wants to know the length before the bytes',
    hint: 'write it to a file first, and put that',
  },
  412: {
    code: 'EXISTS',
    means: 'something has that name already',
    hint: 'add --overwrite to replace it, or put it under another name',
  },
  413: {
    code: 'NO_SPACE',
    means: 'it is larger than the server takes',
    hint: 'where a proxy limits each request: --chunk 50M, if the server takes files in pieces',
  },
  415: { code: 'UNSUPPORTED' },
  423: { code: 'DENIED', means: 'it is locked' },
  425: { code: 'DISCONNECTED' },
  429: { code: 'DISCONNECTED', means: 'too many requests' },
  501: METHOD,
  504: { code: 'TIMED_OUT' },
  505: { code: 'UNSUPPORTED' },
  507: { code: 'NO_SPACE', means: 'no room is left there' },
  [TUS.checksumMismatch]: { code: 'CORRUPT', means: 'the bytes that came are not those that were sent' },
};

export interface FaultTerms {
  /** A digest was sent along. */
  readonly withDigest?: boolean;
  /** What the request was about, in place of the address. */
  readonly what?: string;
}

/** The error that an answer is which is no success. Retry-After is in `retryAfterMs`, bounded. */
export function putFault(answered: Answered, { withDigest, what }: FaultTerms): XferError {
  const { status, headers, url } = answered;
  const named = what ?? `put ${describeUrl(url)}`;
  if (status >= 300 && status < 400) return redirectFault(answered, named);
  const said = reasonOf(answered);
  const waitMs = retryAfterMs(headers['retry-after']);
  let row = ROWS[status] ?? { code: status >= 500 && status < 600 ? 'DISCONNECTED' : 'PROTOCOL' };
  if (status === 409 && waitMs !== undefined) row = { code: 'DISCONNECTED' };
  if (status === 400 && withDigest && /digest/i.test(said)) row = { code: 'CORRUPT' };
  const reason = said || row.means;
  return new XferError(row.code, `${named}: the server says ${status}${reason ? `: ${reason}` : ''}`, {
    hint: status === 401 ? loginHint(headers['www-authenticate']) : row.hint,
    retryAfterMs: waitMs,
  });
}

/** After these a client may turn what it sends into a question (RFC 9110, 15.4.2), and the file would be lost. */
function redirectFault({ status, headers, url }: Answered, named: string): XferError {
  const to = headers.location;
  const next = to !== undefined && URL.canParse(to, url.href) ? new URL(to, url) : undefined;
  return new XferError('PROTOCOL', `${named}: the server sends elsewhere (${status}), which loses what is sent`, {
    hint: next && /^https?:$/.test(next.protocol) ? `name the new address: ${describeUrl(next)}` : undefined,
  });
}

/** The sentence that a server gives, where it gives one in plain text: the first line that is more than the status. */
function reasonOf({ status, headers, text }: Answered): string {
  if (!/^text\/plain\b/i.test(headers['content-type'] ?? '')) return '';
  const lines = text.slice(0, 1000).split(/\r?\n/, 4);
  const line = lines.map((one) => one.trim()).find((one) => one !== '' && !one.startsWith(String(status)));
  return (line ?? '').slice(0, 200).replace(/\.$/, '');
}
