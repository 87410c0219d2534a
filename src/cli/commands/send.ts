/** `xfer send`: the bytes of a file over a TCP connection and nothing else, or with a key files and trees, sealed. */
import { stat } from 'node:fs/promises';
import { XferError } from '../../errors.js';
import { type Location, parseLocation } from '../../location.js';
import { collect } from '../../streams/collect.js';
import type { Command } from '../command.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { runCopy } from '../run-copy.js';
import type { Surroundings } from '../surroundings.js';
import { connectAgain, retriesOf } from '../tcp/connect-again.js';
import { parseEnd } from '../tcp/ends.js';
import { withPassed } from '../tcp/passed.js';
import { checkPlain, wantsKey } from '../tcp/sealed/mode.js';
import { parseSealedEnd, splitOperands } from '../tcp/sealed/where.js';
import { tcpOptions } from '../tcp/tcp-options.js';

export const command: Command = {
  name: 'send',
  summary: 'Send files sealed with a key to xfer recv, or the bytes of one over plain TCP, as nc does.',
  usage: '[options] host:port|-l [host:]port|--find path...|-',
  examples: [
    ['xfer send --sealed example.org:8080 photos notes.txt', 'files and trees to xfer recv 8080, which shows the key'],
    ['xfer send --find photos', 'the same to xfer recv --announce in this network'],
    ['xfer send example.org:8080 big.iso', 'bytes, not sealed: to nc -l 8080 > big.iso, or xfer recv 8080 big.iso'],
  ],
  operands: [1, Number.POSITIVE_INFINITY],
  inPlaceOfFirst: ['announce', 'find'],
  missing: {
    message: 'send: host:port and a file are needed',
    hint: 'xfer send host:8080 file, or xfer send --find file',
  },
  missingPort: { message: 'send: a port and a file are needed', hint: 'xfer send -l 8080 file' },
  run,
};

async function run(parsed: ParsedArguments, around: Surroundings): Promise<void> {
  const {
    end,
    rest: [path, ...more],
  } = splitOperands(parsed);
  if (more.length > 0 || wantsKey(parsed, around) || (path !== undefined && (await isDirectory(path)))) {
    const { sendSealed } = await import('../tcp/sealed/send.js');
    const paths = path === undefined ? [undefined] : [path, ...more];
    const words = await wordsSent(parsed, async () => textLocation(await typedWords(around)));
    const from = paths.map((each) => whatIsSent(each, words, parsed));
    return sendSealed(from, parseSealedEnd(end, parsed), parsed, around);
  }
  checkPlain(parsed);
  const to = parseEnd(end as string, parsed);
  const from = whatIsSent(path, await wordsSent(parsed, () => parseLocation('-')), parsed);
  if (parsed.flag('keep-open')) {
    const { sendToMany } = await import('../tcp/many-clients.js');
    return sendToMany(from, to, parsed, around);
  }
  return runCopy(
    (report) => ({
      from: [from],
      to,
      ...withPassed('sent', tcpOptions(parsed, report, 'send'), parsed),
      openAgain: (open) =>
        connectAgain(open, { role: 'send', to, retries: retriesOf(parsed), report, signal: around.signal }),
    }),
    parsed,
    around,
  );
}

/** A tree can only go sealed; what is not there is left to be told by the copy. */
async function isDirectory(path: string): Promise<boolean> {
  if (path === '-') return false;
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

/** `typed`: the words that `--text -` stands for. */
async function wordsSent(parsed: ParsedArguments, typed: () => Location | Promise<Location>) {
  const text = parsed.text('text');
  if (text === undefined) return undefined;
  return text === '-' ? typed() : textLocation(text);
}

function whatIsSent(path: string | undefined, words: Location | undefined, parsed: ParsedArguments): Location {
  if (words && path !== undefined) {
    throw new XferError('USAGE', `send ${path}: with --text no file is sent`, { hint: 'leave one of them out' });
  }
  if (words) return words;
  if (path !== undefined) return path === '-' ? parseLocation('-') : { scheme: 'file', path };
  const listen = parsed.flag('listen') ? '-l ' : '';
  const where = parsed.flag('find') ? '--find' : `${listen}${parsed.operands[0] ?? '--announce'}`;
  throw new XferError('USAGE', 'send needs a file', {
    hint: `xfer send ${where} file, or xfer send ${where} - for standard input`,
  });
}

/** All of standard input. USAGE where that is more than words. */
async function typedWords({ signal }: Surroundings): Promise<string> {
  const { openSource } = await import('../../open.js');
  const { MOST_TEXT_BYTES } = await import('../../transports/tcp/sealed/messages.js');
  const tooLong = () =>
    new XferError('USAGE', `send --text -: more than ${MOST_TEXT_BYTES} bytes`, {
      hint: 'send it as a file: - in place of --text -',
    });
  const source = await openSource(parseLocation('-'), {}, { signal });
  try {
    const typed = await source.read({ path: '', kind: 'file' }, { start: 0 }, { signal });
    return (await collect(typed, MOST_TEXT_BYTES, tooLong)).toString('utf8');
  } finally {
    await source.close();
  }
}

/** The words as a file in memory, without a line's end. */
async function textLocation(text: string): Promise<Location> {
  const { namedMemoryTree } = await import('../../transports/memory/index.js');
  const { makeFile, putNode } = await import('../../transports/memory/tree.js');
  const tree = namedMemoryTree('text');
  putNode(tree, '', 'text', makeFile(tree, Buffer.from(text)));
  return { scheme: 'memory', host: 'text', path: 'text' };
}
