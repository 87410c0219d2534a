/** `xfer scp`: copies over SSH, with the words of OpenSSH's scp. */
import { existsSync } from 'node:fs';
import { XferError } from '../../errors.js';
import { type Location, parseLocation, parseScpLocation } from '../../location.js';
import type { Command } from '../command.js';
import { optionsOf } from '../options.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import type { Report } from '../render/report.js';
import { type CopyRequest, runCopy } from '../run-copy.js';
import { runDirect } from '../run-direct.js';
import { sshOptions } from '../ssh-options.js';
import type { Surroundings } from '../surroundings.js';

export const command: Command = {
  name: 'scp',
  summary: 'Copy files over SSH, as scp does.',
  usage: '[options] source... target',
  examples: [
    ['xfer scp report.pdf anna@example.org:', 'a file to the login directory of another host'],
    ['xfer scp -r example.org:photos .', 'a directory from there to here'],
    ['xfer scp -P 2222 -i ~/.ssh/id_ed25519 a b example.org:/srv/in/', 'two files, with a port and a key'],
  ],
  operands: [2, Number.POSITIVE_INFINITY],
  missing: { message: 'scp: a source and a target are needed', hint: 'xfer scp file host:path' },
  operandEndsOptions: true,
  run,
};

/** A location as scp reads it: `host:path`, `scp://` or `sftp://`, else a local path. USAGE for what other commands take. */
export function parseScpOperand(text: string, platform: NodeJS.Platform): Location {
  if (/^(scp|sftp|ssh):\/\//i.test(text)) return parseLocation(text, platform);
  if (/^(https?|tcp):\/\//i.test(text)) {
    throw new XferError('USAGE', `location ${text}: scp takes host:path`, {
      hint: 'xfer cp takes URLs: xfer cp --help',
    });
  }
  if (text === '') throw new XferError('USAGE', 'the location is empty', { hint: 'name a path or host:path' });
  return parseScpLocation(text, platform) ?? { scheme: 'file', path: text };
}

function isLocal({ scheme }: Location): boolean {
  return scheme === 'file';
}

/** Operands that look like options, behind a first that does not, and of which there is no file here. */
function lateOptions([first, ...rest]: readonly string[]): string[] {
  if (first?.startsWith('-')) return [];
  const isOption = (word: string) =>
    optionsOf('scp').some(({ name, alias }) => word === `--${name}` || (alias !== undefined && word[1] === alias));
  return rest.filter((word) => word.startsWith('-') && isOption(word) && !existsSync(word));
}

/** scp takes them for names, and says no more than that there is no such file. */
function tellLateOptions(operands: readonly string[], report: Report): void {
  const [late] = lateOptions(operands);
  if (late !== undefined) {
    report.onNotice(`${late}: taken for the name of a file, as scp does; options come first: xfer scp ${late} ...`);
  }
}

/** As scp does, makes a directory that is missing for several files that go up, and for what one pattern matches. */
function run(parsed: ParsedArguments, around: Surroundings): Promise<void> {
  const from = parsed.operands.map((text) => parseScpOperand(text, around.platform));
  const to = from.pop() as Location;
  if (parsed.last('through-here', 'direct') === 'direct' && !isLocal(to) && !from.every(isLocal)) {
    return runDirect({ from, to }, parsed, around);
  }
  const recursive = parsed.flag('recursive');
  const intoDirectory = from.length > 1 || (!recursive && to.path.endsWith('/'));
  const request: CopyRequest = {
    from,
    to,
    transportOptions: { ...sshOptions(parsed), recursive },
    copyOptions: { recursive, intoDirectory },
    makesDirectory: (sources) => sources > 1 && (isLocal(to) ? from.length === 1 : from.every(isLocal)),
    neverAsk: parsed.flag('batch'),
  };
  const makeRequest = (report: Report) => {
    tellLateOptions(parsed.operands, report);
    return request;
  };
  return runCopy(makeRequest, parsed, around);
}
