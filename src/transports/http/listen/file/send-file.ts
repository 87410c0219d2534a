/** One open file as the response to one request. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { XferError } from '../../../../errors.js';
import type { ByteRange, OpenFile } from '../../../../transport.js';
import { type Exchange, sendSmall, sendStream } from '../exchange.js';
import { refuse } from '../refuse.js';
import { checkPreconditions, ifRangeHolds, type Validators, validatorsOf } from './conditional.js';
import { contentTypeOf } from './content-type.js';
import { contentRange, type Multipart, multipart, parseRanges, type Span } from './ranges.js';

/** Bodies up to this length are sent in one piece. */
const SMALL_BYTES = 64 * 1024;

/**
 * Sends the file, what was asked of it, 304, 412 or 416. `name` decides the Content-Type. The caller closes the file.
 * Rejects where the body could not be sent whole; the connection is cut then.
 */
export async function sendFile(exchange: Exchange, file: OpenFile, name: string, ranges: boolean): Promise<void> {
  const { request, response } = exchange;
  const { size } = file.entry;
  const validators = validatorsOf(file.entry);
  const fields = fileFields(validators, ranges && size !== undefined);
  const failed = checkPreconditions(request.headers, validators);
  if (failed === 304) {
    response.writeHead(304, fields).end();
    return;
  }
  if (failed === 412) return refuse(request, response, 412, fields);
  const contentType = contentTypeOf(name);
  const spans = ranges && size !== undefined ? askedSpans(request, size, validators) : undefined;
  if (spans?.length === 0) return refuse(request, response, 416, { ...fields, 'Content-Range': `bytes */${size}` });
  const version = file.entry.version ?? '';
  const turned = exchange.downloads?.begin(exchange, { key: `${version} ${file.entry.path}`, size, spans });
  if (turned) return refuse(request, response, turned, turned === 503 ? { 'Retry-After': '5' } : {});
  if (spans === undefined || size === undefined) {
    response.writeHead(200, { ...fields, 'Content-Type': contentType, ...lengthField(size) });
    return sendBody(exchange, size === 0 ? [] : [{ start: 0, ...(size === undefined ? {} : { end: size }) }], file);
  }
  const [first, second] = spans as [Span, Span?];
  if (second === undefined) {
    const partial = { 'Content-Range': contentRange(first, size), ...lengthField(first.end - first.start) };
    response.writeHead(206, { ...fields, 'Content-Type': contentType, ...partial });
    return sendBody(exchange, spans, file);
  }
  const parts = multipart(spans, size, contentType, randomBytes(12).toString('hex'));
  response.writeHead(206, { ...fields, 'Content-Type': parts.contentType, ...lengthField(parts.length) });
  return sendBody(exchange, spans, file, parts);
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
  const [only] = spans as [ByteRange];
  if (!parts && only.end !== undefined && only.end - only.start <= SMALL_BYTES) {
    return sendSmall(exchange, file.read(only), only.end - only.start);
  }
  for (const [index, span] of spans.entries()) {
    if (parts) write(exchange, parts.heads[index] as string);
    await sendSpan(exchange, file.read(span), span);
  }
  if (parts) write(exchange, parts.tail);
  response.end();
}

function write({ response, tally }: Exchange, text: string): void {
  tally.bytes += text.length;
  response.write(text);
}

/** Pipes exactly the bytes of `span`; TRUNCATED where fewer came, because the length has been announced. */
async function sendSpan(exchange: Exchange, body: Readable, span: ByteRange): Promise<void> {
  const before = exchange.tally.bytes;
  await sendStream(exchange, body);
  if (span.end !== undefined && exchange.tally.bytes - before !== span.end - span.start) {
    throw new XferError('TRUNCATED', 'send file: it became shorter');
  }
}
