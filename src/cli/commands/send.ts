/** `xfer send`: the bytes of a file over a TCP connection and nothing else, or with a key files and trees, sealed. */
import { stat } from 'node:fs/promises';
import { XferError } from '../../errors.js';
import { type Location, parseLocation } from '../../location.js';
import type { Command } from '../command.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { runCopy } from '../run-copy.js';
import type { Surroundings } from '../surroundings.js';
import { connectAgain, retriesOf } from '../tcp/connect-again.js';
import { parseEnd } from '../tcp/ends.js';
import { withPassed } from '../tcp/passed.js';
import { wantsKey } from '../tcp/sealed/mode.js';
import { parseSealedEnd } from '../tcp/sealed/where.js';
import { tcpOptions } from '../tcp/tcp-options.js';

export const command: Command = {
  name: 'send',
  summary: 'Send the bytes of a file over TCP, as nc host port < file does, or with -l as nc -l port < file.',
  usage: '[options] host:port|-l [host:]port file|-',
  examples: [
    ['xfer send example.org:8080 big.iso', 'to xfer recv 8080 big.iso, or nc -l 8080 > big.iso, over there'],
    ['tar c photos | xfer send example.org:8080 -', 'from standard input'],
    ['xfer send -l 8080 big.iso', 'to the first that connects: xfer recv here:8080 big.iso, or nc here 8080 > big.iso'],
  ],
  operands: [1, Number.POSITIVE_INFINITY],
  missing: { message: 'send: host:port and a file are needed', hint: 'xfer send host:8080 file' },
  run,
};

async function run(parsed: ParsedArguments, around: Surroundings): Promise<void> {
  const [address, path, ...more] = parsed.operands as [string, string | undefined, ...string[]];
  if (more.length > 0 || wantsKey(parsed, around) || (path !== undefined && (await isDirectory(path)))) {
    const { sendSealed } = await import('../tcp/sealed/send.js');
    const paths = path === undefined ? [undefined] : [path, ...more];
    const from = await Promise.all(paths.map((each) => whatIsSent(address, each, parsed)));
    return sendSealed(from, parseSealedEnd(address, parsed), parsed, around);
  }
  const to = parseEnd(address, parsed);
  const from = await whatIsSent(address, path, parsed);
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

async function whatIsSent(address: string, path: string | undefined, parsed: ParsedArguments): Promise<Location> {
  const text = parsed.text('text');
  if (text !== undefined && path !== undefined) {
    throw new XferError('USAGE', `send ${path}: with --text no file is sent`, { hint: 'leave one of them out' });
  }
  if (text !== undefined) return text === '-' ? parseLocation('-') : textLocation(text);
  if (path !== undefined) return path === '-' ? parseLocation('-') : { scheme: 'file', path };
  throw new XferError('USAGE', 'send needs a file', {
    hint: `xfer send ${address} file, or xfer send ${address} - for standard input`,
  });
}

/** The words as a file in memory, without a line's end. */
async function textLocation(text: string): Promise<Location> {
  const { namedMemoryTree } = await import('../../transports/memory/index.js');
  const { makeFile, putNode } = await import('../../transports/memory/tree.js');
  const tree = namedMemoryTree('text');
  putNode(tree, '', 'text', makeFile(tree, Buffer.from(text)));
  return { scheme: 'memory', host: 'text', path: 'text' };
}
