/** What is told of each request, and the line that a log holds of it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { plainAddress } from '../../../../client-address.js';
import { printable } from '../../../../names.js';

/** One request that ended. All text is as it came from outside: it passes `formatAccess` or `printable` before it is shown. */
export interface AccessRecord {
  /** When the request's headers had come. */
  readonly time: Date;
  /** Address of the client. */
  readonly client: string;
  /** Who was logged in. */
  readonly user?: string;
  readonly method: string;
  /** The request target, raw. */
  readonly target: string;
  readonly status: number;
  /** Bytes of the body that were handed to the connection. */
  readonly bytes: number;
  readonly durationMs: number;
  readonly userAgent?: string;
  /** The connection ended before the response did. */
  readonly aborted: boolean;
}

/** What a response was given, and to whom; it is filled in while the response is made. */
export interface Tally {
  /** Of its body. */
  bytes: number;
  user?: string;
}

/** Calls `onRequest` once, when the response has ended in whatever way. */
export function watchAccess(
  request: IncomingMessage,
  response: ServerResponse,
  tally: Tally,
  onRequest: (record: AccessRecord) => void,
): void {
  const startMs = performance.now();
  const time = new Date();
  // The socket forgets its address as soon as it is closed.
  const client = plainAddress(request.socket.remoteAddress ?? '-');
  // What is looked at later is the part of it below the base path.
  const target = request.url ?? '-';
  response.once('close', () => {
    const { user } = tally;
    const userAgent = request.headers['user-agent'];
    onRequest({
      time,
      client,
      ...(user === undefined ? {} : { user }),
      method: request.method ?? '-',
      target,
      status: response.statusCode,
      bytes: tally.bytes,
      durationMs: performance.now() - startMs,
      ...(userAgent === undefined ? {} : { userAgent }),
      aborted: !response.writableFinished,
    });
  });
}

/** A record as one line in the Common Log Format, in UTC, with nothing in it that a terminal could obey. */
export function formatAccess(record: AccessRecord): string {
  const { client, user = '-', method, target, status, bytes } = record;
  const size = bytes === 0 ? '-' : String(bytes);
  return `${printable(client)} - ${field(user)} [${logTime(record.time)}] "${quoted(`${method} ${target}`)} HTTP/1.1" ${status} ${size}`;
}

/** A name may hold spaces, and a line is split at them. */
function field(text: string): string {
  return quoted(text).replaceAll(' ', '\\x20');
}

function quoted(text: string): string {
  return printable(text.replace(/["\\]/g, '\\$&'));
}

/** `10/Oct/2000:13:55:36 +0000`. */
function logTime(time: Date): string {
  const [, day, month, year, clock] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(time.toUTCString()) ?? [];
  return `${day}/${month}/${year}:${clock} +0000`;
}
