/** `xfer serve` over HTTP. */
import { printable } from '../../names.js';
import { listen, openSource } from '../../open.js';
import type { Listener, Source } from '../../transport.js';
import { type AccessRecord, formatAccess } from '../../transports/http/listen/log/access-log.js';
import type { HttpListenOptions } from '../../transports/http/listen/options.js';
import { encodeName } from '../../transports/http/listen/target.js';
import type { ServeOperands } from '../commands/serve.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { jsonLine } from '../render/json.js';
import { openReport } from '../run-copy.js';
import type { Surroundings } from '../surroundings.js';
import { untilStopped } from '../until-stopped.js';
import { plainPasswordNotice, whoMayDoWhat } from './access.js';
import { refuseOptions } from './refuse-options.js';

/** Shares until a signal asks for the end. USAGE and UNSUPPORTED for options that do not fit; the listener's errors. */
export async function serveHttp(
  { directory, port }: ServeOperands,
  parsed: ParsedArguments,
  around: Surroundings,
): Promise<void> {
  refuseOptions(parsed, ['upload', 'authorized-keys'], 'over HTTP in this version', 'add --sftp');
  const access = await whoMayDoWhat(parsed, around);
  const report = await openReport(parsed, around);
  const json = parsed.flag('json');
  const share = await openSource({ scheme: 'file', path: directory }, {}, { signal: around.signal });
  try {
    // Its own signal: an abort would cut the transfers that the grace lets end.
    const listener = await listen<Partial<HttpListenOptions>>('http', {
      share,
      port,
      onNotice: report.onNotice,
      ...access,
      ...whatIsShown(parsed),
      ...whereItListens(parsed),
      ...whatIsLogged(parsed, around),
    });
    const file = await exampleFile(share, parsed.flag('hidden'), around);
    const user = access.loginFor === 'everything' ? access.accounts?.[0]?.user : undefined;
    announce({ listener, file, user }, json, around);
    const notice = plainPasswordNotice(access, listener.urls);
    if (notice !== undefined) report.onNotice(notice);
    await untilStopped(listener, around.signal);
  } finally {
    await share.close();
  }
}

function whatIsShown(parsed: ParsedArguments): Partial<HttpListenOptions> {
  return { hidden: parsed.flag('hidden') };
}

function whereItListens(parsed: ParsedArguments): Partial<HttpListenOptions> {
  const hosts = parsed.list('bind');
  return hosts.length > 0 ? { hosts } : {};
}

function whatIsLogged(parsed: ParsedArguments, around: Surroundings): Partial<HttpListenOptions> {
  const json = parsed.flag('json');
  if (!json && parsed.flag('quiet')) return {};
  const onRequest = (record: AccessRecord): void => {
    around.stdout.write(json ? jsonLine({ type: 'request', ...record }) : `${formatAccess(record)}\n`);
  };
  return { onRequest };
}

interface Served {
  readonly listener: Listener;
  /** To download, percent-encoded. */
  readonly file: string;
  /** Who has to log in for that. */
  readonly user: string | undefined;
}

function announce({ listener, file, user }: Served, json: boolean, around: Surroundings): void {
  const { urls, address } = listener;
  if (json) {
    around.stdout.write(jsonLine({ type: 'listening', ...address, urls }));
    return;
  }
  const lines = urls.map((url) => `serving on ${printable(url)}`);
  const [url] = urls;
  if (url !== undefined) {
    const { href } = new URL(file, url);
    // With the name alone, so that it is asked for the password.
    const typed = user === undefined ? href : href.replace('://', `://${encodeName(user)}@`);
    lines.push(`download with: xfer get ${printable(typed)}`);
  }
  around.stdout.write(`${lines.join('\n')}\n`);
}

/** A file to download, percent-encoded, so that the printed line works as it is; `FILE` where the root holds none. */
async function exampleFile(share: Source, hidden: boolean, around: Surroundings): Promise<string> {
  const scope = { signal: around.signal };
  const root = await share.stat?.('', scope);
  if (root?.kind === 'file') return encodeName(share.name);
  for await (const entry of share.list?.('', scope) ?? []) {
    if (entry.kind === 'file' && (hidden || !entry.path.startsWith('.'))) return encodeName(entry.path);
  }
  return 'FILE';
}
