/** The options of the table -> what the HTTP transport is told. */
import * as tls from 'node:tls';
import { XferError } from '../errors.js';
import type { Location } from '../location.js';
import type { HttpOptions } from '../transports/http/index.js';
import type { ParsedArguments } from './parsed-arguments.js';

const MOST_FILE_BYTES = 1 << 20;

/** USAGE where a value is not of its kind, or a pin is given and nobody is asked by https; the errors of reading a file. */
export async function httpOptions(
  parsed: ParsedArguments,
  locations: readonly Location[],
  env: NodeJS.ProcessEnv,
): Promise<HttpOptions> {
  const [headers, pins, files] = [parsed.list('header'), parsed.list('pin'), parsed.list('cacert')];
  if (pins.length > 0 && !locations.some(({ scheme }) => /^https?$/.test(scheme))) {
    throw new XferError('USAGE', 'option --pin: there is no https address whose server it could be of');
  }
  const ca = await Promise.all(files.map(readAuthorities));
  return { headers, pins, ca: [...ca, ...(ca.length > 0 ? await extraAuthorities(env) : [])] };
}

/**
 * What NODE_EXTRA_CA_CERTS adds to those that Node trusts: before version 22.15 Node does not tell, and with an authority
 * named in `--cacert` only the list that it brings would be left. One that cannot be read is passed over, as Node does.
 */
async function extraAuthorities({ NODE_EXTRA_CA_CERTS: file }: NodeJS.ProcessEnv): Promise<string[]> {
  if (!file || 'getCACertificates' in tls) return [];
  return readAuthorities(file).then(
    (text) => [text],
    () => [],
  );
}

async function readAuthorities(file: string): Promise<string> {
  const { readNamedFile } = await import('../named-file.js');
  const { parseCertificates } = await import('../transports/http/certificates.js');
  const text = await readNamedFile(file, MOST_FILE_BYTES, 'authorities');
  parseCertificates(text, `authorities ${file}`);
  return text;
}
