/** What Node's parser lets through, and nobody should be answered. */
import type { IncomingMessage } from 'node:http';

/** Node forgets the fields beyond 2,000 without a word; no client sends nearly as many. */
const MOST_FIELDS = 200;

/** The status that refuses a request whatever it asks for: 431 for too many fields, 505 for a version of HTTP that is not 1. */
export function requestFault({ rawHeaders, httpVersionMajor }: IncomingMessage): 431 | 505 | undefined {
  if (httpVersionMajor !== 1) return 505;
  return rawHeaders.length / 2 > MOST_FIELDS ? 431 : undefined;
}
