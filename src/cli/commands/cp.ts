/** `xfer cp`: copies from any location to any other. */
import { type Location, parseLocation } from '../../location.js';
import type { Command } from '../command.js';
import { httpOptions } from '../http-options.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { runCopy } from '../run-copy.js';
import { sshOptions } from '../ssh-options.js';
import type { Surroundings } from '../surroundings.js';

export const command: Command = {
  name: 'cp',
  summary: 'Copy from any location to any other: a path, host:path, a URL, or - for standard input or output.',
  usage: '[options] source... target',
  examples: [
    ['xfer cp photos example.org:backup/', 'a directory and all that is in it over SSH'],
    ['xfer cp https://example.org/big.iso /srv/iso/', 'a download'],
    ['xfer cp host-a:log.txt host-b:log.txt', 'between two hosts, through this one'],
  ],
  operands: [2, Number.POSITIVE_INFINITY],
  missing: { message: 'cp: a source and a target are needed', hint: 'xfer cp source target' },
  stdoutTaken: (parsed) => parsed.operands.at(-1) === '-',
  run,
};

async function run(parsed: ParsedArguments, around: Surroundings): Promise<void> {
  const from = parsed.operands.map((text) => parseLocation(text, around.platform));
  const to = from.pop() as Location;
  return runCopy(
    {
      from,
      to,
      transportOptions: { ...sshOptions(parsed), ...(await httpOptions(parsed, [...from, to], around)) },
      copyOptions: { recursive: true, intoDirectory: from.length > 1 },
    },
    parsed,
    around,
  );
}
