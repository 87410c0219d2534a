/** `xfer send`: the bytes of a file over a TCP connection, and nothing else. */
import { parseLocation } from '../../location.js';
import type { Command } from '../command.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { runCopy } from '../run-copy.js';
import type { Surroundings } from '../surroundings.js';
import { parseTarget, plainTcpClosing, tcpOptions } from '../tcp-options.js';

export const command: Command = {
  name: 'send',
  summary: 'Send the bytes of a file over TCP to whatever listens there, as nc host port < file does.',
  usage: '[options] host:port file|-',
  examples: [
    ['xfer send example.org:8080 big.iso', 'to xfer recv 8080 big.iso, or nc -l 8080 > big.iso, over there'],
    ['tar c photos | xfer send example.org:8080 -', 'from standard input'],
    ['xfer send --limit 2M [2001:db8::1]:8080 big.iso', 'at two MiB a second'],
  ],
  operands: [2, 2],
  missing: { message: 'send: host:port and a file are needed', hint: 'xfer send host:8080 file' },
  run,
};

function run(parsed: ParsedArguments, around: Surroundings): Promise<void> {
  const [target, path] = parsed.operands as [string, string];
  const to = parseTarget(target);
  const from = path === '-' ? parseLocation('-') : { scheme: 'file', path };
  return runCopy(
    (report) => ({
      from: [from],
      to,
      transportOptions: tcpOptions(parsed, report, (host, port) => `nc ${host} ${port} > file`),
      closing: (result) => plainTcpClosing(result.digests),
    }),
    parsed,
    around,
  );
}
