/** Uploads that go on by tus 1.0.0. */
import { XferError } from '../../../errors.js';
import { bytesFromName } from '../../../names.js';
import type { Scope } from '../../../transport.js';
import { describeUrl } from '../client/describe-url.js';
import type { Fields } from '../client/fields.js';
import { integerField, TUS } from '../upload-protocol.js';
import type { Answered, BodyRequest } from './body-request.js';
import type { TusFeatures } from './features.js';
import {
  checkOffset,
  goneAstray,
  type Held,
  isOpen,
  isSuccess,
  type Part,
  type Proof,
  placeOf,
  type ResumableProtocol,
  type Target,
} from './protocol.js';
import type { PutClient } from './put-client.js';

const VERSION: Fields = { 'tus-resumable': TUS.version };

export class TusProtocol implements ResumableProtocol {
  readonly name = 'tus';
  readonly heldBackBytes = 1;
  readonly #client: PutClient;
  readonly #features: TusFeatures;

  constructor(client: PutClient, features: TusFeatures) {
    this.#client = client;
    this.#features = features;
  }

  async openPart(
    target: Target,
    place: URL | undefined,
    start: number,
    lengthBytes: number | undefined,
    onPlace: (place: URL) => void,
    scope: Scope,
  ): Promise<BodyRequest> {
    const at = place ?? (await this.#create(target, scope));
    if (!place) onPlace(at);
    const opened = await this.#client.open(
      'PATCH',
      at,
      { fields: patchFields(start), lengthBytes, about: target.url },
      scope,
    );
    if (isOpen(opened)) return opened;
    throw goneAstray(opened, target);
  }

  async partDone(target: Target, { start }: Part, end: number, answered: Answered): Promise<Held> {
    if (!isSuccess(answered)) throw goneAstray(answered, target);
    checkOffset(target, start, end, offsetIn(answered, target));
    return { offset: end, done: end === target.size };
  }

  /** A small file: all of it with the request that begins it, where the server takes that. */
  async complete(
    target: Target,
    place: URL | undefined,
    start: number,
    last: Buffer,
    _proof: Proof | undefined,
    scope: Scope,
  ): Promise<void> {
    const end = start + last.length;
    if (!place && start === 0 && this.#features.withUpload) return this.#createWhole(target, last, scope);
    const at = place ?? (await this.#create({ ...target, size: end }, scope));
    // The length of one that was begun without is told now.
    const length: Fields = place && target.size === undefined ? { 'upload-length': String(end) } : {};
    if (last.length === 0 && Object.keys(length).length === 0) return;
    const terms = { fields: { ...patchFields(start), ...length }, body: last, about: target.url };
    const answered = await this.#client.send('PATCH', at, terms, scope);
    if (!isSuccess(answered)) throw goneAstray(answered, target);
    checkOffset(target, start, end, offsetIn(answered, target));
  }

  async ask(target: Target, place: URL, scope: Scope): Promise<Held | undefined> {
    const answered = await this.#client.send('HEAD', place, { fields: VERSION, about: target.url }, scope);
    const { status, headers } = answered;
    if (status === 403 || status === 404 || status === 410) return undefined;
    if (!isSuccess(answered)) throw goneAstray(answered, target);
    const length = integerField(headers['upload-length']);
    if (length !== undefined && target.size !== undefined && length !== target.size) return undefined;
    const offset = integerField(headers['upload-offset']);
    return offset === undefined ? undefined : { offset, done: offset === length };
  }

  async remove(place: URL, scope: Scope): Promise<void> {
    if (this.#features.termination) await this.#client.send('DELETE', place, { fields: VERSION }, scope);
  }

  async #create(target: Target, scope: Scope): Promise<URL> {
    if (target.size === undefined && !this.#features.deferLength) {
      throw new XferError('UNSUPPORTED', `put ${describeUrl(target.url)}: the server wants to know the length before`, {
        hint: 'write it to a file first, and put that',
      });
    }
    const answered = await this.#client.send('POST', target.folder, { fields: createFields(target) }, scope);
    return this.#placeIn(answered, target);
  }

  async #createWhole(target: Target, body: Buffer, scope: Scope): Promise<void> {
    const fields = { ...createFields({ ...target, size: body.length }), 'content-type': TUS.contentType };
    const answered = await this.#client.send('POST', target.folder, { fields, body }, scope);
    const place = await this.#placeIn(answered, target);
    const offset = integerField(answered.headers['upload-offset']) ?? 0;
    if (offset > body.length) checkOffset(target, 0, body.length, offset);
    if (offset < body.length) {
      await this.complete({ ...target, size: body.length }, place, offset, body.subarray(offset), undefined, scope);
    }
  }

  async #placeIn(answered: Answered, target: Target): Promise<URL> {
    if (!isSuccess(answered)) throw await target.fault(answered);
    const place = placeOf(answered.headers.location, answered.url);
    if (place) return place;
    throw new XferError('PROTOCOL', `put ${describeUrl(target.url)}: the server does not say where the upload goes on`);
  }
}

function createFields({ size, name, mtimeMs }: Target): Fields {
  const encoded = bytesFromName(name).toString('base64');
  const time = mtimeMs === undefined ? '' : `,mtime ${Buffer.from(String(Math.round(mtimeMs))).toString('base64')}`;
  return {
    ...VERSION,
    ...(size === undefined ? { 'upload-defer-length': '1' } : { 'upload-length': String(size) }),
    'upload-metadata': `filename ${encoded}${time}`,
  };
}

function patchFields(start: number): Fields {
  return { ...VERSION, 'content-type': TUS.contentType, 'upload-offset': String(start) };
}

/** Each answer to a PATCH has it (tus 1.0.0, PATCH). */
function offsetIn({ headers }: Answered, target: Target): number {
  const offset = integerField(headers['upload-offset']);
  if (offset !== undefined) return offset;
  throw new XferError('PROTOCOL', `put ${describeUrl(target.url)}: the server does not say how much it holds`);
}
