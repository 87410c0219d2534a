/** `-k`: one client after another, or all at once, until stopped. */
import { XferError } from '../../errors.js';
import { describeLocation, type Location } from '../../location.js';
import { openSink, openSource } from '../../open.js';
import type { Sink, Source } from '../../transport.js';
import { type ClientResult, listen, type TcpListenOptions } from '../../transports/tcp/listen/index.js';
import type { TcpOptions } from '../../transports/tcp/options.js';
import { addressOf } from '../../transports/tcp/raw.js';
import { copyOptions } from '../copy-options.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import type { Report } from '../render/report.js';
import { openReport } from '../run-copy.js';
import type { Surroundings } from '../surroundings.js';
import { untilStopped } from '../until-stopped.js';
import { isPassedTold, passedLine, passedRecord } from './passed.js';
import { describeAddress, tcpOptions } from './tcp-options.js';

/** Gives each client the same file. USAGE for standard input, which can be read once. */
export async function sendToMany(
  from: Location,
  at: Location,
  parsed: ParsedArguments,
  around: Surroundings,
): Promise<void> {
  if (from.scheme === 'stdio') {
    throw new XferError('USAGE', 'send -k of standard input: it can be read only once', { hint: 'name a file' });
  }
  const share = await openSource(from, {}, { signal: around.signal });
  await serve('sent', { share }, at, parsed, around);
}

/** Takes a file from each client into a directory, or all into standard output, one after the other. */
export async function receiveFromMany(
  at: Location,
  to: Location,
  parsed: ParsedArguments,
  around: Surroundings,
): Promise<void> {
  const receive = await openSink(to, {}, { signal: around.signal });
  if (to.scheme === 'file') {
    const there = await receive.stat('', { signal: around.signal });
    const what = `recv -k to ${describeLocation(to)}`;
    if (!there) {
      throw new XferError('NOT_FOUND', `${what}: no such directory`, { hint: 'make the directory first' });
    }
    if (there.kind !== 'directory') {
      throw new XferError('EXISTS', `${what}: not a directory`, { hint: 'name a directory: --output-dir DIRECTORY' });
    }
  }
  await serve('received', { receive }, at, parsed, around);
}

type Ends = { readonly share: Source } | { readonly receive: Sink };

async function serve(
  what: 'sent' | 'received',
  ends: Ends,
  at: Location,
  parsed: ParsedArguments,
  around: Surroundings,
): Promise<void> {
  const report = await openReport(parsed, around);
  const told = tcpOptions(parsed, report, what === 'sent' ? 'send' : 'recv');
  const { limitBytesPerSecond } = copyOptions(parsed);
  const { onConnection: _perClient, ...options } = told;
  const listenOptions: TcpListenOptions = {
    ...options,
    ...ends,
    ...placeOf(at),
    ...(limitBytesPerSecond === undefined ? {} : { limitBytesPerSecond }),
    digests: isPassedTold(parsed),
    onNotice: report.onNotice,
    onClient: (result) => tellClient(what, result, told, report),
  };
  try {
    // Its own signal: an abort would cut the clients that the grace lets end.
    const listener = await listen(listenOptions, { signal: new AbortController().signal });
    await untilStopped(listener, around.signal, report);
  } finally {
    await ('share' in ends ? ends.share : ends.receive).close();
  }
}

function placeOf(at: Location): Pick<TcpListenOptions, 'hosts' | 'port'> {
  const { host, port, path } = addressOf(at);
  if (path !== undefined) return { hosts: [`unix:${path}`], port };
  return { port, ...(host === '' ? {} : { hosts: [host] }) };
}

function tellClient(
  what: 'sent' | 'received',
  { peer, name, passed, error }: ClientResult,
  options: TcpOptions,
  report: Report,
): void {
  const from = describeAddress(peer);
  if (error) {
    report.fail({ path: from, error });
    return;
  }
  if (!passed) return;
  const record = { ...passedRecord(what, passed, options), peer: from, ...(name === undefined ? {} : { name }) };
  report.tell(`${name ?? from}: ${passedLine(what, passed, options)}`, record);
}
