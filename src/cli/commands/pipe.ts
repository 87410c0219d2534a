/** `xfer pipe`: standard input and output over one TCP connection, both ways at once. */
import type { Writable } from 'node:stream';
import type { Command } from '../command.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { openReport } from '../run-copy.js';
import type { Surroundings } from '../surroundings.js';
import { connectAgain, retriesOf } from '../tcp/connect-again.js';
import { inOneWord, parseEnd } from '../tcp/ends.js';
import { tellPiped } from '../tcp/passed.js';
import { wantsKey } from '../tcp/sealed/mode.js';
import { parseSealedEnd } from '../tcp/sealed/where.js';
import { tcpOptions } from '../tcp/tcp-options.js';
import { terminalText } from '../tcp/terminal-text.js';

export const command: Command = {
  name: 'pipe',
  summary: 'Connect standard input and output to a TCP connection, as nc does.',
  usage: '[options] host:port | -l [host:]port',
  examples: [
    ['xfer pipe example.org:8080', 'to what listens there'],
    ['xfer pipe -l 8080', 'to the first that connects here'],
    ['tar c photos | xfer pipe --sealed example.org:8080', 'sealed, to xfer pipe -l --sealed 8080 | tar x'],
  ],
  operands: [1, 1],
  hintTooMany: inOneWord,
  missing: { message: 'pipe: host:port is needed', hint: 'xfer pipe host:8080, or xfer pipe -l 8080' },
  missingPort: { message: 'pipe: a port is needed', hint: 'xfer pipe -l 8080' },
  stdoutTaken: () => true,
  run,
};

async function run(parsed: ParsedArguments, around: Surroundings): Promise<void> {
  const [address] = parsed.operands as [string];
  if (wantsKey(parsed, around)) {
    const { pipeSealed } = await import('../tcp/sealed/pipe.js');
    return pipeSealed(parseSealedEnd(address, parsed), outputOf(parsed, around), parsed, around);
  }
  const location = parseEnd(address, parsed);
  const report = await openReport(parsed, around);
  const options = { ...tcpOptions(parsed, report, 'pipe'), onNotice: report.onNotice };
  const scope = { signal: around.signal };
  const [{ openWire }, { pipe }] = await Promise.all([
    import('../../transports/tcp/raw.js'),
    import('../../transports/tcp/pipe.js'),
  ]);
  const wire = await connectAgain(() => openWire(location, options, scope), {
    role: 'pipe',
    to: location,
    retries: retriesOf(parsed),
    report,
    ...scope,
  });
  const output = outputOf(parsed, around);
  const streams = { input: around.stdin, output, isLast: output === around.stdout };
  const { sentBytes, receivedBytes } = await pipe(wire, streams, options, scope);
  if (parsed.flag('json') || parsed.flag('verbose')) tellPiped({ sentBytes, receivedBytes }, report);
}

/** A terminal is shown what comes, and does not act on it. */
function outputOf(parsed: ParsedArguments, { stdout }: Surroundings): Writable {
  if (!stdout.isTTY || parsed.flag('force')) return stdout;
  const text = terminalText();
  text.pipe(stdout);
  return text;
}
