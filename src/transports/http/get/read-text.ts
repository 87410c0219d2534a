/** The text of an answer that is short, or refused. */
import { XferError } from '../../../errors.js';
import { collect } from '../../../streams/collect.js';
import type { Scope } from '../../../transport.js';
import type { Answer } from '../client/request.js';
import { contentLength } from '../validator.js';
import { BodyStream } from './body.js';

/** All of a body as UTF-8. PROTOCOL where it is longer than `most` bytes; the errors of a body. */
export async function readText(
  { response }: Answer,
  terms: { readonly what: string; readonly most: number; readonly idleTimeoutMs: number },
  scope: Scope,
): Promise<string> {
  const { what, most, idleTimeoutMs } = terms;
  const promised = contentLength(response.headers);
  const body = new BodyStream(response, {
    what,
    idleTimeoutMs,
    signal: scope.signal,
    ...(promised === undefined ? {} : { promised }),
  });
  const bytes = await collect(body, most, () => new XferError('PROTOCOL', `${what}: more than ${most} bytes come`));
  return bytes.toString('utf8');
}
