/** What Node's parser lets through, and nobody should be answered. */
import type { IncomingMessage } from 'node:http';

/** Node forgets the fields beyond 2,000 without a word; no client sends nearly as many. */
const MOST_FIELDS = 200;

/**
 * The status that refuses a request whatever it asks for: 431 for too many fields, 501 for a transfer coding that is not
 * chunked alone (RFC 9112, 6.1), 505 for a version of HTTP that is not 1.
 */
export function requestFault({ headers, rawHeaders, httpVersionMajor }: IncomingMessage): 431 | 501 | 505 | undefined {
  if (httpVersionMajor !== 1) return 505;
  if (rawHeaders.length / 2 > MOST_FIELDS) return 431;
  const coding = headers['transfer-encoding'];
  return coding === undefined || /^chunked$/i.test(coding) ? undefined : 501;
}
