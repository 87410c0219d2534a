/** Where the key of a sealed transfer comes from. */
import { XferError } from '../../../errors.js';
import { keepSecret, readSmallFile } from '../../../files/private-file.js';
import { formatKey, newKey, parseKey } from '../../../transports/tcp/sealed/key.js';
import type { ParsedArguments } from '../../parsed-arguments.js';
import { createPrompt } from '../../prompt.js';
import type { Report } from '../../render/report.js';
import type { Surroundings } from '../../surroundings.js';

export interface FoundKey {
  readonly key: Buffer;
  /** It was made just now, so that the other end has to be told. */
  readonly isNew: boolean;
}

/**
 * The key of the options, the file or the environment; else, at the end that waits, a new one; else what the person types.
 * USAGE where it is none, or nobody can be asked; the errors of reading a file.
 */
export async function findKey(
  waits: boolean,
  parsed: ParsedArguments,
  around: Surroundings,
  report: Report,
): Promise<FoundKey> {
  const typed = parsed.text('key');
  const file = parsed.text('key-file');
  if (typed !== undefined && file !== undefined) {
    throw new XferError('USAGE', 'options --key and --key-file exclude each other');
  }
  if (typed !== undefined) {
    report.onNotice(
      'the key stands on the command line, where others on this machine could see it: --key-file hides it',
    );
    return { key: parseKey(typed), isNew: false };
  }
  if (file !== undefined) return { key: await keyOfFile(file, waits), isNew: false };
  if (around.env.XFER_KEY) return { key: parseKey(around.env.XFER_KEY, 'key in XFER_KEY'), isNew: false };
  if (waits) return { key: newKeyFor(parsed), isNew: true };
  return { key: await askedKey(around, report), isNew: false };
}

function newKeyFor(parsed: ParsedArguments): Buffer {
  const silent = parsed.last('json', 'quiet');
  if (silent === undefined) return newKey();
  const why = silent === 'json' ? ', so that none gets into a log' : '';
  throw new XferError('USAGE', `with --${silent} no key is shown${why}`, {
    hint: 'add --key-file FILE, which is made where it is missing',
  });
}

async function keyOfFile(file: string, waits: boolean): Promise<Buffer> {
  if (waits) {
    const make = () => `${formatKey(newKey())}\n`;
    return keepSecret(file, { what: 'key', make, parse: (text) => parseKey(text, `key ${file}`) });
  }
  const text = await readSmallFile(file);
  if (text !== undefined) return parseKey(text, `key ${file}`);
  throw new XferError('NOT_FOUND', `key ${file}: no such file`, { hint: 'copy it here from the end that waits' });
}

async function askedKey(around: Surroundings, report: Report): Promise<Buffer> {
  const answer = await report.asking(createPrompt(around)).secret('Key: ', { signal: around.signal });
  if (answer !== undefined) return parseKey(answer);
  throw new XferError('USAGE', 'key: none was given, and nobody can be asked', {
    hint: 'set XFER_KEY, or add --key-file FILE',
  });
}
