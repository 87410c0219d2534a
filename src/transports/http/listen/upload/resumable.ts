/** Uploads that go on by draft-ietf-httpbis-resumable-upload. */
import { createHash } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { booleanField, integerField, RESUMABLE, UPLOADS_FOLDER } from '../../upload-protocol.js';
import { contentLength } from '../../validator.js';
import type { Exchange } from '../exchange.js';
import { endAfterBody } from '../refuse.js';
import type { Sharing } from '../sharing.js';
import { answerDone } from './answers.js';
import { UploadBody } from './body.js';
import { checkTerms } from './conditions.js';
import { contentCheck, digestOf } from './expected-digest.js';
import type { UploadTerms } from './records.js';
import { refusals } from './refusal.js';
import type { Upload } from './upload.js';
import type { Uploads } from './uploads.js';

/** A file up to this size is sent again sooner than it is asked after. */
const SMALL_BYTES = 256 << 10;

/** Whether a request begins an upload that is to go on after a break. */
export function wantsResumption({ headers }: IncomingMessage): boolean {
  if (headers['upload-complete'] === undefined) return false;
  const version = headers['upload-draft-interop-version'];
  return version === undefined || RESUMABLE.interopVersions.has(String(version));
}

/** Takes the first part of a file, or all of it, and says before where it can be gone on with. */
export async function answerResumableBegin(
  exchange: Exchange,
  sharing: Sharing,
  uploads: Uploads,
  given: UploadTerms,
): Promise<void> {
  const { request, response } = exchange;
  const { headers } = request;
  const last = booleanField(headers['upload-complete']);
  if (last === undefined) throw refusals.malformed('Upload-Complete');
  const size = integerField(headers['upload-length']) ?? (last ? given.size : undefined);
  const body = contentLength(headers);
  if (last && body !== undefined && size !== body) throw refusals.malformed('Upload-Length');
  // What came in this request alone is no digest of the whole.
  const digest = digestOf(headers['repr-digest']) ?? (last ? given.digest : undefined);
  const kept = !last || size === undefined || size > SMALL_BYTES;
  const upload = await uploads.create({ ...given, size, digest }, kept);
  const fields = kept ? placeFields(exchange, uploads, upload) : {};
  if (kept) tellEarly(request, response, fields);
  await takePart(exchange, sharing, uploads, upload, last);
  answerDone(exchange, 201, { ...fields, ...stateFields(upload) });
}

async function takePart(
  exchange: Exchange,
  sharing: Sharing,
  uploads: Uploads,
  upload: Upload,
  last: boolean,
): Promise<void> {
  const { headers } = exchange.request;
  const start = upload.offset;
  const whole = start === 0 && last ? upload.terms.digest : undefined;
  // That of the whole, from who had to send all of it to know it.
  const late = start > 0 && last ? digestOf(headers['repr-digest']) : undefined;
  await uploads.coming(upload, () =>
    upload.receive(new UploadBody(exchange, uploads.idleMs), {
      last,
      open: !last,
      wholeHash: whole && createHash(whole.algorithm),
      part: contentCheck(headers, whole),
      lateDigests: late && (() => [late]),
      beforeName: () => checkTerms(upload.terms, sharing),
    }),
  );
}

/** Where it can be gone on with, and for how long and how much. */
function placeFields({ request }: Exchange, uploads: Uploads, upload: Upload): Record<string, string> {
  return { Location: locationOf(request, upload), ...limitFields(uploads), ...versionFields(request) };
}

/** The path of an upload, relative, so that it also holds behind a proxy that adds a prefix. */
export function locationOf({ url = '/' }: IncomingMessage, { id }: Upload): string {
  const [path = '/'] = url.split('?', 1);
  const up = '../'.repeat(path.split('/').length - 2);
  return `${up === '' ? './' : up}${UPLOADS_FOLDER}/${id}`;
}

export function limitFields({ keepPartsMs, options }: Uploads): Record<string, string> {
  const most = options.mostFileBytes === undefined ? '' : `, max-size=${options.mostFileBytes}`;
  return { 'Upload-Limit': `max-age=${Math.floor(keepPartsMs / 1000)}${most}` };
}

function versionFields({ headers }: IncomingMessage): Record<string, string> {
  const version = headers['upload-draft-interop-version'];
  return version === undefined ? {} : { [RESUMABLE.interopField]: String(version) };
}

function stateFields({ offset, done, size }: Upload): Record<string, string> {
  return {
    'Upload-Offset': String(offset),
    'Upload-Complete': done ? '?1' : '?0',
    ...(size === undefined ? {} : { 'Upload-Length': String(size) }),
  };
}

/** 104, which Node 20 cannot write, and clients of HTTP/1.0 do not know. Our response is the first on its connection. */
function tellEarly(request: IncomingMessage, response: ServerResponse, fields: Record<string, string>): void {
  const { socket } = response;
  if (!socket || request.httpVersion !== '1.1' || response.headersSent) return;
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${RESUMABLE.supported}\r\n${lines.join('')}\r\n`);
}

/** What is there of an upload, after whatever still sent to it was ended. */
export async function answerResumableHead(exchange: Exchange, uploads: Uploads, upload: Upload): Promise<void> {
  await upload.stop();
  const fields = { ...stateFields(upload), ...limitFields(uploads), ...versionFields(exchange.request) };
  answerDone(exchange, 204, fields);
}

/** Takes the next part. */
export async function answerResumablePatch(
  exchange: Exchange,
  sharing: Sharing,
  uploads: Uploads,
  upload: Upload,
): Promise<void> {
  const { request } = exchange;
  const { headers } = request;
  await upload.stop();
  const offset = integerField(headers['upload-offset']);
  const last = booleanField(headers['upload-complete']);
  if (offset === undefined) throw refusals.malformed('Upload-Offset');
  if (last === undefined) throw refusals.malformed('Upload-Complete');
  if (upload.done) return answerProblem(exchange, 400, RESUMABLE.problems.complete, stateFields(upload));
  if (offset !== upload.offset) {
    const more = { 'expected-offset': upload.offset, 'provided-offset': offset };
    return answerProblem(exchange, 409, RESUMABLE.problems.offset, stateFields(upload), more);
  }
  const body = contentLength(headers);
  const size = integerField(headers['upload-length']) ?? (last && body !== undefined ? offset + body : undefined);
  if (size !== undefined && upload.size !== undefined && size !== upload.size) {
    return answerProblem(exchange, 400, RESUMABLE.problems.length, stateFields(upload));
  }
  if (size !== undefined) await upload.setSize(size);
  await takePart(exchange, sharing, uploads, upload, last);
  answerDone(exchange, 204, { ...stateFields(upload), ...versionFields(request) });
}

/** RFC 9457. */
function answerProblem(
  { request, response }: Exchange,
  status: number,
  type: string,
  fields: Record<string, string>,
  more: object = {},
): void {
  const body = JSON.stringify({ type, title: STATUS_CODES[status], ...more });
  response.writeHead(status, {
    'Content-Type': 'application/problem+json',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    Connection: 'close',
    ...versionFields(request),
    ...fields,
  });
  endAfterBody(request, response, body);
}
