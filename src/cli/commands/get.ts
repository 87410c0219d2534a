/** `xfer get`: downloads over HTTP. */
import type { CopyEvent, CopyResult } from '../../copy/index.js';
import { ALREADY_WHOLE, EXCLUDED } from '../../copy/skip-reasons.js';
import { XferError } from '../../errors.js';
import type { Location } from '../../location.js';
import type { HttpOptions } from '../../transports/http/index.js';
import type { Command } from '../command.js';
import { expectedDigests } from '../get/expected-digests.js';
import { httpOptions } from '../http-options.js';
import { openingTerms } from '../open-again.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import type { Report } from '../render/report.js';
import { type CopyRequest, runCopy } from '../run-copy.js';
import { severalToOutput } from '../standard-streams.js';
import type { Surroundings } from '../surroundings.js';
import { parseWeb } from '../web-location.js';

export const command: Command = {
  name: 'get',
  summary: 'Download over HTTP or HTTPS. What was cut off goes on where it stopped.',
  usage: '[options] url...',
  examples: [
    ['xfer get https://example.org/big.iso', 'a file, here, under its own name'],
    ['xfer get -r https://example.org/photos/', 'a folder with all that is in it'],
    ['xfer get -o - https://example.org/list.txt | sort', 'to standard output'],
  ],
  operands: [1, Number.POSITIVE_INFINITY],
  missing: { message: 'get: a URL is needed', hint: 'xfer get https://example.org/file' },
  stdoutTaken: (parsed) => parsed.text('output') === '-',
  run,
};

function parseUrl(text: string, isFirst: boolean, platform: NodeJS.Platform): Location {
  const hint = isFirst ? `xfer get http://${text}` : `to write there, type -o before it: -o ${text}`;
  return parseWeb(`get ${text}`, text, platform, { path: hint, hostPort: hint });
}

async function run(parsed: ParsedArguments, around: Surroundings): Promise<void> {
  const { operands } = parsed;
  const from = operands.map((text, index) => parseUrl(text, index === 0, around.platform));
  const output = parsed.text('output') ?? '.';
  const to: Location = output === '-' ? { scheme: 'stdio', path: '-' } : { scheme: 'file', path: output };
  checkSense(parsed, from.length, output);
  const web = await httpOptions(parsed, from, around);
  const replaces = parsed.flag('overwrite') || output === '-';
  const goesOn = parsed.flag('continue');
  const copyOf = async (report: Report): Promise<CopyRequest> => {
    const again = openingTerms(parsed, around, report);
    const expected = await expectedDigests(parsed, web, from, again);
    const taken = new TakenNames(report, output);
    return {
      from,
      to,
      transportOptions: {
        ...web,
        ...treeOptions(parsed, from.length),
        asksDigest: parsed.flag('verify'),
        oneOfMany: from.length > 1,
      },
      copyOptions: {
        recursive: parsed.flag('recursive'),
        preserve: true,
        intoDirectory: from.length > 1 || output.endsWith('/'),
        overwrite: replaces ? 'always' : goesOn ? 'shorter' : 'never',
        ...(expected ? { expected } : {}),
      },
      ...(replaces ? {} : { onEvent: taken.onEvent, check: (result) => taken.check(result) }),
    };
  };
  return runCopy(copyOf, parsed, around);
}

/** `-o dir` is the tree itself, so that the same line goes on with it; `-o dir/` is where it is put under its own name. */
function treeOptions(
  parsed: ParsedArguments,
  urls: number,
): Pick<HttpOptions, 'recursive' | 'nameless' | 'keepsEncoded'> {
  const output = parsed.text('output');
  const isNamed = output !== undefined && output !== '.' && !output.endsWith('/');
  const keepsEncoded = /\.(?:gz|tgz|z|br|zst|xz|bz2|deflate)$/i.test(output ?? '');
  return { recursive: parsed.flag('recursive'), nameless: urls === 1 && isNamed, keepsEncoded };
}

function checkSense(parsed: ParsedArguments, urls: number, output: string): void {
  if (output === '-' && (urls > 1 || parsed.flag('recursive'))) {
    throw severalToOutput('get', 'xfer get -o - URL for each of them, or -o DIRECTORY/');
  }
  if (parsed.text('sha256') !== undefined && (urls > 1 || parsed.flag('recursive'))) {
    throw new XferError('USAGE', 'option --sha256: it is of one file, and several are asked for', {
      hint: 'a list of them can be named by --checksum-url',
    });
  }
}

/** A download that was not made, because its name is taken, is not a success. What is there whole already is. */
class TakenNames {
  readonly #report: Report;
  readonly #output: string;
  #first = '';

  constructor(report: Report, output: string) {
    this.#report = report;
    this.#output = output;
  }

  readonly onEvent = (event: CopyEvent): void => {
    if (event.type === 'skip' && event.reason !== ALREADY_WHOLE && event.reason !== EXCLUDED)
      this.#first ||= event.path;
    this.#report.onEvent(event);
  };

  check({ skipped, excluded, alreadyWhole, files, failures }: CopyResult): void {
    const count = skipped - excluded - alreadyWhole;
    if (count === 0) return;
    const more = count === 1 ? '' : ` and ${count - 1} more`;
    const what = `get ${this.#first}${more} to ${this.#output}`;
    const taken = count === 1 ? 'the file is there already' : 'files are there already';
    if (files > 0 || failures.length > 0) {
      const others = failures.length > 0 ? `${failures.length} failed` : 'the rest arrived';
      throw new XferError('PARTIAL', `${what}: ${taken}, and left alone; ${others}`, {
        hint: 'add --overwrite to replace, or -c to leave what is whole',
      });
    }
    throw new XferError('EXISTS', `${what}: ${taken}`, {
      hint: 'add --overwrite to replace, or -o with another name',
    });
  }
}
