/** What Node's parser lets through, and nobody should be answered. */
import type { IncomingMessage } from 'node:http';

/** Node forgets the fields beyond 2,000 without a word; no client sends nearly as many. */
const MOST_FIELDS = 200;

/**
 * The status that refuses a request whatever it asks for: 431 for too many fields, 400 for a transfer coding in HTTP/1.0,
 * which has none, 501 for one that is not chunked alone (both RFC 9112, 6.1), 505 for a version of HTTP that is not 1.
 */
export function requestFault(request: IncomingMessage): 400 | 431 | 501 | 505 | undefined {
  const { headers, rawHeaders, httpVersionMajor, httpVersionMinor } = request;
  if (httpVersionMajor !== 1) return 505;
  if (rawHeaders.length / 2 > MOST_FIELDS) return 431;
  const coding = headers['transfer-encoding'];
  if (coding === undefined) return undefined;
  if (httpVersionMinor === 0) return 400;
  return /^chunked$/i.test(coding) ? undefined : 501;
}

/** Whether the client waits for 100 Continue before its body, which one of HTTP/1.0 never does (RFC 9110, 10.1.1). */
export function expectsContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return httpVersion !== '1.0' && /^100-continue$/i.test(headers.expect ?? '');
}
