/** One HTTP request and its redirects: connects, waits for the answer's headers, and says in one error what went wrong. */
import {
  Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { request as httpsRequest, Agent as SecureAgent } from 'node:https';
import { systemCode, throwIfAborted, toXferError, XferError } from '../../errors.js';
import type { Scope } from '../../transport.js';
import { PinnedAgent } from './pinned-agent.js';
import type { Pin } from './pins.js';
import { checkStatus } from './status.js';

/** What of a person's own fields is sent on to another origin; the rest may hold secrets. */
const HARMLESS_FIELDS = new Set(['accept', 'accept-language', 'user-agent']);
/** Fields that decide which bytes come, and how they are framed. */
const OWN_FIELDS = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'if-range',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export type Fields = Readonly<Record<string, string>>;

export interface ClientSettings {
  /** Sent with every request to the origin that was named, by lower-case name; see `parseFields`. */
  readonly fields: Fields;
  readonly userAgent: string;
  readonly connectTimeoutMs: number;
  /** How long nothing may come, in the headers and in the body. */
  readonly idleTimeoutMs: number;
  readonly maxRedirects: number;
  /** What the origin that was named is known by, in place of authorities; any of them will do. */
  readonly pins?: readonly Pin[];
  /** Certificates of all authorities that are trusted, in PEM; Node's own where absent. */
  readonly authorities?: readonly string[];
}

/** An answer that is not a redirect. Its body is paused, and belongs to the caller. */
export interface Answer {
  readonly response: IncomingMessage;
  /** Where it came from in the end, without login. */
  readonly url: URL;
}

/**
 * A person's fields, as `Name: value` lines or as an object, by lower-case name. USAGE where one is malformed or is one
 * that a copy sets by itself; the message names the field and never its value.
 */
export function parseFields(given: readonly string[] | Readonly<Record<string, string>> = {}): Fields {
  const pairs = Array.isArray(given) ? (given as readonly string[]).map(splitField) : Object.entries(given);
  const fields: Record<string, string> = {};
  for (const [rawName, value] of pairs) {
    const name = rawName.toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]{1,256}$/.test(name)) {
      throw new XferError('USAGE', 'a header: its name is not one', { hint: "write it as 'Name: value'" });
    }
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) throw new XferError('USAGE', `header ${name}: not plain text`);
    if (OWN_FIELDS.has(name)) throw new XferError('USAGE', `header ${name}: is set by the copy itself`);
    fields[name] = value;
  }
  return fields;
}

function splitField(line: string): [string, string] {
  const colon = line.indexOf(':');
  return colon < 0 ? ['', ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}

/** A URL as text for messages: no login, no query, no fragment. */
export function describeUrl(url: URL): string {
  return `${url.origin}${url.pathname}`.slice(0, 1000);
}

/** Sends requests over connections that are kept, until `close`. */
export class HttpClient {
  readonly #plain = new Agent({ keepAlive: true });
  readonly #secure: SecureAgent;
  /** For the origin that was named. */
  readonly #pinned: SecureAgent | undefined;

  constructor(readonly settings: ClientSettings) {
    const { pins = [], authorities } = settings;
    this.#secure = new SecureAgent({ keepAlive: true, ...(authorities ? { ca: [...authorities] } : {}) });
    this.#pinned = pins.length > 0 ? new PinnedAgent(pins) : undefined;
  }

  /**
   * The answer to one request, redirects followed. NOT_FOUND, DENIED, UNREACHABLE, DISCONNECTED, TIMED_OUT, PROTOCOL, as
   * the status and the connection say; SOURCE_CHANGED for 416.
   */
  async send(method: 'GET' | 'HEAD', from: URL, extra: Fields, scope: Scope): Promise<Answer> {
    const seen = new Set<string>();
    let url = from;
    for (;;) {
      throwIfAborted(scope.signal);
      seen.add(url.href);
      const named = url.origin === from.origin;
      const headers = { ...this.#fieldsFor(named), ...extra };
      const response = await this.#exchange(url, { method, headers, agent: this.#agentFor(url, named) }, scope);
      const next = REDIRECTS.has(response.statusCode ?? 0) ? response.headers.location : undefined;
      if (next === undefined) {
        checkStatus(response, `get ${describeUrl(url)}`);
        return { response, url };
      }
      response.destroy();
      if (seen.size > this.settings.maxRedirects) {
        throw new XferError('PROTOCOL', `get ${describeUrl(from)}: more than ${this.settings.maxRedirects} redirects`);
      }
      url = redirectTarget(url, next);
      if (seen.has(url.href)) throw new XferError('PROTOCOL', `get ${describeUrl(from)}: redirects in a circle`);
    }
  }

  /** Cuts every connection. */
  close(): void {
    this.#plain.destroy();
    this.#secure.destroy();
    this.#pinned?.destroy();
  }

  #agentFor(url: URL, named: boolean): Agent {
    if (url.protocol === 'http:') return this.#plain;
    return (named ? this.#pinned : undefined) ?? this.#secure;
  }

  #fieldsFor(sameOrigin: boolean): Fields {
    const own = Object.entries(this.settings.fields).filter(([name]) => sameOrigin || HARMLESS_FIELDS.has(name));
    return {
      accept: '*/*',
      'user-agent': this.settings.userAgent,
      ...Object.fromEntries(own),
      // A length, a range and a digest speak of the bytes on the wire, so those have to be the file's.
      'accept-encoding': 'identity',
    };
  }

  #exchange(url: URL, options: RequestOptions, scope: Scope): Promise<IncomingMessage> {
    const secure = url.protocol === 'https:';
    const what = `get ${describeUrl(url)}`;
    return new Promise((resolve, reject) => {
      const outgoing = (secure ? httpsRequest : httpRequest)(url, options);
      const stop = this.#watch(outgoing, secure ? 'secureConnect' : 'connect', what, scope.signal);
      let answer: IncomingMessage | undefined;
      outgoing.on('response', (response) => {
        stop();
        answer = response;
        response.on('error', ignore);
        resolve(response);
      });
      outgoing.on('error', (error) => {
        stop();
        const reason = scope.signal.aborted ? scope.signal.reason : requestError(error, what);
        if (answer) answer.destroy(reason);
        else reject(reason);
      });
      outgoing.end();
    });
  }

  /** Destroys a request that is late or aborted, until the function that comes back is called. */
  #watch(outgoing: ClientRequest, ready: 'connect' | 'secureConnect', what: string, signal: AbortSignal): () => void {
    const { connectTimeoutMs, idleTimeoutMs } = this.settings;
    const late = (reason: string) => outgoing.destroy(new XferError('TIMED_OUT', `${what}: ${reason}`));
    const abort = () => outgoing.destroy(signal.reason);
    let stopped = false;
    let timer = setTimeout(() => late(`no connection in ${connectTimeoutMs} ms`), connectTimeoutMs);
    const connected = () => {
      clearTimeout(timer);
      if (!stopped) timer = setTimeout(() => late(`no answer in ${idleTimeoutMs} ms`), idleTimeoutMs);
    };
    signal.addEventListener('abort', abort, { once: true });
    outgoing.on('socket', (socket) => {
      if (outgoing.reusedSocket) connected();
      else socket.once(ready, connected);
    });
    return () => {
      stopped = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
  }
}

/** A kept body that breaks before it is read must not end the process; whoever reads it listens as well. */
function ignore(): void {}

/** Where a redirect leads (RFC 9110 10.2.2). PROTOCOL where it is no URL, or gives up encryption. */
function redirectTarget(url: URL, location: string): URL {
  const text = Buffer.from(location, 'latin1').toString('utf8');
  const next = URL.canParse(text, url.href) ? new URL(text, url) : undefined;
  if (!next || (next.protocol !== 'http:' && next.protocol !== 'https:')) {
    throw new XferError('PROTOCOL', `get ${describeUrl(url)}: redirects to what is no web address`);
  }
  if (url.protocol === 'https:' && next.protocol === 'http:') {
    throw new XferError(
      'PROTOCOL',
      `get ${describeUrl(url)}: redirects to ${describeUrl(next)}, which is not encrypted`,
      {
        hint: `if that is meant, name it: ${describeUrl(next)}`,
      },
    );
  }
  next.username = '';
  next.password = '';
  next.hash = '';
  return next;
}

/** What a failed request or a failed body means. */
export function requestError(error: Error, what: string): XferError {
  const code = systemCode(error) ?? '';
  if (error instanceof XferError) return error;
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new XferError('PROTOCOL', `${what}: its headers have no end`, { cause: error });
  }
  if (code.startsWith('HPE_')) {
    return new XferError('PROTOCOL', `${what}: the answer is not HTTP (${code})`, { cause: error });
  }
  if (/CERT|UNABLE_TO_VERIFY/.test(code)) {
    return new XferError('DENIED', `${what}: its certificate is not trusted (${code})`, {
      cause: error,
      hint: 'where you know whose it is: --pin with the pin that its server printed, or --cacert with the file of its issuer',
    });
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) {
    return new XferError('PROTOCOL', `${what}: no TLS is spoken there`, { cause: error, hint: 'try http://' });
  }
  return toXferError(error, what);
}
