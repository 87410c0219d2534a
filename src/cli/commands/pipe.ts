/** `xfer pipe`: standard input and output over one TCP connection, both ways at once. */
import type { Command } from '../command.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { formatBytes } from '../render/format.js';
import { openReport } from '../run-copy.js';
import type { Surroundings } from '../surroundings.js';
import { parseListenAddress, parseTarget, tcpOptions } from '../tcp-options.js';

export const command: Command = {
  name: 'pipe',
  summary: 'Connect standard input and output to a TCP connection, as nc does.',
  usage: '[options] host:port | -l [host:]port',
  examples: [
    ['xfer pipe example.org:8080', 'to what listens there'],
    ['xfer pipe -l 8080', 'to the first that connects here'],
    ["printf 'GET / HTTP/1.0\\r\\n\\r\\n' | xfer pipe example.org:80", 'a question and its answer'],
  ],
  operands: [1, 1],
  missing: { message: 'pipe: host:port is needed', hint: 'xfer pipe host:8080, or xfer pipe -l 8080' },
  stdoutTaken: () => true,
  run,
};

async function run(parsed: ParsedArguments, around: Surroundings): Promise<void> {
  const [address] = parsed.operands as [string];
  const location = parsed.flag('listen') ? parseListenAddress(address) : parseTarget(address);
  const report = await openReport(parsed, around);
  const options = {
    ...tcpOptions(parsed, report, (host, port) => `nc ${host} ${port}`),
    onNotice: report.onNotice,
  };
  const { pipe } = await import('../../transports/tcp/pipe.js');
  const streams = { input: around.stdin, output: around.stdout };
  const { sentBytes, receivedBytes } = await pipe(location, streams, options, { signal: around.signal });
  if (!parsed.flag('json') && !parsed.flag('verbose')) return;
  report.tell(`${formatBytes(sentBytes)} sent, ${formatBytes(receivedBytes)} received`, {
    type: 'done',
    sentBytes,
    receivedBytes,
  });
}
