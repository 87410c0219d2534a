/** Uploads that go on by tus 1.0.0. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { nameFromBytes } from '../../../../names.js';
import { integerField, TUS } from '../../upload-protocol.js';
import { contentLength } from '../../validator.js';
import type { Exchange } from '../exchange.js';
import { answerDone } from './answers.js';
import { UploadBody } from './body.js';
import type { UploadTerms } from './records.js';
import { Refusal, refusals } from './refusal.js';
import { locationOf } from './resumable.js';
import type { PartCheck, Upload } from './upload.js';
import type { Uploads } from './uploads.js';

const MOST_METADATA_BYTES = 4096;

/** Whether the client speaks tus. */
export function speaksTus({ headers }: IncomingMessage): boolean {
  return headers['tus-resumable'] !== undefined;
}

/** Every answer of the protocol says its version. A Refusal (412) where the client's is another one. */
export function beginTus({ request, response }: Exchange): void {
  response.setHeader('Tus-Resumable', TUS.version);
  if (request.headers['tus-resumable'] === TUS.version) return;
  throw new Refusal(412, `This server speaks tus ${TUS.version}.`, { 'Tus-Version': TUS.version }, 'PROTOCOL');
}

/** What is said of the protocol to OPTIONS. */
export function tusFields({ options }: Uploads): Record<string, string> {
  return {
    'Tus-Resumable': TUS.version,
    'Tus-Version': TUS.version,
    'Tus-Extension': TUS.extensions,
    'Tus-Checksum-Algorithm': Object.keys(TUS.checksums).join(','),
    ...(options.mostFileBytes === undefined ? {} : { 'Tus-Max-Size': String(options.mostFileBytes) }),
  };
}

/** Values of Upload-Metadata by their keys, decoded; bytes that are no UTF-8 are kept as in names. */
export function tusMetadata(field: string | string[] | undefined): Map<string, string> {
  const found = new Map<string, string>();
  if (field === undefined) return found;
  if (typeof field !== 'string' || field.length > MOST_METADATA_BYTES) throw refusals.malformed('Upload-Metadata');
  for (const pair of field.split(',')) {
    const [key = '', value = ''] = pair.trim().split(' ', 2);
    if (key !== '') found.set(key, nameFromBytes(Buffer.from(value, 'base64')));
  }
  return found;
}

/** Begins an upload under the name that the metadata gives, whose path in the folder is what `pathOf` makes of it. */
export async function answerTusCreate(
  exchange: Exchange,
  uploads: Uploads,
  pathOf: (name: string) => string,
): Promise<void> {
  const { request, tally } = exchange;
  const { headers } = request;
  const length = integerField(headers['upload-length']);
  const deferred = headers['upload-defer-length'] === '1';
  if (length === undefined && !deferred) throw refusals.malformed('Upload-Length');
  const metadata = tusMetadata(headers['upload-metadata']);
  const name = metadata.get('filename') ?? metadata.get('name');
  if (name === undefined) throw refusals.noName();
  const terms: UploadTerms = {
    path: pathOf(name),
    size: length,
    mtimeMs: integerField(metadata.get('mtime')),
    user: tally.user,
    metadata: headers['upload-metadata'] as string,
    replace: uploads.options.overwrite === true,
  };
  const upload = await uploads.create(terms, true);
  const withBody = headers['content-type'] === TUS.contentType || length === 0;
  if (withBody) await takePart(exchange, uploads, upload);
  const offset = withBody ? { 'Upload-Offset': String(upload.offset) } : {};
  answerDone(exchange, 201, { Location: locationOf(request, upload), ...offset, ...expiryFields(uploads, upload) });
}

/**
 * What is there of an upload, after whatever still sent to it was ended. Where that is all of it, it gets its name first; a
 * Refusal where it cannot have that.
 */
export async function answerTusHead(exchange: Exchange, uploads: Uploads, upload: Upload): Promise<void> {
  await upload.stop();
  // A client that hears of all its bytes takes the file for done, and sends nothing more that would give it its name.
  if (!upload.done && upload.offset === upload.size) await takePart(exchange, uploads, upload);
  const { size, offset, terms } = upload;
  exchange.response.writeHead(200, {
    'Upload-Offset': String(offset),
    ...(size === undefined ? { 'Upload-Defer-Length': '1' } : { 'Upload-Length': String(size) }),
    ...(terms.metadata === undefined ? {} : { 'Upload-Metadata': terms.metadata }),
    'Cache-Control': 'no-store',
    ...expiryFields(uploads, upload),
  });
  exchange.response.end();
}

/** Takes the next part. */
export async function answerTusPatch(exchange: Exchange, uploads: Uploads, upload: Upload): Promise<void> {
  const { headers } = exchange.request;
  if (headers['content-type'] !== TUS.contentType) {
    throw new Refusal(415, `A part of a file is sent as ${TUS.contentType}.`, {}, 'PROTOCOL');
  }
  await upload.stop();
  const offset = integerField(headers['upload-offset']);
  if (offset === undefined) throw refusals.malformed('Upload-Offset');
  if (offset !== upload.offset) {
    const fields = { 'Upload-Offset': String(upload.offset) };
    throw new Refusal(409, `${upload.offset} bytes of it are here.`, fields, 'PROTOCOL');
  }
  const length = integerField(headers['upload-length']);
  if (length !== undefined) await upload.setSize(length);
  const body = contentLength(headers);
  if (body !== undefined && offset + body > (upload.size ?? Number.POSITIVE_INFINITY)) throw refusals.tooMuch();
  if (!upload.done) await takePart(exchange, uploads, upload);
  answerDone(exchange, 204, { 'Upload-Offset': String(upload.offset), ...expiryFields(uploads, upload) });
}

async function takePart(exchange: Exchange, uploads: Uploads, upload: Upload): Promise<void> {
  const part = checksumOf(exchange.request);
  await uploads.coming(upload, () => upload.receive(new UploadBody(exchange, uploads.idleMs), { last: false, part }));
}

/** Upload-Checksum, `algorithm base64`. */
function checksumOf({ headers }: IncomingMessage): PartCheck | undefined {
  const field = headers['upload-checksum'];
  if (field === undefined) return undefined;
  const [name = '', expected = ''] = String(field).split(' ', 2);
  const algorithm = Object.hasOwn(TUS.checksums, name) ? TUS.checksums[name] : undefined;
  if (algorithm === undefined) throw refusals.digestField();
  const hash = createHash(algorithm);
  const check = (): void => {
    if (hash.digest('base64') === expected) return;
    throw new Refusal(TUS.checksumMismatch, 'The bytes that came do not have the checksum that was given.');
  };
  return { hash, check };
}

/** As long as nothing more comes. */
function expiryFields({ keepPartsMs }: Uploads, { lastMs, done }: Upload): Record<string, string> {
  return done ? {} : { 'Upload-Expires': new Date(lastMs + keepPartsMs).toUTCString() };
}
