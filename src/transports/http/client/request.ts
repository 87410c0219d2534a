/** One HTTP request and its redirects: connects, waits for the answer's headers, and says in one error what went wrong. */
import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type ErrorCode, throwIfAborted, XferError } from '../../../errors.js';
import type { Scope } from '../../../transport.js';
import type { CookieJar } from './cookies.js';
import { describeUrl } from './describe-url.js';
import type { Fields } from './fields.js';
import type { Netrc } from './netrc.js';
import { redirectTarget } from './redirect.js';
import { requestError } from './request-error.js';
import { type Route, Routes, type RouteTerms } from './routes.js';
import { checkStatus } from './status.js';
import { checkTransferCoding } from './transfer-coding.js';
import { onInterim, onSwitch } from './unasked.js';

/** What of a person's own fields is sent on to another origin; the rest may hold secrets. */
const HARMLESS_FIELDS = new Set(['accept', 'accept-language', 'user-agent']);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface ClientSettings extends RouteTerms {
  /** Sent with every request to the origin that was named, by lower-case name; see `parseFields`. */
  readonly fields: Fields;
  readonly userAgent: string;
  /** How long nothing may come, in the headers and in the body. */
  readonly idleTimeoutMs: number;
  readonly maxRedirects: number;
  /** Logins of hosts, for requests without an Authorization field of their own. */
  readonly netrc?: Netrc;
  readonly cookies?: CookieJar;
}

/** An answer that is not a redirect. Its body is paused, and belongs to the caller. */
export interface Answer {
  readonly response: IncomingMessage;
  /** Where it came from in the end, without login. */
  readonly url: URL;
  /** From the moment when the connection took the request until the headers were there: a round trip, or more. */
  readonly waitedMs: number;
}

/** A request that was begun. */
export interface Begun {
  readonly outgoing: ClientRequest;
  /** The event of a fresh socket after which it takes the request. */
  readonly ready: 'connect' | 'secureConnect';
  /** For messages: the proxy by which it goes, or nothing. */
  readonly by: string;
}

/** Sends requests over connections that are kept, until `close`. */
export class HttpClient {
  readonly #routes: Routes;

  constructor(readonly settings: ClientSettings) {
    this.#routes = new Routes(settings);
  }

  /**
   * The answer to one request, redirects followed where `mayFollow` does not say otherwise. NOT_FOUND, DENIED, UNREACHABLE,
   * DISCONNECTED, TIMED_OUT, PROTOCOL, as the status and the connection say; SOURCE_CHANGED for 416; UNSUPPORTED for a
   * transfer coding.
   */
  async send(
    method: 'GET' | 'HEAD',
    from: URL,
    extra: Fields,
    scope: Scope,
    mayFollow: (to: URL) => boolean = () => true,
  ): Promise<Answer> {
    const { cookies, maxRedirects } = this.settings;
    const seen = new Set<string>();
    let url = from;
    for (let hops = 0; ; hops += 1) {
      throwIfAborted(scope.signal);
      seen.add(`${cookies?.changes} ${url.href}`);
      const named = url.origin === from.origin;
      const headers = { ...this.#fieldsFor(url, named), ...extra };
      const { response, waitedMs } = await this.#exchange(url, { method, headers }, this.#routes.to(url, named), scope);
      cookies?.take(url, response.headers['set-cookie']);
      const next = REDIRECTS.has(response.statusCode ?? 0) ? response.headers.location : undefined;
      if (next === undefined) {
        checkStatus(response, `get ${describeUrl(url)}`);
        checkTransferCoding(response, `get ${describeUrl(url)}`);
        return { response, url, waitedMs };
      }
      response.destroy();
      if (hops >= maxRedirects) {
        throw new XferError('PROTOCOL', `get ${describeUrl(from)}: more than ${maxRedirects} redirects`);
      }
      url = redirectTarget(url, next);
      if (seen.has(`${cookies?.changes} ${url.href}`)) {
        throw new XferError('PROTOCOL', `get ${describeUrl(from)}: redirects in a circle`);
      }
      if (!mayFollow(url)) {
        throw new XferError(
          'UNSAFE_PATH',
          `get ${describeUrl(from)}: redirects out of the folder, to ${describeUrl(url)}`,
        );
      }
    }
  }

  /**
   * A request whose body and answer are the caller's to look after, and whose redirects are not followed. `from`: the URL
   * that a person named, whose origin alone gets that person's fields and is known by the pins. UNSUPPORTED, USAGE for a
   * proxy that is none.
   */
  begin(method: string, url: URL, from: URL, extra: Fields): Begun {
    const named = url.origin === from.origin;
    const { secure, agent, target, proxy, fields } = this.#routes.to(url, named);
    const options = { method, headers: { ...this.#fieldsFor(url, named), ...extra, ...fields }, agent, ...target };
    const start = secure ? httpsRequest : httpRequest;
    const outgoing = target.path === undefined ? start(url, options) : start(options);
    return { outgoing, ready: secure ? 'secureConnect' : 'connect', by: proxy ? ` by proxy ${proxy.label}` : '' };
  }

  /** Cuts every connection. */
  close(): void {
    this.#routes.close();
  }

  #fieldsFor(url: URL, named: boolean): Fields {
    const own = Object.entries(this.settings.fields).filter(([name]) => named || HARMLESS_FIELDS.has(name));
    const fields = Object.fromEntries(own);
    const login = fields.authorization === undefined ? this.settings.netrc?.loginFor(url.hostname, named) : undefined;
    const cookies = [fields.cookie, this.settings.cookies?.fieldFor(url)].filter((one) => one !== undefined);
    return {
      accept: '*/*',
      'user-agent': this.settings.userAgent,
      ...fields,
      ...(login === undefined ? {} : { authorization: basicLogin(login.user, login.password) }),
      ...(cookies.length === 0 ? {} : { cookie: cookies.join('; ') }),
      // A length, a range and a digest speak of the bytes on the wire, so those have to be the file's.
      'accept-encoding': 'identity',
    };
  }

  #exchange(url: URL, asked: RequestOptions, route: Route, scope: Scope): Promise<Omit<Answer, 'url'>> {
    const { secure, agent, target, proxy } = route;
    const what = `get ${describeUrl(url)}${proxy ? ` by proxy ${proxy.label}` : ''}`;
    const headers = { ...asked.headers, ...route.fields };
    const start = secure ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const options = { ...asked, headers, agent, ...target };
      const outgoing = target.path === undefined ? start(url, options) : start(options);
      const watch = this.#watch(outgoing, secure ? 'secureConnect' : 'connect', what, scope.signal);
      let answer: IncomingMessage | undefined;
      outgoing.on('response', (response) => {
        watch.stop();
        answer = response;
        response.on('error', ignore);
        resolve({ response, waitedMs: performance.now() - watch.readyAtMs() });
      });
      const fail = (error: Error): void => {
        watch.stop();
        const reason = scope.signal.aborted ? scope.signal.reason : requestError(error, what);
        if (answer) answer.destroy(reason);
        else reject(reason);
      };
      outgoing.on('error', fail);
      onSwitch(outgoing, what, fail);
      outgoing.end();
    });
  }

  /** Destroys a request that is late or aborted, until it is stopped. */
  #watch(outgoing: ClientRequest, ready: 'connect' | 'secureConnect', what: string, signal: AbortSignal): Watch {
    const { connectTimeoutMs, idleTimeoutMs } = this.settings;
    const late = (code: ErrorCode, reason: string) => outgoing.destroy(new XferError(code, `${what}: ${reason}`));
    const abort = () => outgoing.destroy(signal.reason);
    let stopped = false;
    let readyAtMs = performance.now();
    let timer = setTimeout(() => late('UNREACHABLE', `no connection in ${connectTimeoutMs} ms`), connectTimeoutMs);
    const heard = () => {
      clearTimeout(timer);
      if (!stopped) timer = setTimeout(() => late('TIMED_OUT', `no answer in ${idleTimeoutMs} ms`), idleTimeoutMs);
    };
    const connected = () => {
      readyAtMs = performance.now();
      heard();
    };
    signal.addEventListener('abort', abort, { once: true });
    outgoing.on('socket', (socket) => {
      if (outgoing.reusedSocket) connected();
      else socket.once(ready, connected);
    });
    // A server that hashes a file before it answers says that it is still there.
    onInterim(outgoing, what, heard);
    const stop = () => {
      stopped = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
    return { stop, readyAtMs: () => readyAtMs };
  }
}

interface Watch {
  stop(): void;
  /** When the connection could take the request. */
  readyAtMs(): number;
}

/** Basic credentials (RFC 7617), as an Authorization field has them. */
export function basicLogin(user: string | Buffer, password: string | Buffer): string {
  return `Basic ${Buffer.concat([Buffer.from(user), Buffer.from(':'), Buffer.from(password)]).toString('base64')}`;
}

/** A kept body that breaks before it is read must not end the process; whoever reads it listens as well. */
function ignore(): void {}
