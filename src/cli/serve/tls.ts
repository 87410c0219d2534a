/** `xfer serve --tls`: the options of encryption -> a key and a certificate, and what is said of them. */
import { stat } from 'node:fs/promises';
import { XferError } from '../../errors.js';
import { checkGivenCertificate, type NamedText } from '../../transports/http/listen/tls/given-certificate.js';
import { loadKeptCertificate } from '../../transports/http/listen/tls/kept-certificate.js';
import { machineNames } from '../../transports/http/listen/tls/machine-names.js';
import { type Fingerprints, fingerprintsOf, type TlsIdentity } from '../../transports/http/listen/tls/tls-identity.js';
import { readNamedFile } from '../../transports/ssh/config/files.js';
import { configDirectory } from '../own-directories.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { createPrompt } from '../prompt.js';
import type { Report } from '../render/report.js';
import type { Surroundings } from '../surroundings.js';

const MOST_FILE_BYTES = 1 << 20;

export interface ServedTls extends Fingerprints {
  readonly identity: TlsIdentity;
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
  if (cert === undefined && key === undefined && !parsed.flag('tls')) return undefined;
  const identity =
    cert === undefined && key === undefined
      ? await keptIdentity(parsed, around, report)
      : await givenIdentity(cert, key, around, report);
  return { identity, ...fingerprintsOf(identity) };
}

function keptIdentity(parsed: ParsedArguments, around: Surroundings, report: Report): Promise<TlsIdentity> {
  return loadKeptCertificate({
    directory: configDirectory(around),
    names: machineNames(parsed.list('bind')),
    platform: around.platform,
    onNotice: report.onNotice,
  });
}

async function givenIdentity(
  cert: string | undefined,
  key: string | undefined,
  around: Surroundings,
  report: Report,
): Promise<TlsIdentity> {
  if (cert === undefined || key === undefined) {
    const [given, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    throw new XferError('USAGE', `option --${given}: --${missing} is missing`, {
      hint: `xfer serve --cert ${cert ?? 'cert.pem'} --key ${key ?? 'key.pem'}`,
    });
  }
  const [certText, keyText] = [await readPem(cert, 'certificate'), await readPem(key, 'key')];
  if (around.platform !== 'win32' && (await stat(key)).mode & 0o077) {
    report.onNotice(`key ${key}: others may read it; chmod 600 it`);
  }
  const prompt = report.asking(createPrompt(around));
  return checkGivenCertificate(certText, keyText, () =>
    prompt.secret(`Passphrase of ${key}: `, { signal: around.signal }),
  );
}

async function readPem(file: string, what: string): Promise<NamedText> {
  return { file, text: await readNamedFile(file, MOST_FILE_BYTES, what) };
}

/** What to type on another machine to download a URL; what is in them stands unquoted in every shell. */
export function downloadLines(url: string, tls: Fingerprints | undefined): string[] {
  if (!tls) return [`download with: xfer get ${url}`];
  return [`download with: xfer get --pin ${tls.pin} ${url}`, `or: curl --insecure --pinnedpubkey ${tls.pin} -O ${url}`];
}
