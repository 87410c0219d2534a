/** `xfer serve`: shares a directory over HTTP, or with `--sftp` over SFTP. */
import { XferError } from '../../errors.js';
import { parsePort } from '../../location.js';
import { printable } from '../../names.js';
import { listen, openSource } from '../../open.js';
import type { Listener, Source } from '../../transport.js';
import { encodeName } from '../../transports/http/listen/target.js';
import type { Command } from '../command.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { jsonLine } from '../render/json.js';
import { openReport } from '../run-copy.js';
import type { Surroundings } from '../surroundings.js';
import { untilStopped } from '../until-stopped.js';

const DEFAULT_PORT = 8000;
const SFTP_PORT = 2222;

export const command: Command = {
  name: 'serve',
  summary: 'Share a directory over HTTP with browsers, curl, wget and xfer get, or over SFTP.',
  usage: '[options] [directory] [port]',
  examples: [
    ['xfer serve', 'this directory, on port 8000'],
    ['xfer serve photos 8080', 'another directory, on another port'],
    ['xfer serve --sftp --upload inbox', 'over SFTP, on port 2222, where others may put files too'],
  ],
  operands: [0, 2],
  missing: { message: 'serve: a directory is needed', hint: 'xfer serve .' },
  run,
};

/** What to share and where, from operands in either order. USAGE where they do not fit. */
export function parseServeOperands(parsed: ParsedArguments): { directory: string; port: number } {
  const option = parsed.text('port');
  const [first, second] = parsed.operands;
  const digits = /^[0-9]+$/;
  const portFirst = first !== undefined && digits.test(first) && (second === undefined || !digits.test(second));
  const port = portFirst ? first : second;
  const directory = (portFirst ? second : first) ?? '.';
  if (port !== undefined && option !== undefined) {
    throw new XferError('USAGE', `serve: the port is given twice, as ${port} and ${option}`);
  }
  const typed = port ?? option;
  const usual = parsed.flag('sftp') ? SFTP_PORT : DEFAULT_PORT;
  return { directory, port: typed === undefined ? usual : parsePort(typed, true) };
}

async function run(parsed: ParsedArguments, around: Surroundings): Promise<void> {
  const { directory, port } = parseServeOperands(parsed);
  if (parsed.flag('sftp')) {
    const { serveSftp } = await import('./serve-sftp.js');
    return serveSftp({ directory, port }, parsed, around);
  }
  checkHttp(parsed);
  const { formatAccess } = await import('../../transports/http/listen/access-log.js');
  const report = await openReport(parsed, around);
  const hosts = parsed.list('bind');
  const json = parsed.flag('json');
  const share = await openSource({ scheme: 'file', path: directory }, {}, { signal: around.signal });
  try {
    // Its own signal: an abort would cut the transfers that the grace lets end.
    const listener = await listen('http', {
      share,
      port,
      hidden: parsed.flag('hidden'),
      onNotice: report.onNotice,
      onRequest: (record: Parameters<typeof formatAccess>[0]) => {
        if (json) around.stdout.write(jsonLine({ type: 'request', ...record }));
        else if (!parsed.flag('quiet')) around.stdout.write(`${formatAccess(record)}\n`);
      },
      ...(hosts.length > 0 ? { hosts } : {}),
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
    if (entry.kind === 'file' && (hidden || !entry.path.startsWith('.'))) return encodeName(entry.path);
  }
  return 'FILE';
}
