/** `xfer serve` over HTTP. */
import { hostname } from 'node:os';
import { listen } from '../../open.js';
import type { Listener, Source } from '../../transport.js';
import type { AccessOptions } from '../../transports/http/listen/access/options.js';
import { Prefix } from '../../transports/http/listen/access/prefix.js';
import type { HttpListenOptions } from '../../transports/http/listen/options.js';
import type { ServeOperands } from '../commands/serve.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { parseRate } from '../render/format.js';
import { jsonLine } from '../render/json.js';
import type { Surroundings } from '../surroundings.js';
import { untilStopped } from '../until-stopped.js';
import { plainPasswordNotice, whoMayDoWhat } from './access.js';
import { addressLines, listeningRecord, uploadLines } from './announce.js';
import { whatIsRun } from './cgi.js';
import { exampleFile } from './example-file.js';
import { whatIsLogged } from './log.js';
import { refuseOptions } from './refuse-options.js';
import { openScreen, type Screen } from './screen.js';
import { openShare } from './share.js';
import { showPage } from './show-page.js';
import { whatSiteItIs } from './site.js';
import { type ServedTls, tlsOf } from './tls.js';
import { openToAllNotice, type Received, whatIsReceived } from './upload.js';
import { typedBeforePort, whereItListens } from './where.js';

/** Shares until a signal asks for the end. USAGE and UNSUPPORTED for options that do not fit; the listener's errors. */
export async function serveHttp(operands: ServeOperands, parsed: ParsedArguments, around: Surroundings): Promise<void> {
  refuseOptions(parsed, ['authorized-keys'], 'over HTTP', 'add --sftp');
  const access = await whoMayDoWhat(parsed, around);
  const where = whereItListens(operands, parsed, around);
  const screen = await openScreen(parsed, around);
  const tls = await tlsOf(parsed, around, screen.report);
  const share = await openShare(operands.paths, parsed.text('name'), { signal: around.signal });
  let received: Received | undefined;
  try {
    received = await whatIsReceived(operands.paths, parsed, around);
    // Its own signal: an abort would cut the transfers that the grace lets end.
    const listener = await listen<Partial<HttpListenOptions>>('http', {
      share,
      onNotice: screen.report.onNotice,
      ...where,
      example: typedBeforePort(operands, parsed),
      ...access,
      ...whatIsShown(parsed),
      ...whatSiteItIs(parsed),
      ...whatIsRun(parsed),
      ...howFast(parsed),
      ...howAnnounced(parsed),
      ...received?.options,
      ...whatIsLogged(parsed, screen.log),
      ...tls?.options,
    });
    await sayWhereItIs(listener, { share, access, tls, received }, parsed, around, screen);
    await showPage(listener, parsed, around, screen.report);
    screen.watch(listener);
    await untilStopped(listener, around.signal, screen.report);
  } finally {
    screen.end();
    await received?.sink.close();
    await share.close();
  }
}

interface Served {
  readonly share: Source;
  readonly access: AccessOptions;
  readonly tls: ServedTls | undefined;
  readonly received: Received | undefined;
}

/** The addresses, how to download from them, and what a person should know of them; as JSON where that is asked for. */
async function sayWhereItIs(
  listener: Listener,
  { share, access, tls, received }: Served,
  parsed: ParsedArguments,
  around: Surroundings,
  { log, report }: Screen,
): Promise<void> {
  const { below } = new Prefix(access.basePath, access.token);
  if (parsed.flag('json')) around.stdout.write(jsonLine(listeningRecord(listener, below, tls)));
  else {
    const only = received?.options.upload.only === true;
    const file = only ? undefined : await exampleFile(share, parsed, { signal: around.signal });
    const [first] = access.accounts ?? [];
    const user = access.loginFor === 'everything' ? first?.user : undefined;
    for (const line of addressLines(listener, { file, below, user, tls })) log(line);
    const uploader = received && { below, user: first?.user, tls };
    for (const line of uploader ? uploadLines(listener, uploader) : []) log(line);
  }
  for (const notice of [plainPasswordNotice(access, listener.urls), received && openToAllNotice(access)]) {
    if (notice !== undefined) report.onNotice(notice);
  }
}

function whatIsShown(parsed: ParsedArguments): Partial<HttpListenOptions> {
  return { hidden: parsed.flag('hidden'), metrics: parsed.flag('metrics') };
}

/** Under the first part of this machine's name. */
function howAnnounced(parsed: ParsedArguments): Partial<HttpListenOptions> {
  if (!parsed.flag('mdns')) return {};
  const host =
    hostname()
      .split('.', 1)[0]
      ?.replace(/[^a-z0-9-]/gi, '-') || 'xfer';
  return { mdns: { name: `xfer on ${host}`, host } };
}

/** USAGE for what is no rate. */
function howFast(parsed: ParsedArguments): Partial<HttpListenOptions> {
  const [all, client] = [parsed.text('limit'), parsed.text('limit-client')];
  return {
    ...(all === undefined ? {} : { limitBytesPerSecond: parseRate('limit', all) }),
    ...(client === undefined ? {} : { limitClientBytesPerSecond: parseRate('limit-client', client) }),
  };
}
