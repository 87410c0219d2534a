/** Opens what a person typed, or a Location, on the transport of its scheme. */
import { XferError } from './errors.js';
import { checkPort, describeLocation, type Location, parseLocation } from './location.js';
import { checkKinds, type Kinds, oneOf } from './option-rules.js';
import { loadTransport } from './registry.js';
import type { Listener, ListenOptions, OpenOptions, Scope, Sink, Source, Transport } from './transport.js';
import type { HttpOptions } from './transports/http/index.js';
import type { HttpListenOptions } from './transports/http/listen/options.js';
import type { SshListenOptions } from './transports/ssh/listen/index.js';
import type { SshOptions } from './transports/ssh/ssh-options.js';
import type { TcpSinkOptions } from './transports/tcp/index.js';
import type { TcpListenOptions } from './transports/tcp/listen/index.js';

/** What any of the transports understands when it opens a location, as `headers` for HTTP; each reads its own of it. */
export interface LocationOptions extends HttpOptions, SshOptions, TcpSinkOptions {}

/** What the listener of each scheme understands. */
export interface ListenOptionsByScheme {
  readonly http: HttpListenOptions;
  readonly https: HttpListenOptions;
  readonly sftp: SshListenOptions;
  readonly tcp: TcpListenOptions;
}

/** What is not in `Options` is a compile error: they are never taken from what is given, but named where they are others. */
type WithOptions<Options> = NoInfer<Options> & OpenOptions;

function unlimited(): Scope {
  return { signal: new AbortController().signal };
}

const KINDS: Kinds<OpenOptions> = { links: oneOf('follow', 'keep', 'skip') };

/** USAGE for no location, for a port that is none, and for an option that no transport could follow. */
async function located(
  where: string | Location,
  options: OpenOptions,
): Promise<{ location: Location; transport: Transport }> {
  const location = typeof where === 'string' ? parseLocation(where) : where;
  checkKinds('open', options, KINDS);
  if (location.port !== undefined) checkPort(location.port, true);
  return { location, transport: await loadTransport(location.scheme) };
}

/** A source to read from; the caller closes it. USAGE for no location, UNSUPPORTED where its transport cannot be read. */
export async function openSource<Options extends object = LocationOptions>(
  where: string | Location,
  options: WithOptions<Options> = {} as WithOptions<Options>,
  scope: Scope = unlimited(),
): Promise<Source> {
  const { location, transport } = await located(where, options);
  if (transport.openSource) return transport.openSource(location, options, scope);
  throw new XferError('UNSUPPORTED', `read ${describeLocation(location)}: ${transport.scheme} can only be written to`);
}

/**
 * The sources that a location stands for: what its pattern matches, in byte order, where its transport has patterns; else
 * the location itself. Rejects as the transport does when it connects.
 */
export async function expandLocation<Options extends object = LocationOptions>(
  where: string | Location,
  options: WithOptions<Options> = {} as WithOptions<Options>,
  scope: Scope = unlimited(),
): Promise<readonly Location[]> {
  const { location, transport } = await located(where, options);
  return (await transport.expand?.(location, options, scope)) ?? [location];
}

/** A sink to write to; the caller closes it. USAGE for no location, UNSUPPORTED where its transport cannot be written. */
export async function openSink<Options extends object = LocationOptions>(
  where: string | Location,
  options: WithOptions<Options> = {} as WithOptions<Options>,
  scope: Scope = unlimited(),
): Promise<Sink> {
  const { location, transport } = await located(where, options);
  if (transport.openSink) return transport.openSink(location, options, scope);
  throw new XferError('UNSUPPORTED', `write ${describeLocation(location)}: ${transport.scheme} can only be read from`);
}

/**
 * Starts a listener of a scheme; the caller closes it. USAGE for a port that is none, UNSUPPORTED where its transport has
 * none. The options of a scheme that is not known to the compiler are named: `listen<MyOptions>(scheme, …)`.
 */
export function listen<Scheme extends keyof ListenOptionsByScheme>(
  scheme: Scheme,
  options: ListenOptionsByScheme[Scheme],
  scope?: Scope,
): Promise<Listener>;
export function listen<Options extends object = ListenOptions>(
  scheme: string,
  options: NoInfer<Options> & ListenOptions,
  scope?: Scope,
): Promise<Listener>;
export async function listen(scheme: string, options: ListenOptions, scope: Scope = unlimited()): Promise<Listener> {
  checkPort(options.port, true);
  const transport = await loadTransport(scheme);
  if (transport.listen) return transport.listen(options, scope);
  throw new XferError('UNSUPPORTED', `listen ${scheme}: this transport cannot be served`);
}
