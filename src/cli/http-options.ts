/** The options of the table -> what the HTTP transport is told. */
import { XferError } from '../errors.js';
import type { Location } from '../location.js';
import type { HttpOptions } from '../transports/http/index.js';
import type { ParsedArguments } from './parsed-arguments.js';

const MOST_FILE_BYTES = 1 << 20;

/** USAGE where a value is not of its kind, or a pin is given and nobody is asked by https; the errors of reading a file. */
export async function httpOptions(parsed: ParsedArguments, locations: readonly Location[]): Promise<HttpOptions> {
  const [headers, pins, files] = [parsed.list('header'), parsed.list('pin'), parsed.list('cacert')];
  if (pins.length > 0 && !locations.some(({ scheme }) => /^https?$/.test(scheme))) {
    throw new XferError('USAGE', 'option --pin: there is no https address whose server it could be of');
  }
  return { headers, pins, ca: await Promise.all(files.map(readAuthorities)) };
}

async function readAuthorities(file: string): Promise<string> {
  const { readNamedFile } = await import('../transports/ssh/config/files.js');
  const { parseCertificates } = await import('../transports/http/certificates.js');
  const text = await readNamedFile(file, MOST_FILE_BYTES, 'authorities');
  parseCertificates(text, `authorities ${file}`);
  return text;
}
