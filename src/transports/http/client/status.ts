/** What the status of an answer means (RFC 9110 15) for someone who wants the file. */
import type { IncomingMessage } from 'node:http';
import { type ErrorCode, XferError } from '../../../errors.js';
import { httpDate } from '../validator.js';

/** However long the other end asks for, nobody waits longer than this. */
const RETRY_AFTER_LIMIT_MS = 600_000;

const LOGIN_HINT = 'give a login: -u user, or user:password@ in front of the host';
const DIGEST_HINT = 'the server takes Digest logins alone, which are not spoken here; curl --digest speaks them';

/** What to do about a 401, after its `WWW-Authenticate` (RFC 9110, 11.6.1). */
export function loginHint(challenge: string | undefined): string {
  const takes = (scheme: string) => new RegExp(`(?:^|,)\\s*${scheme}(?:\\s|,|$)`, 'i').test(challenge ?? '');
  return takes('Digest') && !takes('Basic') ? DIGEST_HINT : LOGIN_HINT;
}

const STATUS_CODES: Record<number, { readonly code: ErrorCode }> = {
  401: { code: 'DENIED' },
  403: { code: 'DENIED' },
  404: { code: 'NOT_FOUND' },
  407: { code: 'DENIED' },
  408: { code: 'TIMED_OUT' },
  410: { code: 'NOT_FOUND' },
  416: { code: 'SOURCE_CHANGED' },
  425: { code: 'DISCONNECTED' },
  429: { code: 'DISCONNECTED' },
  501: { code: 'UNSUPPORTED' },
  504: { code: 'TIMED_OUT' },
  505: { code: 'UNSUPPORTED' },
};

/** Whether an answer holds all of the file: 200, or 203 where something between changed what it says of it. */
export function isWhole({ statusCode }: IncomingMessage): boolean {
  return statusCode === 200 || statusCode === 203;
}

/** Throws, and frees the answer, where it holds neither the file nor a part. Retry-After is in `retryAfterMs`, bounded. */
export function checkStatus(response: IncomingMessage, what: string): void {
  const status = response.statusCode ?? 0;
  if (isWhole(response) || status === 206) return;
  response.destroy();
  const row = STATUS_CODES[status] ?? { code: status >= 500 && status < 600 ? 'DISCONNECTED' : 'PROTOCOL' };
  const phrase = (response.statusMessage ?? '').slice(0, 100);
  throw new XferError(row.code, `${what}: the server says ${status}${phrase === '' ? '' : ` ${phrase}`}`, {
    hint: status === 401 ? loginHint(response.headers['www-authenticate']) : undefined,
    retryAfterMs: retryAfterMs(response.headers['retry-after']),
  });
}

/** Retry-After (RFC 9110 10.2.3), in seconds or as a date, from 0 to ten minutes; undefined where it is neither. */
export function retryAfterMs(field: string | undefined, nowMs = Date.now()): number | undefined {
  if (field === undefined) return undefined;
  const seconds = /^[0-9]{1,9}$/.test(field.trim()) ? Number(field) : undefined;
  const untilMs = httpDate(field);
  const waitMs = seconds === undefined ? (untilMs === undefined ? undefined : untilMs - nowMs) : seconds * 1000;
  return waitMs === undefined ? undefined : Math.min(Math.max(waitMs, 0), RETRY_AFTER_LIMIT_MS);
}
