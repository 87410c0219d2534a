/** `xfer serve --tls`: the options of encryption -> a key and a certificate, and what is said of them. */
import { stat } from 'node:fs/promises';
import { XferError } from '../../errors.js';
import { readNamedFile } from '../../files/named-file.js';
import type { HttpListenOptions } from '../../transports/http/listen/options.js';
import { checkGivenCertificate, type NamedText } from '../../transports/http/listen/tls/given-certificate.js';
import { loadKeptCertificate } from '../../transports/http/listen/tls/kept-certificate.js';
import { machineNames } from '../../transports/http/listen/tls/machine-names.js';
import { type Fingerprints, fingerprintsOf, type TlsIdentity } from '../../transports/http/listen/tls/tls-identity.js';
import { configDirectory } from '../own-directories.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { createPrompt } from '../prompt.js';
import type { Report } from '../render/report.js';
import type { Surroundings } from '../surroundings.js';
import { addressesTyped } from './where.js';

const MOST_FILE_BYTES = 1 << 20;

/** How often the files and the addresses of this machine are looked at again. */
const RENEWAL_MS = 60_000;

export interface ServedTls extends Fingerprints {
  /** For the listener. */
  readonly options: Required<Pick<HttpListenOptions, 'tls' | 'tlsRenewal'>>;
}

/**
 * What is served with, or undefined where nothing is encrypted. USAGE where one of `--cert` and `--key` is missing; else the
 * codes of `loadKeptCertificate`, of `checkGivenCertificate` and of reading a file.
 */
export async function tlsOf(
  parsed: ParsedArguments,
  around: Surroundings,
  report: Report,
): Promise<ServedTls | undefined> {
  const [cert, key] = [parsed.text('cert'), parsed.text('key')];
  let read: () => Promise<TlsIdentity>;
  if (cert !== undefined && key !== undefined) read = readGiven(cert, key, around, report);
  else if (cert !== undefined || key !== undefined) throw halfAPair(cert, key);
  else if (parsed.flag('tls')) read = () => readKept(parsed, around, report);
  else return undefined;
  const tls = await read();
  return { options: { tls, tlsRenewal: { read, everyMs: RENEWAL_MS } }, ...fingerprintsOf(tls) };
}

function readKept(parsed: ParsedArguments, around: Surroundings, report: Report): Promise<TlsIdentity> {
  return loadKeptCertificate({
    directory: configDirectory(around),
    names: machineNames(addressesTyped(parsed)),
    platform: around.platform,
    onNotice: report.onNotice,
  });
}

function halfAPair(cert: string | undefined, key: string | undefined): XferError {
  const [given, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
  return new XferError('USAGE', `option --${given}: --${missing} is missing`, {
    hint: `xfer serve --cert ${cert ?? 'cert.pem'} --key ${key ?? 'key.pem'}`,
  });
}

/** Reads the two files; a passphrase is asked for the first time alone. */
function readGiven(cert: string, key: string, around: Surroundings, report: Report): () => Promise<TlsIdentity> {
  let read = false;
  let passphrase: string | undefined;
  const prompt = report.asking(createPrompt(around));
  const ask = async (): Promise<string | undefined> => {
    if (!read) passphrase = await prompt.secret(`Passphrase of ${key}: `, { signal: around.signal });
    return passphrase;
  };
  return async () => {
    const [certText, keyText] = [await readPem(cert, 'certificate'), await readPem(key, 'key')];
    if (!read && around.platform !== 'win32' && (await stat(key)).mode & 0o077) {
      report.onNotice(`key ${key}: others may read it; chmod 600 it`);
    }
    const identity = await checkGivenCertificate(certText, keyText, ask);
    read = true;
    return identity;
  };
}

async function readPem(file: string, what: string): Promise<NamedText> {
  return { file, text: await readNamedFile(file, MOST_FILE_BYTES, what) };
}
