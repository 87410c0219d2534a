/** Files over HTTP and HTTPS: the client's side here, the server's in `listen/`. */
import { timerMs } from '../../concurrency/longest-timer.js';
import { XferError } from '../../errors.js';
import { describeLocation, type Location } from '../../location.js';
import type { OpenOptions, Scope, Sink, Source, Transport } from '../../transport.js';
import { parseCertificates, usualAuthorities } from './certificates.js';
import { checkHttpOptions } from './check-options.js';
import { parseCookies } from './client/cookies.js';
import { describeUrl } from './client/describe-url.js';
import { parseFields } from './client/fields.js';
import { parseNetrc } from './client/netrc.js';
import type { ProxySettings } from './client/proxies.js';
import { basicLogin, type ClientSettings, HttpClient } from './client/request.js';
import { percentBytes } from './content-disposition.js';
import { openHttpSource } from './get/open-file.js';
import { openHttpTree } from './get/tree.js';
import { parsePin } from './pins.js';

export interface HttpOptions extends OpenOptions {
  /** `Name: value` lines, or an object. Sent to the origin that was named, and not to one that it redirects to. */
  readonly headers?: readonly string[] | Readonly<Record<string, string>>;
  /** How long nothing may come before TIMED_OUT; 60 s where absent. */
  readonly idleTimeoutMs?: number;
  /** How long a connection may take before UNREACHABLE; 30 s where absent. */
  readonly connectTimeoutMs?: number;
  /** Redirects that are followed before PROTOCOL; 20 where absent. */
  readonly maxRedirects?: number;
  readonly userAgent?: string;
  /**
   * SHA-256 digests, as `sha256//` and base64 or in hex, of the keys or certificates that the origin that was named may
   * have: one of them decides, in place of authorities, names and dates. Other origins are checked as ever.
   */
  readonly pins?: readonly string[];
  /** Certificates of further authorities to trust, in PEM. */
  readonly ca?: readonly string[];
  /** `user:password`, or `user` alone to be asked, for the origin that was named; in place of a login in the URL. */
  readonly auth?: string;
  /** Text of a netrc: logins of hosts, where nothing else gives one. */
  readonly netrc?: string;
  /** Text of a file of cookies in Netscape's format. With it, cookies that answers set are sent back during the run. */
  readonly cookies?: NamedText;
  /** None where absent: what the environment says is for a command line to read. */
  readonly proxies?: ProxySettings;
  /** What lists a folder is opened as a tree: the same host, and nothing above or beside it. */
  readonly recursive?: boolean;
  /** Such a tree has no name of its own: what is in it goes into the target itself. */
  readonly nameless?: boolean;
  /** Of a target: what has a name already is replaced, as is so where this is absent. */
  readonly replace?: boolean;
  /** Of a target: most bytes of one request, for proxies that take no more. */
  readonly chunkBytes?: number;
  /** Of a target: directory of this machine where it is kept where broken-off uploads go on. Absent, or not to be written: not beyond this process. */
  readonly uploadNotesDirectory?: string;
  /** It is one of several sources, whose turn may come late: a long body is not left to wait for it. */
  readonly oneOfMany?: boolean;
  /** What comes encoded though it was not asked for is kept so; else only under a name that says it, as in `a.gz`. */
  readonly keepsEncoded?: boolean;
  /** The server is asked for a digest of what it sends. */
  readonly asksDigest?: boolean;
}

/** What was read from a file, and what the file is called in messages. */
export interface NamedText {
  readonly text: string;
  readonly file: string;
}

async function openSource(location: Location, options: HttpOptions, scope: Scope): Promise<Source> {
  const open = options.recursive ? openHttpTree : openHttpSource;
  const { asksDigest = false, nameless = false, keepsEncoded = false, oneOfMany = false } = options;
  const terms = { asksDigest, nameless, keepsEncoded, oneOfMany };
  return connected(
    location,
    options,
    scope,
    (client, url): Promise<Source> => open(client, url, scope, options.onNotice, terms),
  );
}

async function openSink(location: Location, options: HttpOptions, scope: Scope): Promise<Sink> {
  const { openHttpSink } = await import('./put/sink.js');
  const { replace = true, chunkBytes, uploadNotesDirectory: notesDirectory } = options;
  const terms = { replace, chunkBytes, notesDirectory };
  return connected(location, options, scope, (client, url) => openHttpSink(client, url, scope, terms));
}

/** What `open` makes of a client for the location, which is closed where that fails. */
async function connected<End>(
  location: Location,
  options: HttpOptions,
  scope: Scope,
  open: (client: HttpClient, url: URL) => Promise<End>,
): Promise<End> {
  scope.signal.throwIfAborted();
  checkHttpOptions(options);
  const given = locationUrl(location);
  const fields = parseFields(options.headers);
  const trust = trustOf(given, options);
  const login = 'authorization' in fields ? undefined : await loginField(given, location, options, scope);
  const client = new HttpClient({
    fields: login === undefined ? fields : { ...fields, authorization: login },
    userAgent: options.userAgent ?? 'xfer',
    connectTimeoutMs: timerMs('connectTimeoutMs', options.connectTimeoutMs ?? 30_000),
    idleTimeoutMs: timerMs('idleTimeoutMs', options.idleTimeoutMs ?? 60_000),
    maxRedirects: options.maxRedirects ?? 20,
    ...trust,
    ...(options.netrc !== undefined ? { netrc: parseNetrc(options.netrc) } : {}),
    ...(options.cookies ? { cookies: parseCookies(options.cookies.text, options.cookies.file) } : {}),
    ...(options.proxies ? { proxies: options.proxies } : {}),
  });
  try {
    return await open(client, withoutLogin(given));
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

/** Basic credentials, the password asked for where there is a user alone and somebody to ask. */
async function loginField(
  url: URL,
  location: Location,
  options: HttpOptions,
  scope: Scope,
): Promise<string | undefined> {
  const { auth } = options;
  const colon = auth?.indexOf(':') ?? -1;
  if (auth === undefined && url.username === '' && url.password === '') return undefined;
  const user = auth === undefined ? percentBytes(url.username) : auth.slice(0, colon < 0 ? undefined : colon);
  const typed = auth === undefined ? percentBytes(url.password) : colon < 0 ? '' : auth.slice(colon + 1);
  const isGiven = auth === undefined ? /^[^/]*\/\/[^/@]*:@/.test(location.url ?? '') || typed.length > 0 : colon >= 0;
  const ask = isGiven ? undefined : options.prompt;
  if (!ask) return basicLogin(user, typed);
  const answer = await ask.secret(`Password of ${user.toString()} on ${url.origin}: `, scope);
  if (answer !== undefined) return basicLogin(user, answer);
  throw new XferError('DENIED', `log in to ${describeLocation(location)}: no password was given`, {
    hint: 'type it when asked, or keep it in ~/.netrc',
  });
}

export const transport: Transport = {
  scheme: 'http',
  aliases: ['https'],
  summary: 'files behind a URL, and a file server for browsers and every HTTP client',
  defaultPort: 80,
  openSource,
  openSink,
  listen: async (options, scope) => (await import('./listen/index.js')).listen(options, scope),
};
