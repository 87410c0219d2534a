/** Files over HTTP and HTTPS: the client's side here, the server's in `listen/`. */
import { XferError } from '../../errors.js';
import { describeLocation, type Location } from '../../location.js';
import { LONGEST_TIMER_MS } from '../../longest-timer.js';
import type { OpenOptions, Scope, Source, Transport } from '../../transport.js';
import { parseCertificates, usualAuthorities } from './certificates.js';
import { percentBytes } from './content-disposition.js';
import { parsePin } from './pins.js';
import { type ClientSettings, describeUrl, HttpClient, parseFields } from './request.js';
import { openHttpSource } from './source.js';

export interface HttpOptions extends OpenOptions {
  /** `Name: value` lines, or an object. Sent to the origin that was named, and not to one that it redirects to. */
  readonly headers?: readonly string[] | Readonly<Record<string, string>>;
  /** How long nothing may come before TIMED_OUT; 60 s where absent. */
  readonly idleTimeoutMs?: number;
  /** How long a connection may take before TIMED_OUT; 30 s where absent. */
  readonly connectTimeoutMs?: number;
  /** Redirects that are followed before PROTOCOL; 20 where absent. */
  readonly maxRedirects?: number;
  readonly userAgent?: string;
  /**
   * SHA-256 digests, as `parsePin` takes them, of the keys or certificates that the origin that was named may have: one of
   * them decides, in place of authorities, names and dates. Other origins are checked as ever.
   */
  readonly pins?: readonly string[];
  /** Certificates of further authorities to trust, in PEM. */
  readonly ca?: readonly string[];
}

async function openSource(location: Location, options: HttpOptions, scope: Scope): Promise<Source> {
  scope.signal.throwIfAborted();
  const given = locationUrl(location);
  const fields = parseFields(options.headers);
  const trust = trustOf(given, options);
  const login = 'authorization' in fields ? undefined : await loginField(given, location, options, scope);
  const client = new HttpClient({
    fields: login === undefined ? fields : { ...fields, authorization: login },
    userAgent: options.userAgent ?? 'xfer',
    connectTimeoutMs: Math.min(options.connectTimeoutMs ?? 30_000, LONGEST_TIMER_MS),
    idleTimeoutMs: Math.min(options.idleTimeoutMs ?? 60_000, LONGEST_TIMER_MS),
    maxRedirects: options.maxRedirects ?? 20,
    ...trust,
  });
  try {
    return await openHttpSource(client, withoutLogin(given), scope, options.onNotice);
  } catch (error) {
    client.close();
    throw error;
  }
}

/** USAGE for what is no pin or no certificate, and for a pin where nothing is encrypted. */
function trustOf(url: URL, { pins = [], ca = [] }: HttpOptions): Pick<ClientSettings, 'pins' | 'authorities'> {
  if (pins.length > 0 && url.protocol !== 'https:') {
    throw new XferError('USAGE', `get ${describeUrl(url)}: a pin says nothing of an address without encryption`, {
      hint: `name it by https: ${describeUrl(url).replace(/^http:/, 'https:')}`,
    });
  }
  const added = ca.flatMap((text) => parseCertificates(text, 'certificates of authorities')).map(String);
  return {
    pins: pins.map(parsePin),
    ...(added.length > 0 ? { authorities: [...usualAuthorities(), ...added] } : {}),
  };
}

/** The URL of a location. USAGE where it has none. */
function locationUrl(location: Location): URL {
  const bare = location.host?.includes(':') ? `[${location.host}]` : location.host;
  const port = location.port === undefined ? '' : `:${location.port}`;
  const text = location.url ?? `${location.scheme}://${bare}${port}/${location.path.replace(/^\//, '')}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol)) return url;
  throw new XferError('USAGE', `location ${describeLocation(location)}: not a web address`);
}

function withoutLogin(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  bare.hash = '';
  return bare;
}

/** Basic credentials (RFC 7617) of a URL, the password asked for where there is a user alone and somebody to ask. */
async function loginField(
  url: URL,
  location: Location,
  options: OpenOptions,
  scope: Scope,
): Promise<string | undefined> {
  if (url.username === '' && url.password === '') return undefined;
  const user = percentBytes(url.username);
  const typed = percentBytes(url.password);
  const ask = url.password === '' && !/^[^/]*\/\/[^/@]*:@/.test(location.url ?? '') ? options.prompt : undefined;
  if (!ask) return basic(user, typed);
  const answer = await ask.secret(`Password of ${location.user} on ${url.origin}: `, scope);
  if (answer !== undefined) return basic(user, Buffer.from(answer, 'utf8'));
  throw new XferError('DENIED', `get ${describeLocation(location)}: no password was given`);
}

function basic(user: Buffer, password: Buffer): string {
  return `Basic ${Buffer.concat([user, Buffer.from(':'), password]).toString('base64')}`;
}

export const transport: Transport = {
  scheme: 'http',
  aliases: ['https'],
  summary: 'files behind a URL, and a file server for browsers and every HTTP client',
  defaultPort: 80,
  openSource,
  listen: async (options, scope) => (await import('./listen/index.js')).listen(options, scope),
};
