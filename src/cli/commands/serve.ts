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
  summary: 'Share files and directories over HTTP with browsers, curl, wget and xfer get, or over SFTP.',
  usage: '[options] [path...] [port]',
  examples: [
    ['xfer serve', 'this directory, on port 8000'],
    ['xfer serve a.iso photos 8080', 'a file and a directory, on another port'],
    ['xfer serve --upload inbox', 'where others may put files too; with --sftp over SFTP, on port 2222'],
  ],
  operands: [0, Number.POSITIVE_INFINITY],
  missing: { message: 'serve: a directory is needed', hint: 'xfer serve .' },
  run,
};

/** What is served, and where. */
export interface ServeOperands {
  /** At least one; `-` is standard input. */
  readonly paths: readonly string[];
  /** 0 for a free one. */
  readonly port: number;
  /** Not the usual one. */
  readonly portTyped: boolean;
}

/** What to share and where: paths, and a port at either end of them. USAGE where they do not fit. */
export function parseServeOperands(parsed: ParsedArguments): ServeOperands {
  const option = parsed.text('port');
  const paths = [...parsed.operands];
  const digits = /^[0-9]+$/;
  const port = digits.test(paths.at(-1) ?? '') ? paths.pop() : digits.test(paths[0] ?? '') ? paths.shift() : undefined;
  if (port !== undefined && option !== undefined) {
    throw new XferError('USAGE', `serve: the port is given twice, as ${port} and ${option}`, {
      hint: `a path of digits is written ./${port}`,
    });
  }
  const typed = port ?? option;
  const usual = parsed.flag('sftp') ? SFTP_PORT : DEFAULT_PORT;
  return {
    paths: paths.length > 0 ? paths : ['.'],
    port: typed === undefined ? usual : parsePort(typed, true),
    portTyped: typed !== undefined,
  };
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
