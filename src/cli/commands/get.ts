/** `xfer get`: downloads over HTTP. */
import type { CopyResult } from '../../copy/index.js';
import { XferError } from '../../errors.js';
import { type Location, parseLocation } from '../../location.js';
import type { Command } from '../command.js';
import { httpOptions } from '../http-options.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { runCopy } from '../run-copy.js';
import type { Surroundings } from '../surroundings.js';

export const command: Command = {
  name: 'get',
  summary: 'Download over HTTP or HTTPS. What was cut off goes on where it stopped.',
  usage: '[options] url...',
  examples: [
    ['xfer get https://example.org/big.iso', 'a file, here, under its own name'],
    ['xfer get -o disk.iso https://example.org/big.iso', 'under another name'],
    ['xfer get -o - https://example.org/list.txt | sort', 'to standard output'],
  ],
  operands: [1, Number.POSITIVE_INFINITY],
  missing: { message: 'get: a URL is needed', hint: 'xfer get https://example.org/file' },
  stdoutTaken: (parsed) => parsed.text('output') === '-',
  run,
};

function parseHttpLocation(text: string, platform: NodeJS.Platform): Location {
  const location = parseLocation(text, platform);
  if (location.scheme === 'http' || location.scheme === 'https') return location;
  throw new XferError('USAGE', `get ${text}: not an http or https URL`, {
    hint:
      location.scheme === 'file' && !text.includes(':') ? `xfer get http://${text}` : 'xfer cp takes other locations',
  });
}

async function run(parsed: ParsedArguments, around: Surroundings): Promise<void> {
  const from = parsed.operands.map((text) => parseHttpLocation(text, around.platform));
  const output = parsed.text('output') ?? '.';
  const to: Location = output === '-' ? { scheme: 'stdio', path: '-' } : { scheme: 'file', path: output };
  if (output === '-' && from.length > 1) {
    throw new XferError('USAGE', 'get: several URLs do not go to standard output', { hint: 'name them one at a time' });
  }
  const replaces = parsed.flag('overwrite') || output === '-';
  return runCopy(
    {
      from,
      to,
      transportOptions: await httpOptions(parsed, from, around.env),
      copyOptions: { intoDirectory: from.length > 1 || output.endsWith('/'), overwrite: replaces ? 'always' : 'never' },
      ...(replaces ? {} : { check: (result) => checkNothingSkipped(result, output) }),
    },
    parsed,
    around,
  );
}

/** A download that was not made, because its name is taken, is not a success. */
function checkNothingSkipped(result: CopyResult, output: string): void {
  if (result.skipped === 0) return;
  throw new XferError(
    'EXISTS',
    `get to ${output}: ${result.skipped === 1 ? 'the file is' : 'files are'} there already`,
    {
      hint: 'add --overwrite to replace, or -o with another name',
    },
  );
}
