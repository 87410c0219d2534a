/** One request with a body that comes bit by bit, and its answer. */
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { onAbort } from '../../../concurrency/on-abort.js';
import { type ErrorCode, XferError } from '../../../errors.js';
import type { Scope } from '../../../transport.js';
import type { Fields } from '../client/fields.js';
import type { HttpClient } from '../client/request.js';
import { requestError } from '../client/request-error.js';
import { onInterim, onSwitch } from '../client/unasked.js';

/** How long a server is waited for that may not know 100-continue (RFC 9110, 10.1.1), as curl waits. */
const CONTINUE_MS = 1000;
/** Of an answer's body: what is kept, and what is read so that the connection can be used again. */
const KEPT_BYTES = 64 << 10;
const READ_BYTES = 256 << 10;

/** An answer, its body read as far as it is of use. */
export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Start of the body. */
  readonly text: string;
  /** Where it came from. */
  readonly url: URL;
}

export interface BodyTerms {
  readonly method: string;
  readonly url: URL;
  /** What a person named. */
  readonly from: URL;
  readonly fields: Fields;
  /** Absent: known at its end alone. */
  readonly lengthBytes?: number | undefined;
  /** The server is asked whether it will have the body. */
  readonly expects?: boolean;
  /** Starts messages, as in `put http://host/file`. */
  readonly what: string;
  /** An interim answer (1xx). */
  readonly onInterim?: (status: number, headers: IncomingHttpHeaders, url: URL) => void;
}

export class BodyRequest {
  /** Rejects as the connection does: UNREACHABLE, DISCONNECTED, TIMED_OUT, PROTOCOL, DENIED, or with the signal's reason. */
  readonly answer: Promise<Answered>;
  readonly #outgoing: ClientRequest;
  readonly #terms: BodyTerms;
  readonly #client: HttpClient;
  readonly #what: string;
  readonly #go: Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #responding = false;
  #whenReady: () => void = () => undefined;
  #answered: Answered | undefined;
  #settle: { resolve: (answered: Answered) => void; reject: (error: unknown) => void } | undefined;
  #free: () => void = () => undefined;

  constructor(client: HttpClient, terms: BodyTerms, scope: Scope) {
    this.#client = client;
    this.#terms = terms;
    const { method, url, from, fields, lengthBytes, expects } = terms;
    const framing: Fields = lengthBytes === undefined ? {} : { 'content-length': String(lengthBytes) };
    const expect: Fields = expects ? { expect: '100-continue' } : {};
    const { outgoing, ready, by } = client.begin(method, url, from, { ...fields, ...framing, ...expect });
    this.#outgoing = outgoing;
    this.#what = `${terms.what}${by}`;
    this.answer = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.answer.catch(() => undefined);
    this.#watch(ready);
    outgoing.on('response', (response) => this.#take(response));
    const fail = (error: Error) => {
      if (this.#responding && !scope.signal.aborted && !(error instanceof XferError)) return;
      this.#over()?.reject(scope.signal.aborted ? scope.signal.reason : requestError(error, this.#what));
    };
    outgoing.on('error', fail);
    onSwitch(outgoing, this.#what, fail);
    outgoing.on('close', () => {
      if (!this.#responding) fail(new XferError('DISCONNECTED', `${this.#what}: the connection ended early`));
    });
    this.#free = onAbort(scope.signal, () => outgoing.destroy(scope.signal.reason));
    this.#go = this.#whenWanted(expects === true);
    if (expects) outgoing.flushHeaders();
  }

  /** Its length was stated, so that it cannot be ended before. */
  get isBound(): boolean {
    return this.#terms.lengthBytes !== undefined;
  }

  /** Resolves when the body may be sent: with an answer where the server has given its last one already. Rejects as `answer`. */
  async goAhead(): Promise<Answered | undefined> {
    await Promise.race([this.#go, this.answer]);
    return this.#answered;
  }

  /** Resolves when the bytes are on their way. Rejects as `answer` does, and where an answer came before all was sent. */
  async write(chunk: Buffer): Promise<void> {
    if (chunk.length === 0) return;
    await this.hear();
    if (this.#answered) throw new EarlyAnswer(this.#answered);
    this.#patience(`nothing was taken in ${this.#client.settings.idleTimeoutMs} ms`);
    const taken = new Promise<void>((resolve) => {
      this.#outgoing.write(chunk, () => resolve());
    });
    const early = await Promise.race([taken, this.answer]);
    if (early) throw new EarlyAnswer(early);
    this.#rest();
  }

  /**
   * Lets an answer in that is there already. A server that refuses a body closes, and a write that meets that loses the
   * answer, which was not read yet.
   */
  async hear(): Promise<void> {
    await setImmediate();
    // The first may end the turn that is under way, in which nothing is read any more.
    await setImmediate();
  }

  /** That was all; with the last bytes. */
  end(last?: Buffer): void {
    this.#ended = true;
    this.#patience(`no answer in ${this.#client.settings.idleTimeoutMs} ms`);
    if (last && last.length > 0) this.#outgoing.end(last);
    else this.#outgoing.end();
  }

  /** Gives it up, and with it its connection unless all is over. */
  stop(reason?: Error): void {
    if (this.#settle) this.#outgoing.destroy(reason);
  }

  #whenWanted(expects: boolean): Promise<void> {
    if (!expects) return Promise.resolve();
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const go = (): void => {
        clearTimeout(timer);
        this.#rest();
        resolve();
      };
      this.#outgoing.once('continue', go).once('close', go);
      this.#whenReady = () => {
        timer = setTimeout(go, CONTINUE_MS);
      };
    });
  }

  #watch(ready: 'connect' | 'secureConnect'): void {
    const { connectTimeoutMs, idleTimeoutMs } = this.#client.settings;
    this.#patience(`no connection in ${connectTimeoutMs} ms`, connectTimeoutMs, 'UNREACHABLE');
    const connected = (): void => {
      this.#patience(`no answer in ${idleTimeoutMs} ms`);
      this.#whenReady();
    };
    this.#outgoing.on('socket', (socket: Socket) => {
      if (this.#outgoing.reusedSocket) connected();
      else socket.once(ready, connected);
    });
    onInterim(this.#outgoing, this.#what, ({ statusCode, headers }) => {
      if (this.#timer) this.#patience(`no answer in ${idleTimeoutMs} ms`);
      try {
        this.#terms.onInterim?.(statusCode, headers, this.#terms.url);
      } catch (error) {
        this.#outgoing.destroy(error as Error);
      }
    });
  }

  /** Time that the other end takes; what our own end takes does not count. Once it answers, its answer alone does. */
  #patience(reason: string, ms = this.#client.settings.idleTimeoutMs, code: ErrorCode = 'TIMED_OUT'): void {
    if (!this.#settle || this.#responding) return;
    clearTimeout(this.#timer);
    const late = () => this.#outgoing.destroy(new XferError(code, `${this.#what}: ${reason}`));
    this.#timer = setTimeout(late, ms);
  }

  #rest(): void {
    if (this.#ended || this.#responding) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The status counts, whatever becomes of the body. */
  #take(response: IncomingMessage): void {
    const { url } = this.#terms;
    this.#patience('its answer has no end');
    this.#responding = true;
    const { statusCode: status = 0, headers } = response;
    this.#client.settings.cookies?.take(url, headers['set-cookie']);
    const pieces: Buffer[] = [];
    let bytes = 0;
    const done = (): void => {
      if (this.#answered) return;
      const text = Buffer.concat(pieces).subarray(0, KEPT_BYTES).toString('utf8');
      this.#answered = { status, headers, text, url };
      const settle = this.#over();
      // A connection over which the rest of a body is still owed is of no more use.
      if (!this.#ended || !response.complete) this.#outgoing.destroy();
      settle?.resolve(this.#answered);
    };
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= KEPT_BYTES) pieces.push(chunk);
      if (bytes > READ_BYTES) done();
    });
    response.on('end', done).on('close', done).on('error', done);
  }

  #over() {
    clearTimeout(this.#timer);
    this.#free();
    const settle = this.#settle;
    this.#settle = undefined;
    return settle;
  }
}

/** The server gave its last answer before it had all of the body. */
export class EarlyAnswer extends Error {
  constructor(readonly answered: Answered) {
    super(`answered ${answered.status} too early`);
  }
}
