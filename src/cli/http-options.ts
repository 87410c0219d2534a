/** The options of the table -> what the HTTP transport is told. */
import { join } from 'node:path';
import * as tls from 'node:tls';
import { XferError } from '../errors.js';
import type { Location } from '../location.js';
import type { HttpOptions, NamedText } from '../transports/http/index.js';
import { stateDirectory } from './own-directories.js';
import type { ParsedArguments } from './parsed-arguments.js';
import { formatBytes, parseSize } from './render/format.js';
import type { Surroundings } from './surroundings.js';

const MOST_FILE_BYTES = 1 << 20;
/** Below it a request costs more than what it carries. */
const LEAST_CHUNK_BYTES = 64 * 1024;

/** USAGE where a value is not of its kind, or a pin is given and nobody is asked by https; the errors of reading a file. */
export async function httpOptions(
  parsed: ParsedArguments,
  locations: readonly Location[],
  around: Surroundings,
): Promise<HttpOptions> {
  const isWeb = locations.some(({ scheme }) => /^https?$/.test(scheme));
  const [headers, pins, files] = [parsed.list('header'), parsed.list('pin'), parsed.list('cacert')];
  if (pins.length > 0 && !isWeb) {
    throw new XferError('USAGE', 'option --pin: there is no https address whose server it could be of');
  }
  const auth = parsed.text('auth');
  const [cookies, chunk] = [parsed.text('cookies'), parsed.text('chunk')];
  const netrc = isWeb ? await readNetrc(parsed.text('netrc'), around) : undefined;
  const { proxySettings } = await import('../transports/http/client/proxies.js');
  const ca = await Promise.all(files.map(readAuthorities));
  return {
    headers,
    pins,
    ca: [...ca, ...(ca.length > 0 ? await extraAuthorities(around) : [])],
    proxies: proxySettings(around.env),
    uploadNotesDirectory: join(stateDirectory(around), 'put'),
    ...(chunk === undefined ? {} : { chunkBytes: parseChunk(chunk) }),
    ...(auth === undefined ? {} : { auth }),
    ...(netrc === undefined ? {} : { netrc }),
    ...(cookies === undefined ? {} : { cookies: await readNamed(cookies, 'cookies') }),
  };
}

function parseChunk(text: string): number {
  const bytes = parseSize('chunk', text);
  if (bytes >= LEAST_CHUNK_BYTES) return bytes;
  throw new XferError('USAGE', `option --chunk ${text}: not a size of at least ${formatBytes(LEAST_CHUNK_BYTES)}`, {
    hint: 'as in 500K or 50M',
  });
}

/**
 * What NODE_EXTRA_CA_CERTS adds to those that Node trusts: before version 22.15 Node does not tell, and with an authority
 * named in `--cacert` only the list that it brings would be left. One that cannot be read is passed over, as Node does.
 */
async function extraAuthorities({ env: { NODE_EXTRA_CA_CERTS: file } }: Surroundings): Promise<string[]> {
  if (!file || 'getCACertificates' in tls) return [];
  return readAuthorities(file).then(
    (text) => [text],
    () => [],
  );
}

async function readAuthorities(file: string): Promise<string> {
  const { parseCertificates } = await import('../transports/http/certificates.js');
  const { text } = await readNamed(file, 'authorities');
  parseCertificates(text, `authorities ${file}`);
  return text;
}

async function readNamed(file: string, what: string): Promise<NamedText> {
  const { readNamedFile } = await import('../files/named-file.js');
  return { text: await readNamedFile(file, MOST_FILE_BYTES, what), file };
}

/** The file that was named, or else that of the person, which need not be there. */
async function readNetrc(named: string | undefined, around: Surroundings): Promise<string | undefined> {
  if (named !== undefined) return (await readNamed(named, 'netrc')).text;
  const { env, homeDirectory, platform } = around;
  const own = env.NETRC || join(homeDirectory, platform === 'win32' ? '_netrc' : '.netrc');
  try {
    return (await readNamed(own, 'netrc')).text;
  } catch (error) {
    if (error instanceof XferError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}
