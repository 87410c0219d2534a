/** One file behind a URL: asks for it, and looks at what comes. */
import { XferError } from '../../../errors.js';
import type { Scope } from '../../../transport.js';
import { describeUrl } from '../client/describe-url.js';
import type { Answer, HttpClient } from '../client/request.js';
import type { Described } from '../validator.js';
import { askDigest, HttpSource, type SourceTerms } from './source.js';

const LONG_BODY_BYTES = 1 << 20;
/** Names of files that are encoded, and which some servers send with a Content-Encoding that says so once more. */
const ENCODED_NAME = /\.(?:gz|tgz|svgz|z|br|zst|tzst|xz|txz|bz2|tbz2?|deflate)$/i;

export interface OpenTerms extends SourceTerms {
  /** It is one of several, whose turn may come late: a long body is not left to wait for it. */
  readonly oneOfMany?: boolean;
  /** What comes encoded is kept as it comes, whatever its name is. */
  readonly keepsEncoded?: boolean;
}

/**
 * Opens the file at a URL without login in it. The first answer's body is kept, paused, for a read that starts at 0, so
 * that a plain download is one request; a digest, where it is asked for, is a second beside it. The codes are those of
 * `HttpClient.send`.
 */
export async function openHttpSource(
  client: HttpClient,
  url: URL,
  scope: Scope,
  onNotice?: (line: string) => void,
  terms: OpenTerms = {},
): Promise<HttpSource> {
  // Before the file itself: a server that ends with its one download is not there to be asked afterwards.
  const digestAnswer = terms.asksDigest ? askDigest(client, url, 'sha256', scope, terms) : undefined;
  digestAnswer?.then(({ response }) => response.resume()).catch(() => {});
  const answer = await client.send('GET', url, {}, scope, terms.mayFollow);
  return asHttpSource(client, url, answer, onNotice, { ...terms, ...(digestAnswer ? { digestAnswer } : {}) });
}

/**
 * The file that an answer to a GET of `url` holds. PROTOCOL where it is a part of one; UNSUPPORTED where it comes encoded,
 * and neither its name nor the terms say that this is meant: bytes are never decoded here, as some grow without bounds.
 */
export function asHttpSource(
  client: HttpClient,
  url: URL,
  answer: Answer,
  onNotice?: (line: string) => void,
  terms: OpenTerms = {},
): HttpSource {
  if (answer.response.statusCode === 206) {
    answer.response.destroy();
    throw new XferError('PROTOCOL', `get ${describeUrl(url)}: a part was sent, and the whole was asked for`);
  }
  const source = new HttpSource(client, url, answer, terms);
  const { described, label, name } = source;
  if (terms.oneOfMany && isLong(described)) source.dropKept();
  if (described.encoding === undefined) return source;
  if (terms.keepsEncoded || ENCODED_NAME.test(name)) {
    onNotice?.(new XferError('UNSUPPORTED', `${label}: comes encoded (${described.encoding}), and is kept so`).message);
    return source;
  }
  answer.response.destroy();
  throw new XferError('UNSUPPORTED', `get ${label}: comes encoded (${described.encoding}), which was not asked for`, {
    hint: `to keep it so, give it a name that says it: -o ${name}.gz`,
  });
}

/** Whether a body, while it waits, keeps a connection, and the server, waiting. */
export function isLong({ size }: Described): boolean {
  return size === undefined || size > LONG_BODY_BYTES;
}
