/** What both protocols of uploads that go on are to a draft. */
import { XferError } from '../../../errors.js';
import type { DigestAlgorithm, Scope } from '../../../transport.js';
import { describeUrl } from '../client/describe-url.js';
import type { Fields } from '../client/fields.js';
import { DIGEST_FIELDS } from '../validator.js';
import { type Answered, BodyRequest } from './body-request.js';
import { type FaultTerms, putFault } from './put-fault.js';

/** How long the server is waited for to remove something. */
const REMOVE_MS = 10_000;

/** A file that is to be put somewhere. */
export interface Target {
  readonly url: URL;
  /** Where uploads into its folder are begun by those who name the file in a field. */
  readonly folder: URL;
  readonly name: string;
  readonly size?: number | undefined;
  readonly mtimeMs?: number | undefined;
  /** What has the name is replaced. */
  readonly replace: boolean;
  /** EXISTS where something has the name, nothing is replaced, and the server would not say so itself. */
  guard(scope: Scope): Promise<void>;
  /** The error that an answer is which refuses it. */
  fault(answered: Answered, terms?: FaultTerms): Promise<XferError>;
}

/** What the far side holds of an upload. */
export interface Held {
  readonly offset: number;
  /** It is whole, and has its name. */
  readonly done: boolean;
}

/** One request that takes bytes of a file. */
export interface Part {
  readonly start: number;
  readonly request: BodyRequest;
}

export interface Proof {
  readonly algorithm: DigestAlgorithm;
  /** In lower case. */
  readonly hex: string;
}

export interface ResumableProtocol {
  readonly name: 'draft' | 'tus';
  /** How many of the last bytes `complete` has to bring: with them the file has its name. */
  readonly heldBackBytes: number;
  /** A request for bytes from `start` on; `onPlace` is told where the upload can be gone on with, once that is known. */
  openPart(
    target: Target,
    place: URL | undefined,
    start: number,
    lengthBytes: number | undefined,
    onPlace: (place: URL) => void,
    scope: Scope,
  ): Promise<BodyRequest>;
  /** What the answer to a part says, all of which up to `end` was sent. */
  partDone(target: Target, part: Part, end: number, answered: Answered, onPlace: (place: URL) => void): Promise<Held>;
  /** Ends the file with its last bytes, if any. */
  complete(
    target: Target,
    place: URL | undefined,
    start: number,
    last: Buffer,
    proof: Proof | undefined,
    scope: Scope,
  ): Promise<void>;
  /** Undefined where the upload is no longer there. */
  ask(target: Target, place: URL, scope: Scope): Promise<Held | undefined>;
  remove(place: URL, scope: Scope): Promise<void>;
}

/** Removes what nobody wants any more. What the server does not remove in time it removes when it is too old. */
export async function removeAtOnce(protocol: ResumableProtocol, place: URL): Promise<void> {
  await protocol.remove(place, { signal: AbortSignal.timeout(REMOVE_MS) }).catch(() => undefined);
}

/** Fields of the request that begins a file. */
export function firstFields({ replace, mtimeMs }: Target, proof?: Proof): Record<string, string> {
  return {
    'content-type': 'application/octet-stream',
    ...(replace ? {} : { 'if-none-match': '*' }),
    // As ownCloud's clients and rclone say it.
    ...(mtimeMs === undefined ? {} : { 'x-oc-mtime': String(Math.floor(mtimeMs / 1000)) }),
    ...digestField(proof),
  };
}

export function digestField(proof: Proof | undefined): Fields {
  if (!proof) return {};
  const { field } = DIGEST_FIELDS[proof.algorithm];
  return { 'repr-digest': `${field}=:${Buffer.from(proof.hex, 'hex').toString('base64')}:` };
}

/**
 * The place of an upload that a Location names. PROTOCOL where it is on another host: nothing of the file, and no login,
 * goes there. Behind a proxy that adds the encryption, a server may name itself without it.
 */
export function placeOf(location: string | undefined, url: URL): URL | undefined {
  if (location === undefined) return undefined;
  const place = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  if (place?.protocol === 'http:' && url.protocol === 'https:' && place.hostname === url.hostname) {
    place.protocol = 'https:';
    place.port = url.port;
  }
  if (place && place.origin === url.origin && place.username === '' && place.password === '') return place;
  const where = place ? describeUrl(place) : 'what is no address';
  throw new XferError('PROTOCOL', `put ${describeUrl(url)}: the server wants the upload to go on at ${where}`);
}

export function isOpen(opened: BodyRequest | Answered): opened is BodyRequest {
  return opened instanceof BodyRequest;
}

export function isSuccess({ status }: Answered): boolean {
  return status >= 200 && status < 300;
}

/** The error of an answer to a request about an upload that was begun: asked again, it may be told what is there. */
export function goneAstray(answered: Answered, target: Target, terms: FaultTerms = {}): XferError {
  const { status } = answered;
  const what = `put ${describeUrl(target.url)}`;
  if (status === 404 || status === 410) {
    return new XferError('DISCONNECTED', `${what}: the server has lost what it held of it (${status})`);
  }
  if (status === 409) return new XferError('DISCONNECTED', `${what}: the server holds another number of bytes (409)`);
  return putFault(answered, { ...terms, what });
}

/** Throws where a part's answer says what cannot be: PROTOCOL; DISCONNECTED where the server took less than was sent. */
export function checkOffset(target: Target, start: number, end: number, offset: number | undefined): void {
  if (offset === undefined || offset === end) return;
  const what = `put ${describeUrl(target.url)}`;
  if (offset > end) {
    throw new XferError('PROTOCOL', `${what}: the server says that it holds ${offset} bytes, and ${end} were sent`);
  }
  if (offset < start) {
    throw new XferError('PROTOCOL', `${what}: the server held ${start} bytes, and now says ${offset}`);
  }
  throw new XferError('DISCONNECTED', `${what}: the server took ${offset} of ${end} bytes`);
}
