/** `xfer recv`: what comes over one TCP connection into a file, or with a key files and trees into a directory. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { XferError } from '../../errors.js';
import { type Location, parseLocation } from '../../location.js';
import type { Command } from '../command.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { runCopy } from '../run-copy.js';
import type { Surroundings } from '../surroundings.js';
import { connectAgain, retriesOf } from '../tcp/connect-again.js';
import { inOneWord, parseEnd } from '../tcp/ends.js';
import { withPassed } from '../tcp/passed.js';
import { checkPlain, wantsKey } from '../tcp/sealed/mode.js';
import { parseSealedEnd, splitOperands } from '../tcp/sealed/where.js';
import { tcpOptions } from '../tcp/tcp-options.js';

export const command: Command = {
  name: 'recv',
  summary: 'Receive files sealed with a key from xfer send, or the bytes of one over plain TCP, as nc does.',
  usage: '[options] port|host:port|-l host:port|--announce|--find [directory|file|-]',
  examples: [
    ['xfer recv 8080', 'with the key that is shown, from xfer send --sealed here:8080 photos'],
    ['xfer recv --announce incoming/', 'the same, found by xfer send --find photos in this network'],
    ['xfer recv 8080 big.iso', 'bytes, not sealed: nc -N here 8080 < big.iso, xfer send here:8080 big.iso'],
  ],
  operands: [1, 2],
  inPlaceOfFirst: ['announce', 'find'],
  hintTooMany: inOneWord,
  missing: { message: 'recv: a port is needed', hint: 'xfer recv 8080, xfer recv 8080 file, or xfer recv --announce' },
  stdoutTaken: (parsed) => parsed.operands[1] === '-',
  run,
};

async function run(parsed: ParsedArguments, around: Surroundings): Promise<void> {
  const { end, rest } = splitOperands(parsed);
  const [path, more] = rest;
  if (more !== undefined) {
    throw new XferError('USAGE', `recv ${more}: one operand too many`, { hint: 'with --find no address is named' });
  }
  if (wantsKey(parsed, around) || isSealedTarget(path, parsed)) {
    const { receiveSealed } = await import('../tcp/sealed/receive.js');
    return receiveSealed(parseSealedEnd(end, parsed, true), sealedTarget(path, parsed, around), parsed, around);
  }
  checkPlain(parsed);
  const from = parseEnd(end as string, parsed, true);
  const to = destination(path, parsed, around);
  if (parsed.flag('keep-open')) {
    const { receiveFromMany } = await import('../tcp/many-clients.js');
    return receiveFromMany(from, to, parsed, around);
  }
  return runCopy(
    (report) => ({
      from: [from],
      to,
      sinkFirst: true,
      ...withPassed('received', tcpOptions(parsed, report, 'recv'), parsed),
      openAgain: (open) =>
        connectAgain(open, { role: 'recv', to: from, retries: retriesOf(parsed), report, signal: around.signal }),
    }),
    parsed,
    around,
  );
}

/** No file is named: what comes has names of its own, which only a sender with the key may give. */
function isSealedTarget(path: string | undefined, parsed: ParsedArguments): boolean {
  if (parsed.text('output-dir') !== undefined) return false;
  return path === undefined || /[/\\]$/.test(path) || existsAsDirectory(path);
}

function existsAsDirectory(path: string): boolean {
  if (path === '-') return false;
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Said while nobody has sent anything that would be lost. */
function checkFolder(path: string): void {
  const folder = dirname(path);
  if (existsAsDirectory(folder)) return;
  throw new XferError('NOT_FOUND', `recv to ${path}: no such directory: ${folder}`, {
    hint: 'make the directory first',
  });
}

function sealedTarget(path: string | undefined, parsed: ParsedArguments, around: Surroundings): Location {
  return path === '-' ? destination(path, parsed, around) : { scheme: 'file', path: path ?? '.' };
}

function destination(path: string | undefined, parsed: ParsedArguments, around: Surroundings): Location {
  const address = parsed.operands[0] as string;
  const directory = parsed.text('output-dir');
  if (directory !== undefined) return outputDirectory(directory, path, parsed);
  if (path === undefined) {
    throw new XferError('USAGE', 'recv needs a destination', {
      hint: `xfer recv ${address} file, or xfer recv ${address} - for standard output`,
    });
  }
  if (path !== '-' && parsed.flag('keep-open')) {
    throw new XferError('USAGE', `recv -k to ${path}: each client's file would replace the one before`, {
      hint: `xfer recv -k ${address} --output-dir directory, or - for standard output`,
    });
  }
  if (path !== '-') {
    checkFolder(path);
    return { scheme: 'file', path };
  }
  if (around.stdout.isTTY && !parsed.flag('force')) {
    throw new XferError('USAGE', 'recv to standard output: it is a terminal, which may act on what comes', {
      hint: `xfer recv ${address} - > file, or --force`,
    });
  }
  return parseLocation('-');
}

function outputDirectory(directory: string, path: string | undefined, parsed: ParsedArguments): Location {
  const wrong =
    path !== undefined ? `not together with ${path}` : parsed.flag('keep-open') ? undefined : 'only with -k';
  if (wrong === undefined) return { scheme: 'file', path: directory.replace(/(?<=.)\/+$/, '') };
  throw new XferError('USAGE', `option --output-dir ${directory}: ${wrong}`, {
    hint: `xfer recv -k 8080 --output-dir ${directory}`,
  });
}
