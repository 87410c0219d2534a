/** A key and a certificate that a person has: whether they can be served with. */
import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { XferError } from '../../../../errors.js';
import { parseCertificates } from '../../certificates.js';
import type { TlsIdentity } from './tls-identity.js';

/** A file that was read. */
export interface NamedText {
  readonly file: string;
  readonly text: string;
}

/** Asks for the passphrase of the key; undefined where nobody answers. */
export type AskPassphrase = () => Promise<string | undefined>;

const PASSPHRASE_TRIES = 3;
const KEY_BLOCK = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----[\s\S]*?-----END \1-----/;

/**
 * The key without its passphrase, and the certificate with those of its issuers after it. USAGE where a file holds no such
 * thing in PEM, the certificate is not of the key, or is not valid now; DENIED where the passphrase is not given or wrong.
 */
export async function checkGivenCertificate(
  cert: NamedText,
  key: NamedText,
  ask: AskPassphrase,
  nowMs: number = Date.now(),
): Promise<TlsIdentity> {
  const chain = parseCertificates(cert.text, `certificate ${cert.file}`);
  const privateKey = await readKey(key, ask);
  checkPair(chain, privateKey, cert.file, key.file);
  checkDates(chain[0] as X509Certificate, cert.file, nowMs);
  const identity = {
    cert: chain.join(''),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
  try {
    createSecureContext(identity);
  } catch (error) {
    throw new XferError('USAGE', `certificate ${cert.file}: TLS does not take it: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  return identity;
}

async function readKey({ file, text }: NamedText, ask: AskPassphrase): Promise<KeyObject> {
  const [block, label] = KEY_BLOCK.exec(text) ?? [];
  if (block === undefined) {
    throw new XferError('USAGE', `key ${file}: holds no private key in PEM`, {
      hint: 'such a file has a line that says -----BEGIN PRIVATE KEY-----',
    });
  }
  if (label === 'ENCRYPTED PRIVATE KEY' || block.includes('Proc-Type: 4,ENCRYPTED')) return unlock(file, block, ask);
  try {
    return createPrivateKey(block);
  } catch (error) {
    throw new XferError('USAGE', `key ${file}: it is broken: ${reasonOf(error)}`, { cause: error });
  }
}

async function unlock(file: string, block: string, ask: AskPassphrase): Promise<KeyObject> {
  for (let tries = 0; tries < PASSPHRASE_TRIES; tries++) {
    const passphrase = await ask();
    if (passphrase === undefined) {
      throw new XferError('DENIED', `key ${file}: it has a passphrase, and none was given`, {
        hint: 'start it on a terminal, or name a key without a passphrase',
      });
    }
    try {
      return createPrivateKey({ key: block, passphrase });
    } catch {
      // Asked again.
    }
  }
  throw new XferError('DENIED', `key ${file}: the passphrase is wrong`);
}

function checkPair(chain: readonly X509Certificate[], key: KeyObject, certFile: string, keyFile: string): void {
  const at = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (at === 0) return;
  const message = `certificate ${certFile}: its first certificate is not of the key in ${keyFile}`;
  const hint =
    at > 0
      ? 'put the certificate of the server first, and those of its issuers after it'
      : 'name the two that belong together';
  throw new XferError('USAGE', message, { hint });
}

function checkDates({ validFrom, validTo }: X509Certificate, file: string, nowMs: number): void {
  if (Date.parse(validTo) <= nowMs) {
    throw new XferError('USAGE', `certificate ${file}: it expired on ${validTo}`, {
      hint: 'renew it, or let xfer make one: xfer serve --tls',
    });
  }
  if (Date.parse(validFrom) > nowMs) {
    throw new XferError('USAGE', `certificate ${file}: it is not valid before ${validFrom}`, {
      hint: 'is the clock of this machine right?',
    });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
