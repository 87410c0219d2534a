/** The one part of a file that an answer to Range holds. */
import type { IncomingMessage } from 'node:http';
import { isWhole } from '../client/status.js';
import { type ContentRange, contentLength, contentRange } from '../validator.js';

export interface PartFault {
  readonly code: 'PROTOCOL' | 'RANGE_IGNORED';
  readonly reason: string;
}

/** What an answer says that it holds, or why that is no part that can be used. */
export function partIn(response: IncomingMessage): ContentRange | PartFault {
  const { headers } = response;
  if (isWhole(response)) {
    return { code: 'RANGE_IGNORED', reason: 'the whole was sent, and a part was asked for' };
  }
  if (/^\s*multipart\//i.test(headers['content-type'] ?? '')) {
    return { code: 'RANGE_IGNORED', reason: 'several parts were sent, and one was asked for' };
  }
  const part = contentRange(headers['content-range']);
  if (!part) return { code: 'PROTOCOL', reason: 'the Content-Range of the answer is not one' };
  const length = contentLength(headers);
  if (length === undefined || length === part.end - part.start) return part;
  return { code: 'PROTOCOL', reason: 'Content-Range and Content-Length of the answer differ' };
}
