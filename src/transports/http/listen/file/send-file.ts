/** One open file as the response to one request. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { XferError } from '../../../../errors.js';
import type { ByteRange, OpenFile } from '../../../../transport.js';
import { type Exchange, type ReadableAt, sendLast, sendRange, sendStream } from '../exchange.js';
import { refuse } from '../refuse.js';
import { checkPreconditions, ifRangeHolds, type Validators, validatorsOf } from './conditional.js';
import {
  type ContentFields,
  contentFields,
  NO_FIELDS,
  type OwnFields,
  ownValidators,
  withOwnFields,
} from './own-fields.js';
import { contentRange, type Multipart, multipart, parseRanges, type Span } from './ranges.js';
import type { ReprDigests } from './repr-digest.js';

/** What nothing is said of. */
const ANY_TYPE = 'application/octet-stream';

/** Where those under way may be the last downloads. */
const RETRY_SOON = { 'Retry-After': '5' };

/** Bodies up to this length are sent in one piece. */
const SMALL_BYTES = 64 * 1024;

/** What is sent of a file, and how. */
export interface Sent {
  /** The caller closes it. */
  readonly file: OpenFile;
  /** Decides the Content-Type, unless `own` does. */
  readonly name: string;
  /** Whether the file can be read from anywhere. */
  readonly ranges: boolean;
  /** Absent: no digest is given. */
  readonly digests?: ReprDigests;
  /** Those of the file where absent. */
  readonly validators?: Validators;
  /** Further fields of every answer about the file. */
  readonly fields?: Record<string, string>;
  /** What the person who serves says of the file, in place of all the others. */
  readonly own?: OwnFields;
}

/**
 * Sends the file, what was asked of it, 304, 412 or 416. Rejects where the body could not be sent whole; the connection is
 * cut then.
 */
export async function sendFile(exchange: Exchange, sent: Sent): Promise<void> {
  const { request, response } = exchange;
  const { file } = sent;
  const { size } = file.entry;
  const ranges = sent.ranges && size !== undefined;
  const found = sent.validators ?? validatorsOf(file.entry);
  const { validators, fields, whole } = describe(sent, found, ranges);
  const failed = checkPreconditions(request.headers, validators);
  if (failed === 304) {
    response.writeHead(304, fields).end();
    return;
  }
  if (failed === 412) return refuse(request, response, 412, fields);
  const spans = ranges ? askedSpans(request, size, validators) : undefined;
  if (spans?.length === 0) return refuse(request, response, 416, { ...fields, 'Content-Range': `bytes */${size}` });
  const turned = exchange.downloads?.begin(exchange, { key: keyOf(sent, validators), size, spans });
  if (turned) return refuse(request, response, turned, turned === 503 ? RETRY_SOON : {});
  const wanted = request.headers['want-repr-digest'] !== undefined;
  const digest = wanted ? await sent.digests?.fieldFor(exchange, file, found.strong) : undefined;
  const head = digest === undefined ? whole : { ...whole, 'Repr-Digest': digest };
  if (spans === undefined || size === undefined) return sendWhole(exchange, file, head);
  return sendSpans(exchange, file, spans as [Span, ...Span[]], size, head);
}

/** What is said of a file. */
interface Description {
  readonly validators: Validators;
  /** Of every answer about the file, 304 included. */
  readonly fields: Record<string, string>;
  /** The head of an answer that holds all of it. */
  readonly whole: ContentFields;
}

interface KnownDescription extends Description {
  readonly name: string;
  readonly ranges: boolean;
}

/** Of files that are asked for again and again, by validators that stay. */
const known = new WeakMap<Validators, KnownDescription>();

function describe(sent: Sent, found: Validators, ranges: boolean): Description {
  const { file, name, own = NO_FIELDS } = sent;
  const alone = own.size === 0 && sent.fields === undefined;
  const before = alone ? known.get(found) : undefined;
  if (before && before.name === name && before.ranges === ranges) return before;
  const validators = ownValidators(found, own);
  const fields = withOwnFields({ ...fileFields(validators, ranges), ...sent.fields }, own);
  const whole = { ...fields, ...contentFields(name, own), ...lengthField(file.entry.size) };
  const description = { name, ranges, validators, fields, whole };
  if (alone) known.set(found, description);
  return description;
}

/** Names a version of what is sent among all that is served. */
function keyOf({ file, name }: Sent, { etag }: Validators): string {
  return `${file.entry.version ?? etag ?? ''} ${name}`;
}

async function sendWhole(exchange: Exchange, file: OpenFile, head: ContentFields): Promise<void> {
  const { request, response } = exchange;
  const { size } = file.entry;
  const bytes = wantsWhole(request, file) ? await file.readWhole() : undefined;
  response.writeHead(200, head);
  if (bytes) return sendLast(exchange, bytes);
  return sendBody(exchange, size === 0 ? [] : [{ start: 0, ...(size === undefined ? {} : { end: size }) }], file);
}

/** One span as it is, several as the parts of one body. */
async function sendSpans(
  exchange: Exchange,
  file: OpenFile,
  spans: [Span, ...Span[]],
  size: number,
  head: ContentFields,
) {
  const { response } = exchange;
  const [first] = spans;
  if (spans.length === 1) {
    const partial = { 'Content-Range': contentRange(first, size), ...lengthField(first.end - first.start) };
    response.writeHead(206, { ...head, ...partial });
    return sendBody(exchange, spans, file);
  }
  const parts = multipart(spans, size, head['Content-Type'] ?? ANY_TYPE, randomBytes(12).toString('hex'));
  response.writeHead(206, { ...head, 'Content-Type': parts.contentType, ...lengthField(parts.length) });
  return sendBody(exchange, spans, file, parts);
}

/** Whether the file is small enough to be sent in one piece with its head. */
function wantsWhole(
  request: IncomingMessage,
  file: OpenFile,
): file is OpenFile & Required<Pick<OpenFile, 'readWhole'>> {
  return (
    request.method === 'GET' && file.readWhole !== undefined && (file.entry.size ?? SMALL_BYTES + 1) <= SMALL_BYTES
  );
}

function fileFields(validators: Validators, ranges: boolean): Record<string, string> {
  const { etag, lastModifiedMs } = validators;
  return {
    'Cache-Control': 'no-cache',
    'X-Content-Type-Options': 'nosniff',
    'Accept-Ranges': ranges ? 'bytes' : 'none',
    ...(etag === undefined ? {} : { ETag: etag }),
    ...(lastModifiedMs === undefined ? {} : { 'Last-Modified': new Date(lastModifiedMs).toUTCString() }),
  };
}

function lengthField(length: number | undefined): Record<string, string> {
  return length === undefined ? {} : { 'Content-Length': String(length) };
}

/** Undefined where the whole file is to be sent. Range means nothing but in a GET (RFC 9110, 14.2). */
function askedSpans(request: IncomingMessage, size: number, validators: Validators): Span[] | undefined {
  const { range } = request.headers;
  if (range === undefined || request.method !== 'GET') return undefined;
  // Node keeps each line of If-Range that it does not know as single in one text, or in a list.
  const ifRange = request.headers['if-range'];
  return ifRangeHolds(ifRange === undefined ? undefined : String(ifRange), validators)
    ? parseRanges(range, size)
    : undefined;
}

async function sendBody(exchange: Exchange, spans: readonly ByteRange[], file: OpenFile, parts?: Multipart) {
  const { request, response, tally } = exchange;
  if (request.method === 'HEAD' || spans.length === 0) {
    response.end();
    return;
  }
  const [only] = spans as [ByteRange];
  const totalBytes = parts?.length ?? (only.end === undefined ? undefined : only.end - only.start);
  if (totalBytes !== undefined) tally.totalBytes = totalBytes;
  for (const [index, span] of spans.entries()) {
    if (parts) write(exchange, parts.heads[index] as string);
    await sendSpan(exchange, file, span);
  }
  if (parts) write(exchange, parts.tail);
  response.end();
}

function write({ response, tally }: Exchange, text: string): void {
  tally.bytes += text.length;
  response.write(text);
}

/** Sends exactly the bytes of `span`; TRUNCATED where there are fewer, because the length has been announced. */
async function sendSpan(exchange: Exchange, file: OpenFile, span: ByteRange): Promise<void> {
  const { start, end } = span;
  if (file.readAt && end !== undefined) return sendRange(exchange, file as ReadableAt, { start, end });
  const before = exchange.tally.bytes;
  await sendStream(exchange, file.read(span));
  if (end !== undefined && exchange.tally.bytes - before !== end - start) {
    throw new XferError('TRUNCATED', 'send file: it became shorter');
  }
}
