/** A file that is long, or of no known length, on its way in one request, to any server that takes PUT (RFC 9110, 9.3.4). */
import type { Writable } from 'node:stream';
import { onAbort } from '../../../concurrency/on-abort.js';
import { throwIfAborted, XferError } from '../../../errors.js';
import type { ByteRange, DigestAlgorithm, Draft, Entry, Scope } from '../../../transport.js';
import { describeUrl } from '../client/describe-url.js';
import { RESUMABLE } from '../upload-protocol.js';
import { type Answered, type BodyRequest, EarlyAnswer } from './body-request.js';
import { Comparison } from './comparison.js';
import type { Doubts } from './doubts.js';
import { DraftProtocol } from './draft-protocol.js';
import { checkNext, checkRoom, checkWhole } from './given-bytes.js';
import { PartWriter } from './part-writer.js';
import { firstFields, isOpen, isSuccess, type Proof, placeOf, removeAtOnce, type Target } from './protocol.js';
import type { PutClient } from './put-client.js';

export interface WholeTerms {
  readonly client: PutClient;
  readonly target: Target;
  /** A server that can go on with uploads says so while it takes one: told where. */
  readonly onPlace: (place: URL) => void;
  /** Called once the file has its name; CORRUPT where it is not what it should be. */
  readonly prove: (proof: Proof, scope: Scope) => Promise<void>;
  /** The same where there is nothing to prove it by: CORRUPT where the server states another length. */
  readonly measure: (size: number, scope: Scope) => Promise<void>;
  readonly doubts: Doubts;
}

export class WholeDraft implements Draft {
  readonly held: readonly ByteRange[] = [];
  readonly #terms: WholeTerms;
  readonly #stop = new AbortController();
  #request: BodyRequest | undefined;
  /** Where a server that can go on with uploads keeps what came of it. */
  #place: URL | undefined;
  #given = 0;
  /** The last byte waits for `commit`: with it the file has its name. */
  #last: Buffer = Buffer.alloc(0);
  #proof: Proof | undefined;
  #same: Comparison | undefined;
  /** It was sent before, and no answer came. */
  readonly #wasInDoubt: boolean;

  constructor(terms: WholeTerms) {
    this.#terms = terms;
    this.#wasInDoubt = terms.doubts.about(terms.target.url);
  }

  async write(start: number, scope: Scope): Promise<Writable> {
    throwIfAborted(scope.signal);
    checkNext(this.#terms.target.url, this.#given, start);
    const parts = {
      take: (chunk: Buffer, onHeld: (bytes: number) => void, scoped: Scope) => this.#take(chunk, onHeld, scoped),
      finish: async (onHeld: (bytes: number) => void) => onHeld(this.#last.length),
    };
    return new PartWriter(scope, parts, this.#terms.target.url);
  }

  get #label(): string {
    return describeUrl(this.#terms.target.url);
  }

  async #take(given: Buffer, onHeld: (bytes: number) => void, scope: Scope): Promise<void> {
    const { url, size } = this.#terms.target;
    const free = onAbort(scope.signal, () => this.#stop.abort(scope.signal.reason));
    try {
      checkRoom(url, this.#given + given.length, size);
      if (!this.#same) await this.#send(given);
      this.#same?.take(given);
      this.#given += given.length;
      onHeld(this.#same ? given.length : given.length - this.#last.length);
    } finally {
      free();
    }
  }

  async #send(given: Buffer): Promise<void> {
    const { client, target } = this.#terms;
    const scope = { signal: this.#stop.signal };
    this.#request ??= await this.#open().catch(async (error: unknown) => {
      if (this.#given > 0) throw error;
      this.#same = await Comparison.after(error, target, client, scope, this.#wasInDoubt);
      return undefined;
    });
    const isLast = this.#given + given.length === target.size && !this.#same;
    // What is written may be overwritten by its reader once it was taken.
    if (isLast) this.#last = Buffer.from(given.subarray(-1));
    const chunk = isLast ? given.subarray(0, -1) : given;
    await this.#request?.write(chunk).catch((error: unknown) => this.#explain(error));
  }

  async #open(): Promise<BodyRequest> {
    const { client, target, onPlace } = this.#terms;
    const fields = {
      ...firstFields(target),
      'upload-complete': '?1',
      [RESUMABLE.interopField.toLowerCase()]: RESUMABLE.interopVersion,
    };
    const onInterim = (status: number, headers: { location?: string | undefined }, url: URL) => {
      const place = status === 104 ? placeOf(headers.location, url) : undefined;
      if (!place) return;
      this.#place = place;
      onPlace(place);
    };
    const terms = { fields, lengthBytes: target.size, onInterim };
    await target.guard({ signal: this.#stop.signal });
    const opened = await client.open('PUT', target.url, terms, { signal: this.#stop.signal });
    if (isOpen(opened)) return opened;
    throw await this.#fault(opened);
  }

  async #explain(error: unknown): Promise<never> {
    throw error instanceof EarlyAnswer ? await this.#fault(error.answered) : error;
  }

  /** `answered`: given before the end of the bytes. */
  async #fault(answered: Answered): Promise<Error> {
    if (!isSuccess(answered)) return this.#terms.target.fault(answered, { withDigest: this.#proof !== undefined });
    return new XferError('PROTOCOL', `put ${this.#label}: the server says ${answered.status} before it had it all`);
  }

  /** The digest that the file is to have: `commit` is CORRUPT where it has another. */
  async expect(algorithm: DigestAlgorithm, hex: string): Promise<void> {
    this.#proof = { algorithm, hex };
  }

  async commit(entry: Entry, scope: Scope): Promise<void> {
    throwIfAborted(scope.signal);
    const size = entry.size ?? this.#given;
    checkWhole(this.#terms.target.url, this.#given, size);
    if (this.#same) this.#same.end();
    else await this.#finish(size, scope);
    // What is there and was never sent is not ours to remove, should it be another file.
    if (this.#proof && (!this.#same || this.#wasInDoubt)) await this.#terms.prove(this.#proof, scope);
  }

  async #finish(size: number, scope: Scope): Promise<void> {
    const { doubts, target, measure } = this.#terms;
    const answered = await doubts.until(target.url, () => this.#end(scope));
    this.#request = undefined;
    if (!isSuccess(answered)) throw await this.#fault(answered);
    this.#place = undefined;
    if (!this.#proof) await measure(size, scope);
  }

  async #end(scope: Scope): Promise<Answered> {
    const { client, target } = this.#terms;
    if (!this.#request) await target.guard(scope);
    if (!this.#request) return client.send('PUT', target.url, { fields: firstFields(target, this.#proof) }, scope);
    const free = onAbort(scope.signal, () => this.#stop.abort(scope.signal.reason));
    try {
      await this.#request.hear();
      this.#request.end(this.#last);
      return await this.#request.answer;
    } finally {
      free();
    }
  }

  suspend(): Promise<void> {
    return this.discard();
  }

  /** Nobody goes on with it: a server that would keep it is told so, unless it may have its name. */
  async discard(): Promise<void> {
    const { client, target, doubts } = this.#terms;
    const place = doubts.about(target.url) ? undefined : this.#place;
    this.#request?.stop();
    this.#request = undefined;
    this.#place = undefined;
    if (place) await removeAtOnce(new DraftProtocol(client), place);
  }
}
