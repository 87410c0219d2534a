/** PUT: one file, whole in one request (RFC 9110, 9.3.4). */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { contentLength } from '../../validator.js';
import type { Exchange } from '../exchange.js';
import type { Sharing } from '../sharing.js';
import { answerDone } from './answers.js';
import { checkAsItIs } from './as-it-is.js';
import { UploadBody } from './body.js';
import { checkConditions, checkTerms, lastingConditions } from './conditions.js';
import { contentCheck, type ExpectedDigest, wholeDigests } from './expected-digest.js';
import type { UploadTerms } from './records.js';
import { type Refusal, refusals } from './refusal.js';
import { answerResumableBegin, wantsResumption } from './resumable.js';
import type { Receiving } from './upload.js';
import type { Uploads } from './uploads.js';

/** Takes the file. Rejects with a Refusal, and as the sink does. */
export async function answerPut(exchange: Exchange, sharing: Sharing, uploads: Uploads, path: string): Promise<void> {
  const { request } = exchange;
  checkAsItIs(request);
  const terms = putTerms(exchange, uploads, path);
  await checkConditions(request.headers, sharing, path);
  if (wantsResumption(request)) return answerResumableBegin(exchange, sharing, uploads, terms);
  const there = await sharing.share.stat(path, sharing.scope);
  const upload = await uploads.create(terms, false).catch(asCondition(request));
  const body = (): UploadBody => new UploadBody(exchange, uploads.idleMs);
  await uploads
    .coming(upload, () => upload.receive(body(), receivingWhole(request, terms, sharing)))
    .catch(asCondition(request));
  answerDone(exchange, there ? 204 : 201);
}

function putTerms({ request, tally }: Exchange, uploads: Uploads, path: string): UploadTerms {
  const { headers } = request;
  const exists = headers['if-none-match']?.trim() === '*';
  return {
    path,
    size: headers['transfer-encoding'] === undefined ? (contentLength(headers) ?? 0) : undefined,
    mtimeMs: givenTime(headers['x-oc-mtime']),
    digest: wholeDigests(headers)[0],
    user: tally.user,
    replace: uploads.options.overwrite === true && !exists,
    conditions: lastingConditions(headers),
  };
}

/** Seconds, as ownCloud's clients and rclone give them. */
function givenTime(field: string | string[] | undefined): number | undefined {
  const seconds = typeof field === 'string' && /^\d{1,11}(?:\.\d{1,9})?$/.test(field) ? Number(field) : undefined;
  return seconds === undefined ? undefined : seconds * 1000;
}

/** Who asks for a name that nothing has is answered 412, also where somebody else was faster. */
function asCondition({ headers }: IncomingMessage): (error: unknown) => never {
  return (error) => {
    const wanted = headers['if-none-match']?.trim() === '*';
    throw wanted && (error as Refusal).code === 'EXISTS' ? refusals.existsNow() : error;
  };
}

/** How a body that is the whole file is taken: hashed on its way where a digest is known already. */
function receivingWhole(request: IncomingMessage, terms: UploadTerms, sharing: Sharing): Receiving {
  const { digest } = terms;
  return {
    last: true,
    wholeHash: digest && createHash(digest.algorithm),
    part: contentCheck(request.headers, digest),
    lateDigests: lateDigests(request),
    beforeName: () => checkTerms(terms, sharing),
  };
}

/** The digests in a trailer that was announced (RFC 9110, 6.6.2). */
function lateDigests(request: IncomingMessage): (() => readonly ExpectedDigest[]) | undefined {
  if (!/\b(?:repr|content)-digest\b/i.test(request.headers.trailer ?? '')) return undefined;
  return () => wholeDigests(request.trailers);
}
