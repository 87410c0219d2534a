/** `xfer recv`: what comes over one TCP connection, into a file. */
import { XferError } from '../../errors.js';
import { type Location, parseLocation } from '../../location.js';
import type { Command } from '../command.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { runCopy } from '../run-copy.js';
import type { Surroundings } from '../surroundings.js';
import { parseListenAddress, plainTcpClosing, tcpOptions } from '../tcp-options.js';

export const command: Command = {
  name: 'recv',
  summary: 'Wait for one TCP connection and keep what comes, as nc -l port > file does.',
  usage: '[options] [host:]port file|-',
  examples: [
    ['xfer recv 8080 big.iso', 'from xfer send here:8080 big.iso, or nc -N here 8080 < big.iso'],
    ['xfer recv 8080 - | tar x', 'to standard output'],
    ['xfer recv 127.0.0.1:8080 big.iso', 'on one address only'],
  ],
  operands: [1, 2],
  missing: { message: 'recv: a port and a file are needed', hint: 'xfer recv 8080 file' },
  stdoutTaken: (parsed) => parsed.operands[1] === '-',
  run,
};

function run(parsed: ParsedArguments, around: Surroundings): Promise<void> {
  const [address, path] = parsed.operands as [string, string | undefined];
  const from = parseListenAddress(address);
  const to = destination(path, address, parsed, around);
  return runCopy(
    (report) => ({
      from: [from],
      to,
      transportOptions: tcpOptions(parsed, report, (host, port) => `nc -N ${host} ${port} < file`),
      closing: (result) => plainTcpClosing(result.digests),
    }),
    parsed,
    around,
  );
}

function destination(
  path: string | undefined,
  address: string,
  parsed: ParsedArguments,
  around: Surroundings,
): Location {
  if (path === undefined) {
    throw new XferError('USAGE', 'recv needs a destination', {
      hint: `xfer recv ${address} file, or xfer recv ${address} - for standard output`,
    });
  }
  if (path !== '-') return { scheme: 'file', path };
  if (around.stdout.isTTY && !parsed.flag('force')) {
    throw new XferError('USAGE', 'recv to standard output: it is a terminal, which may act on what comes', {
      hint: `xfer recv ${address} - > file, or --force`,
    });
  }
  return parseLocation('-');
}
