/** What is told of each request, and the line that a log holds of it. */
import { printable } from '../../../../names.js';

/** One request that ended. All text is as it came from outside: it passes `formatAccess` or `printable` before it is shown. */
export interface AccessRecord {
  /** When the request's headers had come. */
  readonly time: Date;
  /** Address of the client; `unix` where it came by a unix socket or a named pipe. */
  readonly client: string;
  /** Who was logged in. */
  readonly user?: string;
  readonly method: string;
  /** The request target, raw. */
  readonly target: string;
  /** As in `1.1`. */
  readonly httpVersion: string;
  readonly status: number;
  /** Bytes of the body that were handed to the connection. */
  readonly bytes: number;
  /** Bytes of a body that were taken in; absent where none was wanted. */
  readonly received?: number;
  readonly durationMs: number;
  readonly referer?: string;
  readonly userAgent?: string;
  /** The connection ended before the response did. */
  readonly aborted: boolean;
}

export type AccessFormat = 'common' | 'combined';

/**
 * A record as one line in the Common or the Combined Log Format of Apache, in UTC, with nothing in it that a terminal could
 * obey.
 */
export function formatAccess(record: AccessRecord, format: AccessFormat = 'common'): string {
  const { client, user, time, method, target, httpVersion, status, bytes, referer, userAgent } = record;
  // A name with a space in it would be taken for two fields.
  const who = user === undefined || user === '' ? '-' : printable(user).replaceAll(' ', '\\x20');
  const request = quoted(`${method} ${target} HTTP/${httpVersion}`);
  const line = `${printable(client)} - ${who} [${logTime(time)}] ${request} ${status} ${bytes === 0 ? '-' : bytes}`;
  return format === 'common' ? line : `${line} ${quoted(referer ?? '-')} ${quoted(userAgent ?? '-')}`;
}

function quoted(text: string): string {
  return `"${printable(text.replace(/["\\]/g, '\\$&'))}"`;
}

/** `10/Oct/2000:13:55:36 +0000`. */
function logTime(time: Date): string {
  const [, day, month, year, clock] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(time.toUTCString()) ?? [];
  return `${day}/${month}/${year}:${clock} +0000`;
}
