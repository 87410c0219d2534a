/** `xfer serve`: shares files and directories over HTTP, or with `--sftp` over SFTP. */
import { XferError } from '../../errors.js';
import { parsePort } from '../../location.js';
import type { Command } from '../command.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import type { Surroundings } from '../surroundings.js';

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

/** What is served, and where. */
export interface ServeOperands {
  readonly directory: string;
  /** 0 for a free one. */
  readonly port: number;
}

/** What to share and where, from operands in either order. USAGE where they do not fit. */
export function parseServeOperands(parsed: ParsedArguments): ServeOperands {
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
  const name = parsed.text('hash-password');
  if (name !== undefined) {
    const { printHashedAccount } = await import('../serve/hash-password.js');
    return printHashedAccount(name, around);
  }
  const operands = parseServeOperands(parsed);
  if (parsed.flag('sftp')) {
    const { serveSftp } = await import('../serve/sftp.js');
    return serveSftp(operands, parsed, around);
  }
  const { serveHttp } = await import('../serve/http.js');
  return serveHttp(operands, parsed, around);
}
