/** `xfer serve` over HTTP. */
import { XferError } from '../../errors.js';
import { printable } from '../../names.js';
import { listen, openSource } from '../../open.js';
import type { Listener, Source } from '../../transport.js';
import { type AccessRecord, formatAccess } from '../../transports/http/listen/log/access-log.js';
import type { HttpListenOptions } from '../../transports/http/listen/options.js';
import { RULES_NAME } from '../../transports/http/listen/site/rules.js';
import { encodeName } from '../../transports/http/listen/target.js';
import type { ServeOperands } from '../commands/serve.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { jsonLine } from '../render/json.js';
import { openReport } from '../run-copy.js';
import type { Surroundings } from '../surroundings.js';
import { untilStopped } from '../until-stopped.js';
import { whatIsRun } from './cgi.js';
import { whatSiteItIs } from './site.js';

/** Shares until a signal asks for the end. USAGE and UNSUPPORTED for options that do not fit; the listener's errors. */
export async function serveHttp(
  { directory, port }: ServeOperands,
  parsed: ParsedArguments,
  around: Surroundings,
): Promise<void> {
  checkHttp(parsed);
  const report = await openReport(parsed, around);
  const json = parsed.flag('json');
  const share = await openSource({ scheme: 'file', path: directory }, {}, { signal: around.signal });
  try {
    // Its own signal: an abort would cut the transfers that the grace lets end.
    const listener = await listen<Partial<HttpListenOptions>>('http', {
      share,
      port,
      onNotice: report.onNotice,
      ...whatIsShown(parsed),
      ...whatSiteItIs(parsed),
      ...whatIsRun(parsed),
      ...whereItListens(parsed),
      ...whatIsLogged(parsed, around),
    });
    announce(listener, await exampleFile(share, parsed.flag('hidden'), around), json, around);
    await untilStopped(listener, around.signal);
  } finally {
    await share.close();
  }
}

/** What is asked for and not done would be taken for done. */
function checkHttp(parsed: ParsedArguments): void {
  const given = [parsed.flag('upload') && 'upload', parsed.list('auth').length > 0 && 'auth'];
  const texts = (['auth-file', 'authorized-keys'] as const).map((name) => parsed.text(name) !== undefined && name);
  const name = [...given, ...texts].find((each) => each !== false);
  if (!name) return;
  throw new XferError('UNSUPPORTED', `option --${name}: not over HTTP in this version`, { hint: 'add --sftp' });
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

function announce(listener: Listener, file: string, json: boolean, around: Surroundings): void {
  const { urls, address } = listener;
  if (json) {
    around.stdout.write(jsonLine({ type: 'listening', ...address, urls }));
    return;
  }
  const lines = urls.map((url) => `serving on ${printable(url)}`);
  const [url] = urls;
  if (url !== undefined) lines.push(`download with: xfer get ${printable(new URL(file, url).href)}`);
  around.stdout.write(`${lines.join('\n')}\n`);
}

/** A file to download, percent-encoded, so that the printed line works as it is; `FILE` where the root holds none. */
async function exampleFile(share: Source, hidden: boolean, around: Surroundings): Promise<string> {
  const scope = { signal: around.signal };
  const root = await share.stat?.('', scope);
  if (root?.kind === 'file') return encodeName(share.name);
  for await (const entry of share.list?.('', scope) ?? []) {
    if (entry.path === RULES_NAME) continue;
    if (entry.kind === 'file' && (hidden || !entry.path.startsWith('.'))) return encodeName(entry.path);
  }
  return 'FILE';
}
