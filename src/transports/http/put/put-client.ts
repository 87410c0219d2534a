/** Requests that put something somewhere: whole ones, and ones whose body comes bit by bit. */
import { XferError } from '../../../errors.js';
import { streamDigest } from '../../../streams/digest.js';
import type { DigestAlgorithm, Scope } from '../../../transport.js';
import { describeUrl } from '../client/describe-url.js';
import type { Fields } from '../client/fields.js';
import { redirectTarget } from '../client/redirect.js';
import type { HttpClient } from '../client/request.js';
import { openHttpSource } from '../get/open-file.js';
import { type Answered, BodyRequest, type BodyTerms, EarlyAnswer } from './body-request.js';
import { isSuccess } from './protocol.js';

/** A larger body is sent once the server said that it will have it, as curl does. */
export const EXPECT_BYTES = 1 << 20;
/** Of a body at hand, each of which a slow line has the idle time for. */
const PIECE_BYTES = 256 << 10;

/** Something on the way cannot do it; it says nothing of the file. */
const EXPECTATION_FAILED = 417;

const NOTHING = Buffer.alloc(0);

export interface WholeTerms {
  readonly fields?: Fields;
  readonly body?: Buffer;
  /** Starts messages; `put` where absent. */
  readonly verb?: string;
  /** For messages, in place of the address that is asked: that of an upload under way lets others go on with it. */
  readonly about?: URL;
  /** Nothing is followed: where it leads is what is asked. */
  readonly stays?: boolean;
}

export interface OpenTerms extends Pick<BodyTerms, 'fields' | 'lengthBytes' | 'onInterim'> {
  /** As that of `WholeTerms`. */
  readonly about?: URL;
}

export class PutClient {
  readonly #http: HttpClient;
  readonly #named: URL;
  /** Whether large bodies may be held back until they are wanted. */
  #mayExpect = true;

  constructor(http: HttpClient, named: URL) {
    this.#http = http;
    this.#named = named;
  }

  /** The last answer, whatever its status; 307 and 308 are followed (RFC 9110, 15.4). Rejects as the connection does. */
  async send(method: string, url: URL, terms: WholeTerms, scope: Scope): Promise<Answered> {
    const { fields = {}, body, verb = 'put', stays = false, about } = terms;
    const bodiless = body === undefined && /^(?:HEAD|GET|OPTIONS|DELETE)$/.test(method);
    return this.#following(url, verb, stays, about, async (to) => {
      const what = `${verb} ${describeUrl(about ?? to)}`;
      const framing = bodiless ? {} : { lengthBytes: body?.length ?? 0 };
      return sendAll(this.#begin(method, to, { fields, ...framing, what }, scope), body ?? NOTHING, what);
    });
  }

  /**
   * A request that takes its body; or the server's last answer, where it gave that before it had any of it. 307 and 308 are
   * followed until then.
   */
  async open(method: string, url: URL, terms: OpenTerms, scope: Scope): Promise<BodyRequest | Answered> {
    let opened: BodyRequest | undefined;
    const { lengthBytes, about } = terms;
    const isLarge = lengthBytes === undefined || lengthBytes > EXPECT_BYTES;
    const ask = async (to: URL): Promise<Answered | undefined> => {
      const expects = isLarge && this.#mayExpect;
      const request = this.#begin(method, to, { ...terms, expects, what: `put ${describeUrl(about ?? to)}` }, scope);
      try {
        const early = await request.goAhead();
        if (!early) opened = request;
        if (early?.status !== EXPECTATION_FAILED || !expects) return early;
      } catch (error) {
        request.stop();
        throw error;
      }
      // It is asked again without (RFC 9110, 10.1.1).
      this.#mayExpect = false;
      return ask(to);
    };
    const answered = await this.#following(url, 'put', false, about, ask);
    return opened ?? (answered as Answered);
  }

  /** Digest of what is at a URL, of all its bytes, which are fetched for it. Rejects as a download does. */
  async readDigest(url: URL, algorithm: DigestAlgorithm, scope: Scope): Promise<string> {
    const source = await openHttpSource(this.#http, url, scope);
    return streamDigest(await source.read(source.entryAt(''), { start: 0 }, scope), algorithm, scope);
  }

  close(): void {
    this.#http.close();
  }

  #begin(method: string, url: URL, terms: Omit<BodyTerms, 'method' | 'url' | 'from'>, scope: Scope): BodyRequest {
    return new BodyRequest(this.#http, { method, url, from: this.#named, ...terms }, scope);
  }

  async #following<Got extends Answered | undefined>(
    from: URL,
    verb: string,
    stays: boolean,
    about: URL | undefined,
    ask: (to: URL) => Promise<Got>,
  ): Promise<Got> {
    const seen = new Set<string>();
    let url = from;
    for (;;) {
      seen.add(url.href);
      const answered = await ask(url);
      const next = answered && !stays && isKeptRedirect(answered.status) ? answered.headers.location : undefined;
      if (next === undefined) return answered;
      url = redirectTarget(url, next, verb);
      const what = `${verb} ${describeUrl(about ?? from)}`;
      if (seen.has(url.href)) throw new XferError('PROTOCOL', `${what}: redirects in a circle`);
      const { maxRedirects } = this.#http.settings;
      if (seen.size > maxRedirects) throw new XferError('PROTOCOL', `${what}: more than ${maxRedirects} redirects`);
    }
  }
}

/** The last answer to a request whose body is at hand. PROTOCOL where that is a success before all was sent. */
async function sendAll(request: BodyRequest, body: Buffer, what: string): Promise<Answered> {
  let at = 0;
  try {
    for (; body.length - at > PIECE_BYTES; at += PIECE_BYTES) {
      await request.write(body.subarray(at, at + PIECE_BYTES));
    }
  } catch (error) {
    request.stop();
    if (!(error instanceof EarlyAnswer)) throw error;
    if (!isSuccess(error.answered)) return error.answered;
    throw new XferError('PROTOCOL', `${what}: the server says ${error.answered.status} before it had it all`);
  }
  request.end(body.subarray(at));
  return request.answer;
}

/** After these the method stays what it is. */
function isKeptRedirect(status: number): boolean {
  return status === 307 || status === 308;
}
