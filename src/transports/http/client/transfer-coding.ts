/** How the body of an answer is packed on its way (RFC 9112 6.1). */
import type { IncomingMessage } from 'node:http';
import { XferError } from '../../../errors.js';

/** Throws UNSUPPORTED, and frees the answer, where it is packed by more than chunks: nothing here unpacks it. */
export function checkTransferCoding(response: IncomingMessage, what: string): void {
  const codings = (response.headers['transfer-encoding'] ?? '').toLowerCase().split(',');
  const others = codings.map((coding) => coding.trim()).filter((coding) => !/^(?:chunked|identity|)$/.test(coding));
  if (others.length === 0) return;
  response.destroy();
  const named = others.join(', ').slice(0, 40);
  throw new XferError('UNSUPPORTED', `${what}: comes in the transfer coding ${named}, which was not asked for`, {
    hint: 'have the server, or the proxy before it, send the file as it is',
  });
}
