/** One open file as the response to one request. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { XferError } from '../../../../errors.js';
import type { ByteRange, OpenFile } from '../../../../transport.js';
import { type Exchange, type ReadableAt, sendLast, sendRange, sendStream } from '../exchange.js';
import { refuse } from '../refuse.js';
import { checkPreconditions, ifRangeHolds, type Validators, validatorsOf } from './conditional.js';
import { contentFields, NO_FIELDS, type OwnFields, ownValidators, withOwnFields } from './own-fields.js';
import { contentRange, type Multipart, multipart, parseRanges, type Span } from './ranges.js';

/** Bodies up to this length are sent in one piece. */
const SMALL_BYTES = 64 * 1024;

/**
 * Sends the file, what was asked of it, 304, 412 or 416. `name` decides the Content-Type, unless `own` does: fields that
 * the person who serves says of the file. The caller closes the file. Rejects where the body could not be sent whole; the
 * connection is cut then.
 */
export async function sendFile(
  exchange: Exchange,
  file: OpenFile,
  name: string,
  ranges: boolean,
  own: OwnFields = NO_FIELDS,
): Promise<void> {
  const { request, response } = exchange;
  const { size } = file.entry;
  const validators = ownValidators(validatorsOf(file.entry), own);
  const fields = withOwnFields(fileFields(validators, ranges && size !== undefined), own);
  const failed = checkPreconditions(request.headers, validators);
  if (failed === 304) {
    response.writeHead(304, fields).end();
    return;
  }
  if (failed === 412) return refuse(request, response, 412, fields);
  const content = contentFields(name, own);
  const spans = ranges && size !== undefined ? askedSpans(request, size, validators) : undefined;
  if (spans === undefined || size === undefined) {
    const whole = wantsWhole(request, file) ? await file.readWhole() : undefined;
    response.writeHead(200, { ...fields, ...content, ...lengthField(size) });
    if (whole) return sendLast(exchange, whole);
    return sendBody(exchange, size === 0 ? [] : [{ start: 0, ...(size === undefined ? {} : { end: size }) }], file);
  }
  const [first, second] = spans;
  if (first === undefined) return refuse(request, response, 416, { ...fields, 'Content-Range': `bytes */${size}` });
  if (second === undefined) {
    const partial = { 'Content-Range': contentRange(first, size), ...lengthField(first.end - first.start) };
    response.writeHead(206, { ...fields, ...content, ...partial });
    return sendBody(exchange, spans, file);
  }
  const type = content['Content-Type'] ?? 'application/octet-stream';
  const parts = multipart(spans, size, type, randomBytes(12).toString('hex'));
  const whole = { ...content, 'Content-Type': parts.contentType, ...lengthField(parts.length) };
  response.writeHead(206, { ...fields, ...whole });
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

/** Fields of every answer about the file, 304 included. */
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

function lengthField(length: number | undefined): Record<string, number> {
  return length === undefined ? {} : { 'Content-Length': length };
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
  const { request, response } = exchange;
  if (request.method === 'HEAD' || spans.length === 0) {
    response.end();
    return;
  }
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
