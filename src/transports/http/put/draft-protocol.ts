/** Uploads that go on by draft-ietf-httpbis-resumable-upload. */
import { XferError } from '../../../errors.js';
import type { Scope } from '../../../transport.js';
import { describeUrl } from '../client/describe-url.js';
import type { Fields } from '../client/fields.js';
import { booleanField, integerField, RESUMABLE } from '../upload-protocol.js';
import type { Answered, BodyRequest } from './body-request.js';
import {
  checkOffset,
  digestField,
  firstFields,
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

const VERSION: Fields = { [RESUMABLE.interopField.toLowerCase()]: RESUMABLE.interopVersion };

/** Where there is more, a length that is stated lets the other end take it with less work. */
const OPEN_BYTES = 1 << 20;

export class DraftProtocol implements ResumableProtocol {
  readonly name = 'draft';
  readonly heldBackBytes = 0;
  readonly #client: PutClient;

  constructor(client: PutClient) {
    this.#client = client;
  }

  /** The length of a short request is left open: it may be ended anywhere, and still be answered with what is held. */
  async openPart(
    target: Target,
    place: URL | undefined,
    start: number,
    lengthBytes: number | undefined,
    onPlace: (place: URL) => void,
    scope: Scope,
  ): Promise<BodyRequest> {
    const fields = place ? patchFields(start, false) : beginFields(target, false);
    const onInterim = (status: number, headers: { location?: string | undefined }, url: URL) => {
      const found = status === 104 && !place ? placeOf(headers.location, url) : undefined;
      if (found) onPlace(found);
    };
    const stated = lengthBytes !== undefined && lengthBytes > OPEN_BYTES ? { lengthBytes } : {};
    const terms = { fields, onInterim, about: target.url, ...stated };
    const opened = await this.#client.open(place ? 'PATCH' : 'PUT', place ?? target.url, terms, scope);
    if (isOpen(opened)) return opened;
    throw place ? goneAstray(opened, target) : await target.fault(opened);
  }

  async partDone(
    target: Target,
    { start }: Part,
    end: number,
    answered: Answered,
    onPlace: (place: URL) => void,
  ): Promise<Held> {
    if (!isSuccess(answered)) throw start > 0 ? goneAstray(answered, target) : await target.fault(answered);
    const { headers, url } = answered;
    const found = start === 0 ? placeOf(headers.location, url) : undefined;
    if (found) onPlace(found);
    const offset = integerField(headers['upload-offset']);
    checkOffset(target, start, end, offset);
    return { offset: end, done: booleanField(headers['upload-complete']) === true };
  }

  async complete(
    target: Target,
    place: URL | undefined,
    start: number,
    last: Buffer,
    proof: Proof | undefined,
    scope: Scope,
  ): Promise<void> {
    const fields = place ? patchFields(start, true) : beginFields(target, true);
    const terms = { fields: { ...fields, ...digestField(proof) }, body: last, about: target.url };
    const answered = await this.#client.send(place ? 'PATCH' : 'PUT', place ?? target.url, terms, scope);
    const withDigest = proof !== undefined;
    if (!isSuccess(answered)) {
      throw place ? goneAstray(answered, target, { withDigest }) : await target.fault(answered, { withDigest });
    }
    checkOffset(target, start, start + last.length, integerField(answered.headers['upload-offset']));
    if (booleanField(answered.headers['upload-complete']) !== false) return;
    throw new XferError('PROTOCOL', `put ${describeUrl(target.url)}: the server still wants more after the end`);
  }

  async ask(target: Target, place: URL, scope: Scope): Promise<Held | undefined> {
    const answered = await this.#client.send('HEAD', place, { fields: VERSION, about: target.url }, scope);
    if (answered.status === 404 || answered.status === 410) return undefined;
    if (!isSuccess(answered)) throw goneAstray(answered, target);
    const { headers } = answered;
    const offset = integerField(headers['upload-offset']);
    const length = integerField(headers['upload-length']);
    if (length !== undefined && target.size !== undefined && length !== target.size) return undefined;
    const done = booleanField(headers['upload-complete']) === true;
    return offset === undefined ? undefined : { offset, done };
  }

  async remove(place: URL, scope: Scope): Promise<void> {
    await this.#client.send('DELETE', place, { fields: VERSION }, scope);
  }
}

function beginFields(target: Target, isWhole: boolean): Fields {
  return {
    ...firstFields(target),
    ...VERSION,
    'upload-complete': isWhole ? '?1' : '?0',
    ...(target.size === undefined ? {} : { 'upload-length': String(target.size) }),
  };
}

function patchFields(start: number, isLast: boolean): Fields {
  return {
    ...VERSION,
    'content-type': RESUMABLE.contentType,
    'upload-offset': String(start),
    'upload-complete': isLast ? '?1' : '?0',
  };
}
