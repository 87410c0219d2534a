/** Opens what a person typed, or a Location, on the transport of its scheme. */
import { XferError } from './errors.js';
import { checkPort, describeLocation, type Location, parseLocation } from './location.js';
import { loadTransport } from './registry.js';
import type { Listener, ListenOptions, OpenOptions, Scope, Sink, Source, Transport } from './transport.js';

/** What a transport adds to the options goes along with them, as in `headers` for HTTP. */
type WithOptions<Options> = Options & OpenOptions;

function unlimited(): Scope {
  return { signal: new AbortController().signal };
}

/** USAGE for no location, and for a port that is none. */
async function located(where: string | Location): Promise<{ location: Location; transport: Transport }> {
  const location = typeof where === 'string' ? parseLocation(where) : where;
  if (location.port !== undefined) checkPort(location.port, true);
  return { location, transport: await loadTransport(location.scheme) };
}

/** A source to read from; the caller closes it. USAGE for no location, UNSUPPORTED where its transport cannot be read. */
export async function openSource<Options extends object>(
  where: string | Location,
  options: WithOptions<Options> = {} as WithOptions<Options>,
  scope: Scope = unlimited(),
): Promise<Source> {
  const { location, transport } = await located(where);
  if (transport.openSource) return transport.openSource(location, options, scope);
  throw new XferError('UNSUPPORTED', `read ${describeLocation(location)}: ${transport.scheme} can only be written to`);
}

/**
 * The sources that a location stands for: what its pattern matches, in byte order, where its transport has patterns; else
 * the location itself. Rejects as the transport does when it connects.
 */
export async function expandLocation<Options extends object>(
  where: string | Location,
  options: WithOptions<Options> = {} as WithOptions<Options>,
  scope: Scope = unlimited(),
): Promise<readonly Location[]> {
  const { location, transport } = await located(where);
  return (await transport.expand?.(location, options, scope)) ?? [location];
}

/** A sink to write to; the caller closes it. USAGE for no location, UNSUPPORTED where its transport cannot be written. */
export async function openSink<Options extends object>(
  where: string | Location,
  options: WithOptions<Options> = {} as WithOptions<Options>,
  scope: Scope = unlimited(),
): Promise<Sink> {
  const { location, transport } = await located(where);
  if (transport.openSink) return transport.openSink(location, options, scope);
  throw new XferError('UNSUPPORTED', `write ${describeLocation(location)}: ${transport.scheme} can only be read from`);
}

/** Starts a listener of a scheme; the caller closes it. USAGE for a port that is none, UNSUPPORTED where its transport has none. */
export async function listen<Options extends object>(
  scheme: string,
  options: Options & ListenOptions,
  scope: Scope = unlimited(),
): Promise<Listener> {
  checkPort(options.port, true);
  const transport = await loadTransport(scheme);
  if (transport.listen) return transport.listen(options, scope);
  throw new XferError('UNSUPPORTED', `listen ${scheme}: this transport cannot be served`);
}
