/** One file behind a URL, as a Source. */
import { Readable } from 'node:stream';
import { throwIfAborted, XferError } from '../../../errors.js';
import type {
  ByteRange,
  DigestAlgorithm,
  Entry,
  Parallelism,
  Scope,
  Source,
  SourceCapabilities,
  StatedDigest,
} from '../../../transport.js';
import { describeUrl } from '../client/describe-url.js';
import type { Fields } from '../client/fields.js';
import type { Answer, HttpClient } from '../client/request.js';
import { isWhole } from '../client/status.js';
import { downloadName } from '../content-disposition.js';
import {
  type ContentRange,
  contentLength,
  type Described,
  DIGEST_FIELDS,
  describeAnswer,
  reprDigest,
  sameFile,
} from '../validator.js';
import { BodyStream } from './body.js';
import { LaneLimit } from './lane-limit.js';
import { parallelismAfter } from './parallelism.js';
import { partIn } from './part.js';

const DIGEST_ALGORITHMS = Object.keys(DIGEST_FIELDS) as DigestAlgorithm[];
/** A part so long is worth a connection of its own. */
const LAST_FROM_BYTES = 32 << 20;
/** More parts of a file at once than anybody asks for. */
const MOST_LANES = 1000;

export interface SourceTerms {
  /** Whether a redirect may be followed; all are where absent. */
  readonly mayFollow?: (to: URL) => boolean;
  /** The server is asked for a digest. */
  readonly asksDigest?: boolean;
  /** What `askDigest` was answered, of the same URL. */
  readonly digestAnswer?: Promise<Answer>;
}

/** Asks for a digest by a request of its own, as a server may read the whole file before it answers. */
export function askDigest(
  client: HttpClient,
  url: URL,
  algorithm: DigestAlgorithm,
  scope: Scope,
  { mayFollow }: SourceTerms,
): Promise<Answer> {
  const { field } = DIGEST_FIELDS[algorithm];
  return client.send('HEAD', url, { 'want-repr-digest': `${field}=10` }, scope, mayFollow);
}

/** Made by `openHttpSource`. */
export class HttpSource implements Source {
  readonly label: string;
  readonly identity: string;
  readonly name: string;
  readonly capabilities: SourceCapabilities;
  readonly described: Described;
  readonly parallelism: Parallelism;
  readonly #client: HttpClient;
  readonly #url: URL;
  readonly #terms: SourceTerms;
  readonly #lanes = new LaneLimit(MOST_LANES);
  #digestField: string | string[] | undefined;
  /** The digest comes behind the body. */
  readonly #hasTrailer: boolean;
  #kept: Answer | undefined;

  constructor(client: HttpClient, url: URL, answer: Answer, terms: SourceTerms = {}) {
    const { headers } = answer.response;
    this.#client = client;
    this.#url = url;
    this.#terms = terms;
    this.#kept = answer;
    this.#digestField = wholeDigest(headers);
    this.#hasTrailer = /(?:^|,)\s*(?:repr|content)-digest\s*(?:,|$)/i.test(headers.trailer ?? '');
    this.label = describeUrl(url);
    this.identity = url.href;
    this.name = downloadName(url, headers['content-disposition']);
    this.described = describeAnswer(headers, url, contentLength(headers));
    const ranges = this.described.acceptsRanges && this.described.version !== undefined;
    this.capabilities = { ranges, replay: true, parallel: true, metadata: true };
    this.parallelism = parallelismAfter(ranges ? answer.waitedMs : 0, this.described.size);
  }

  /** The first answer's body waits to be read. */
  get hasKept(): boolean {
    return this.#kept !== undefined && !this.#kept.response.destroyed;
  }

  /** Gives up the first answer's body. */
  dropKept(): void {
    this.#kept?.response.destroy();
    this.#kept = undefined;
  }

  async *entries(scope: Scope): AsyncIterable<Entry> {
    scope.signal.throwIfAborted();
    yield this.entryAt('');
  }

  /** The file's entry under a path. */
  entryAt(path: string): Entry {
    const { size, mtimeMs, version } = this.described;
    return {
      path,
      kind: 'file',
      ...(size === undefined ? {} : { size }),
      ...(mtimeMs === undefined ? {} : { mtimeMs }),
      ...(version === undefined ? {} : { version }),
    };
  }

  /**
   * As the contract says, and RANGE_IGNORED where other bytes come than those asked for, UNSUPPORTED for a range of a
   * file that comes encoded, PROTOCOL.
   */
  async read(entry: Entry, range: ByteRange, scope: Scope): Promise<Readable> {
    scope.signal.throwIfAborted();
    if (entry.path !== '') throw new XferError('NOT_FOUND', `read ${this.label}: a URL has nothing below it`);
    if (entry.version !== this.described.version) throw this.#changed();
    const { start, end } = range;
    const { size } = this.described;
    if (start === (end ?? size)) return Readable.from([]);
    if (size !== undefined && start >= size)
      throw new XferError('TRUNCATED', `read ${this.label}: ends before ${start}`);
    const kept = start === 0 ? this.#takeKept() : undefined;
    if (kept) return this.#wholeBody(kept, end, scope);
    this.dropKept();
    const whole = start === 0 && (end === undefined || (size !== undefined && end >= size));
    return whole ? this.#readWhole(end, scope) : this.#readPart(range, scope);
  }

  /**
   * What a digest field, before or behind the body, says; where the server is to be asked, what it answers. One that
   * does not answer states none: it may have ended with the download, and the bytes are not to be lost for that.
   */
  stated(entry: Entry): readonly StatedDigest[] {
    if (entry.version !== this.described.version) return [];
    const known = DIGEST_ALGORITHMS.find((algorithm) => reprDigest(this.#digestField, algorithm));
    const isAsked = known === undefined && !this.#hasTrailer && this.#terms.asksDigest === true;
    if (known === undefined && !this.#hasTrailer && !isAsked) return [];
    const algorithm = known ?? 'sha256';
    const hex = async (scope: Scope): Promise<string | undefined> => {
      if (!isAsked) return reprDigest(this.#digestField, algorithm);
      try {
        return await this.digest(entry, algorithm, scope);
      } catch (error) {
        throwIfAborted(scope.signal);
        if (!(error instanceof XferError) || error.code === 'SOURCE_CHANGED') throw error;
        return undefined;
      }
    };
    return [{ algorithm, by: 'the server', hex }];
  }

  /**
   * The digest in the Repr-Digest field of the server (RFC 9530), in lower-case hex. UNSUPPORTED where it sends none,
   * SOURCE_CHANGED where it speaks of another version.
   */
  async digest(entry: Entry, algorithm: DigestAlgorithm, scope: Scope): Promise<string> {
    scope.signal.throwIfAborted();
    if (entry.version !== this.described.version) throw this.#changed();
    const { field } = DIGEST_FIELDS[algorithm];
    const known = reprDigest(this.#digestField, algorithm) ?? (await this.#askDigest(algorithm, scope));
    if (known !== undefined) return known;
    throw new XferError('UNSUPPORTED', `digest ${this.label}: the server states no ${field}`);
  }

  async close(): Promise<void> {
    this.dropKept();
    this.#client.close();
  }

  async #askDigest(algorithm: DigestAlgorithm, scope: Scope): Promise<string | undefined> {
    const early = algorithm === 'sha256' ? await this.#terms.digestAnswer?.catch(passed) : undefined;
    const answer = early ?? (await askDigest(this.#client, this.#url, algorithm, scope, this.#terms));
    answer.response.resume();
    this.#check(answer, this.#describe(answer));
    return reprDigest(answer.response.headers['repr-digest'], algorithm);
  }

  async #readWhole(end: number | undefined, scope: Scope): Promise<Readable> {
    const answer = await this.#send({}, scope);
    if (answer.response.statusCode === 206) {
      throw this.#refuse(answer, 'PROTOCOL', 'a part was sent, and the whole was asked for');
    }
    this.#check(answer, this.#describe(answer));
    return this.#wholeBody(answer, end, scope);
  }

  async #readPart(range: ByteRange, scope: Scope): Promise<Readable> {
    const { encoding, ifRange, size } = this.described;
    if (encoding !== undefined) {
      throw new XferError('UNSUPPORTED', `read ${this.label}: a part of what comes encoded (${encoding})`);
    }
    const leave = await this.#lanes.enter(scope);
    try {
      const answer = await this.#askPart(range, ifRange, scope);
      const part = this.#checkPart(answer, range);
      // A server may send less than was asked for (RFC 9110, 15.3.7), and say then of how much.
      const end = range.end ?? size ?? part.size;
      const body = this.#body(answer, scope, part.end - part.start, end === undefined ? undefined : end - range.start);
      return body.once('close', () => leave());
    } catch (error) {
      leave(error);
      throw error;
    }
  }

  /** Some servers answer If-Range with the whole though nothing changed; those are asked once more, without it. */
  async #askPart(range: ByteRange, ifRange: string | undefined, scope: Scope): Promise<Answer> {
    const fields: Fields = { range: `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}` };
    if (ifRange === undefined) return this.#send(fields, scope);
    const answer = await this.#send({ ...fields, 'if-range': ifRange }, scope);
    if (!isWhole(answer.response) || !this.described.acceptsRanges) return answer;
    this.#check(answer, this.#describe(answer));
    answer.response.destroy();
    return this.#send(fields, scope);
  }

  /** What a 206 promises, once it is known to be the part that was asked for, of the same file. */
  #checkPart(answer: Answer, range: ByteRange): ContentRange {
    const { headers } = answer.response;
    if (isWhole(answer.response)) this.#check(answer, this.#describe(answer));
    const part = partIn(answer.response);
    if ('code' in part) throw this.#refuse(answer, part.code, part.reason);
    this.#check(answer, describeAnswer(headers, this.#url, part.size), true);
    const isAsked = part.start === range.start && (range.end === undefined || part.end <= range.end);
    if (isAsked) return part;
    const reason = `bytes from ${part.start} were sent, and from ${range.start} asked for`;
    throw this.#refuse(answer, 'RANGE_IGNORED', reason);
  }

  #send(fields: Fields, scope: Scope): Promise<Answer> {
    return this.#client.send('GET', this.#url, fields, scope, this.#terms.mayFollow);
  }

  #wholeBody(answer: Answer, end: number | undefined, scope: Scope): Readable {
    const { response } = answer;
    // A server that hashes while it sends states the digest behind the body (RFC 9530 3, RFC 9110 6.5).
    response.once('end', () => {
      this.#digestField ??= wholeDigest(response.trailers);
    });
    return this.#body(answer, scope, contentLength(response.headers) ?? this.described.size, end);
  }

  #body(answer: Answer, scope: Scope, promised: number | undefined, wanted: number | undefined): Readable {
    return new BodyStream(answer.response, {
      what: `read ${this.label}`,
      idleTimeoutMs: this.#client.settings.idleTimeoutMs,
      signal: scope.signal,
      ...(promised === undefined ? {} : { promised }),
      ...(wanted === undefined ? {} : { wanted }),
      last: (wanted ?? promised ?? 0) >= LAST_FROM_BYTES || isWhole(answer.response),
    });
  }

  #describe(answer: Answer): Described {
    const { headers } = answer.response;
    return describeAnswer(headers, this.#url, contentLength(headers));
  }

  /** Throws, and frees the answer, where it speaks of another file or comes in another encoding. */
  #check(answer: Answer, later: Described, matched = false): void {
    if (later.encoding !== this.described.encoding) {
      throw this.#refuse(answer, 'UNSUPPORTED', `the encoding ${later.encoding ?? 'identity'} was not asked for`);
    }
    if (sameFile(this.described, later, matched)) return;
    answer.response.destroy();
    throw this.#changed();
  }

  #refuse(answer: Answer, code: 'PROTOCOL' | 'RANGE_IGNORED' | 'UNSUPPORTED', reason: string): XferError {
    answer.response.destroy();
    return new XferError(code, `read ${this.label}: ${reason}`);
  }

  #changed(): XferError {
    return new XferError('SOURCE_CHANGED', `read ${this.label}: it is no longer the file that it was`);
  }

  /** The first answer, where its body is still unread and whole. */
  #takeKept(): Answer | undefined {
    const kept = this.#kept;
    this.#kept = undefined;
    return kept && !kept.response.destroyed && !kept.response.errored ? kept : undefined;
  }
}

/** Nothing, where what failed may do so no more. */
function passed(error: unknown): undefined {
  if (!(error instanceof XferError && error.retryable)) throw error;
}

/** The field that states the digest of a whole answer's bytes: in one to a GET that is no part, both speak of the file. */
function wholeDigest(fields: NodeJS.Dict<string | string[]>): string | string[] | undefined {
  return fields['repr-digest'] ?? fields['content-digest'];
}
